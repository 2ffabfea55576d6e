"""Whether Meta signed a request with the app's secret, on the raw body. It has no time: repetitions are told by the
message's id."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping


def genuine(secret: str, headers: Mapping[str, str], body: bytes) -> bool:
    """`headers` have names in lower case. Never raises."""
    expected = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected.encode(), headers.get("x-hub-signature-256", "").encode())


def challenged(token: str, query: Mapping[str, str]) -> str | None:
    """What Meta's check of the address wants back; None when it does not know our token."""
    if query.get("hub.mode") != "subscribe":
        return None
    if not hmac.compare_digest(query.get("hub.verify_token", "").encode(), token.encode()):
        return None
    return query.get("hub.challenge", "")
