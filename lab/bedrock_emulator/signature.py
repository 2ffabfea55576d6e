"""Who signed the request: AWS Signature Version 4, recomputed with botocore when the secret is known."""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from lab.bedrock_emulator.refusals import ApiError

_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key>[^/]+)/(?P<day>\d{8})/(?P<region>[^/]+)/(?P<service>[^/]+)/aws4_request, ?"
    r"SignedHeaders=(?P<headers>[a-z0-9;-]+), ?Signature=(?P<signature>[0-9a-f]{64})"
)
_SKEW = timedelta(minutes=5)


def check(method: str, raw_url: str, headers: Mapping[str, str], body: bytes, secrets: Mapping[str, str]) -> None:
    """Raises ApiError unless the request is signed. `secrets` (secret by access key) empty: any well-formed signature
    counts. A Bedrock API key (`Bearer ...`) counts as it stands."""
    authorization = headers.get("Authorization")
    if not authorization:
        raise ApiError("MissingAuthenticationTokenException", "Missing Authentication Token")
    if authorization.startswith("Bearer ") and len(authorization) > len("Bearer "):
        return
    match = _AUTHORIZATION.fullmatch(authorization)
    if match is None:
        raise ApiError("IncompleteSignatureException", "Authorization header is not a well-formed AWS4-HMAC-SHA256 one")
    if match["service"] != "bedrock":
        raise ApiError("InvalidSignatureException", "Credential should be scoped to correct service: 'bedrock'.")
    if not secrets:
        return
    secret = secrets.get(match["key"])
    if secret is None:
        raise ApiError("UnrecognizedClientException", "The security token included in the request is invalid.")
    stamp = _stamp(headers.get("X-Amz-Date", ""))
    expected = _signature(match, secret, stamp, AWSRequest(method, raw_url, _chosen(headers, match), body))
    if not hmac.compare_digest(expected, match["signature"]):
        raise ApiError(
            "InvalidSignatureException",
            "The request signature we calculated does not match the signature you provided.",
        )


def _stamp(text: str) -> str:
    try:
        at = datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise ApiError("IncompleteSignatureException", "Date must be in ISO-8601 'basic format'.") from None
    if abs(datetime.now(UTC) - at) > _SKEW:
        raise ApiError("InvalidSignatureException", "Signature expired")
    return text


def _chosen(headers: Mapping[str, str], match: re.Match[str]) -> dict[str, str]:
    return {name: headers.get(name, "") for name in match["headers"].split(";")}


def _signature(match: re.Match[str], secret: str, stamp: str, request: AWSRequest) -> str:
    signer = SigV4Auth(Credentials(match["key"], secret), match["service"], match["region"])
    request.context["timestamp"] = stamp
    signature: str = signer.signature(signer.string_to_sign(request, signer.canonical_request(request)), request)
    return signature
