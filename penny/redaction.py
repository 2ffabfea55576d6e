"""What never stands in a log: keys, tokens, passwords, card numbers, and the words of exceptions.

Nothing of Penny's own logs what people say. Messages of exceptions, and of other people's libraries, may quote it: of
an exception only its type and place are told, and every text passes through here.
"""

from __future__ import annotations

import re
import sys
import traceback
from collections.abc import Callable, MutableMapping
from types import TracebackType
from typing import Any

HIDDEN = "[hidden]"

_SECRETS: tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...] = (
    (re.compile(r"-----BEGIN [A-Z ]+-----.*?(?:-----END [A-Z ]+-----|\Z)", re.S), HIDDEN),
    (re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,}"), rf"\1 {HIDDEN}"),
    (re.compile(r"\beyJ[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_-]{6,}(?:\.[A-Za-z0-9_-]*)*"), HIDDEN),
    (re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{12,}\b"), HIDDEN),
    (re.compile(r"\b(?:xox[a-z]|xapp)-[A-Za-z0-9-]{6,}"), HIDDEN),
    (re.compile(r"\bbot\d{6,}:[A-Za-z0-9_-]{20,}|\b\d{6,}:[A-Za-z0-9_-]{30,}"), HIDDEN),
    (re.compile(r"\b(?:whsec_|EAA|sk-)[A-Za-z0-9+/=_-]{16,}"), HIDDEN),
    (re.compile(r"([a-z][a-z0-9+.-]*://[^\s:/@]*):[^\s@/]+@", re.I), rf"\1:{HIDDEN}@"),
    (
        re.compile(
            r"(?i)([\"']?\b[\w-]*(?:password|passwd|secret|token|api[_-]?key|signature|credential)[\w-]*[\"']?\s*[=:]\s*)"
            r"(?:\"[^\"]*\"|'[^']*'|[^\s,;&}]+)"
        ),
        rf"\1{HIDDEN}",
    ),
    (re.compile(r"\b\d(?:[ -]?\d){11,18}\b"), lambda found: HIDDEN if _is_card(found[0]) else found[0]),
)

_SECRET_NAMES = re.compile(r"(?i)(password|passwd|secret|authorization|cookie|api_?key|token)$")
_WORDS = frozenset({"text", "message", "content", "body", "prompt", "reply", "memo", "merchant"})
"""Fields that would hold what somebody said."""


def redacted(text: str) -> str:
    """The text without what looks like a secret or a card number."""
    for pattern, instead in _SECRETS:
        text = pattern.sub(instead, text)
    return text


def redact(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The step of structlog's that every record passes."""
    for name, value in event.items():
        event[name] = HIDDEN if _SECRET_NAMES.search(name) or name in _WORDS else _inside(value)
    return event


def _inside(value: Any) -> Any:
    if isinstance(value, str):
        return redacted(value)
    if isinstance(value, dict):
        return {name: HIDDEN if _SECRET_NAMES.search(str(name)) else _inside(held) for name, held in value.items()}
    if isinstance(value, list | tuple):
        return [_inside(held) for held in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    return redacted(str(value))


def without_words(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Tells an exception by its type and place, and those that led to it: never by its message."""
    given = event.pop("exc_info", None)
    error = given if isinstance(given, BaseException) else given[1] if isinstance(given, tuple) else None
    if error is None and given:
        error = sys.exc_info()[1]
    if error is not None:
        event["error"] = event.get("error") or type(error).__name__
        event["place"] = place_of(error)
    return event


def place_of(error: BaseException) -> str:
    """Where it was raised and what caused it, innermost first, without a word of the exceptions' own."""
    parts = []
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        parts.append(f"{type(current).__name__}\n{_frames(current.__traceback__)}")
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)
    return "caused by ".join(parts)


def _frames(trace: TracebackType | None) -> str:
    """File, line and function of each frame. The line's source is of ours, and quotes nobody."""
    return "".join(traceback.format_tb(trace))


def _is_card(digits: str) -> bool:
    """Whether the digits pass the check of card numbers (ISO/IEC 7812-1, Luhn)."""
    numbers = [int(c) for c in digits if c.isdecimal()]
    doubled = [d * 2 - 9 * (d > 4) for d in numbers[-2::-2]]
    return 13 <= len(numbers) <= 19 and (sum(numbers[-1::-2]) + sum(doubled)) % 10 == 0
