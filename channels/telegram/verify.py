"""Whether a request carries the secret that we gave Telegram with the webhook's address. It signs nothing and has no
time, so repetitions are told by their update_id."""

from __future__ import annotations

import hmac
from collections.abc import Mapping


def genuine(secret: str, headers: Mapping[str, str]) -> bool:
    """`headers` have names in lower case. Never raises."""
    given = headers.get("x-telegram-bot-api-secret-token", "")
    return hmac.compare_digest(given.encode(), secret.encode())
