"""Whether Twilio signed a request with the account's auth token: HMAC-SHA1 of the public address and the fields in
order (twilio.com/docs/usage/security). Twilio's own library, which checks the same, is many megabytes for these
lines; the tests sign with it."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping


def signature(token: str, url: str, fields: Mapping[str, str]) -> str:
    """What Twilio puts in X-Twilio-Signature."""
    text = url + "".join(name + fields[name] for name in sorted(fields))
    return base64.b64encode(hmac.new(token.encode(), text.encode(), hashlib.sha1).digest()).decode()


def genuine(token: str, headers: Mapping[str, str], url: str, fields: Mapping[str, str]) -> bool:
    """`headers` have names in lower case. Twilio may or may not name the port it used. Never raises."""
    given = headers.get("x-twilio-signature", "").encode()
    return any(hmac.compare_digest(signature(token, one, fields).encode(), given) for one in _spellings(url))


def _spellings(url: str) -> tuple[str, ...]:
    scheme, _, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    port = {"https": "443", "http": "80"}.get(scheme, "")
    if ":" in host:
        return (url, f"{scheme}://{host.removesuffix(f':{port}')}{slash}{path}")
    return (url, f"{scheme}://{host}:{port}{slash}{path}")
