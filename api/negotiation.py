"""Which of two answers a client wants: the run as a stream, or its reply when it is done (RFC 9110, 12.5.1)."""

from __future__ import annotations

from typing import Literal

from api.problems import NotAcceptable

STREAM = "text/event-stream"
JSON = "application/json"


def preferred(accept: str | None) -> Literal["stream", "json"]:
    """What the Accept header asks for; JSON when it does not say. Raises NotAcceptable when it allows neither."""
    if not accept or not accept.strip():
        return "json"
    ranges = [_range(part) for part in accept.split(",") if part.strip()]
    stream, json = _quality(STREAM, ranges), _quality(JSON, ranges)
    if stream == json == 0:
        raise NotAcceptable(f"This route answers with {JSON} or {STREAM}; accept one of them.")
    return "stream" if stream > json else "json"


def accepts(accept: str | None, media_type: str) -> bool:
    """Whether the Accept header allows the type; one that is missing allows everything."""
    ranges = [_range(part) for part in (accept or "*/*").split(",") if part.strip()]
    return _quality(media_type, ranges) > 0


def prefers_async(prefer: str | None) -> bool:
    """Whether the Prefer header asks for an answer at once (RFC 7240, `respond-async`)."""
    return any(part.split(";")[0].strip().lower() == "respond-async" for part in (prefer or "").split(","))


def _range(text: str) -> tuple[str, float]:
    name, *parameters = (part.strip().lower() for part in text.split(";"))
    quality = 1.0
    for parameter in parameters:
        key, _, value = parameter.partition("=")
        if key.strip() == "q":
            try:
                quality = min(1.0, max(0.0, float(value)))
            except ValueError:
                quality = 0.0
    return name, quality


def _quality(media_type: str, ranges: list[tuple[str, float]]) -> float:
    for pattern in (media_type, media_type.split("/")[0] + "/*", "*/*"):
        found = [quality for name, quality in ranges if name == pattern]
        if found:
            return max(found)
    return 0.0
