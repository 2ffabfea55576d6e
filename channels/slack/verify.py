"""Whether Slack signed a request with our signing secret (v0), in the last five minutes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from slack_sdk.signature import Clock, SignatureVerifier


class _At(Clock):
    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def now(self) -> float:
        return self._seconds


def genuine(secret: str, headers: Mapping[str, str], body: bytes, now: datetime) -> bool:
    """`headers` have names in lower case. Never raises."""
    stamp, signature = headers.get("x-slack-request-timestamp", ""), headers.get("x-slack-signature", "")
    if not (stamp.isdecimal() and len(stamp) <= 12 and signature.isascii()):
        return False
    try:
        return SignatureVerifier(secret, _At(now.timestamp())).is_valid(body, stamp, signature)
    except UnicodeDecodeError:
        return False
