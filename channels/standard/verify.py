"""Whether a webhook is signed as standardwebhooks.com has it, with our secret, in the last five minutes."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime

from standardwebhooks import Webhook

TOLERANCE_SECONDS = 300


def genuine(secret: str, headers: Mapping[str, str], body: bytes, now: datetime) -> bool:
    """True when one of the signatures is right and its time is within TOLERANCE_SECONDS of `now`. `headers` have names
    in lower case. Never raises."""
    given, stamp, signatures = (headers.get(f"webhook-{name}", "") for name in ("id", "timestamp", "signature"))
    if not given or not stamp.isdecimal() or len(stamp) > 12:
        return False
    sent = datetime.fromtimestamp(int(stamp), UTC)
    if abs((now - sent).total_seconds()) > TOLERANCE_SECONDS:
        return False
    try:
        expected = Webhook(secret).sign(given, sent, body.decode())
    except UnicodeDecodeError:
        return False  # what is not text was signed by nobody who follows the standard
    return any(hmac.compare_digest(expected.encode(), one.encode()) for one in signatures.split())


def signed(secret: str, event_id: str, body: bytes, now: datetime) -> dict[str, str]:
    """The headers for a webhook of ours."""
    return {
        "webhook-id": event_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(secret).sign(event_id, now, body.decode()),
    }


def is_secret(text: str) -> bool:
    """Whether `text` can be a secret: base64 of at least 24 bytes, after "whsec_" if that stands before it."""
    try:
        return len(base64.b64decode(text.removeprefix("whsec_"), validate=True)) >= 24
    except ValueError:
        return False
