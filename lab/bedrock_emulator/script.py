"""What the emulator is told to answer: turns, tool calls, token counts and faults, as values and as a JSON file."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast


@dataclass(frozen=True, slots=True)
class ToolUse:
    """A tool call. `input` as text is sent as it stands (for a model that breaks its JSON); no `id`: a fresh one."""

    name: str
    input: Mapping[str, Any] | str
    id: str | None = None


@dataclass(frozen=True, slots=True)
class TokenCounts:
    """What `usage` says, in tokens. `input` excludes what was read from or written to the prompt cache. `cache_hour` is
    the part of what was written that is kept for an hour; None with models that do not tell."""

    input: int
    output: int
    cache_read: int = 0
    cache_write: int = 0
    cache_hour: int | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """An HTTP error in place of a reply, `times` times, then the turn plays. No `status`: the one AWS gives `type`;
    `retry_after` (seconds) is sent as the header."""

    type: str
    times: int = 1
    message: str = "Refused by the script."
    status: int | None = None
    retry_after: float | None = None


@dataclass(frozen=True, slots=True)
class StreamException:
    """After `at` frames the stream ends with an exception frame, such as `throttlingException`."""

    at: int
    type: str
    message: str = "Broken by the script."


@dataclass(frozen=True, slots=True)
class Reset:
    """After `at` frames the connection is reset (TCP RST)."""

    at: int


@dataclass(frozen=True, slots=True)
class Truncate:
    """After `at` frames the response ends in good HTTP order, without `messageStop`."""

    at: int


@dataclass(frozen=True, slots=True)
class Stall:
    """After `at` frames nothing comes for `seconds` (None: until the client leaves), then the rest."""

    at: int
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Corrupt:
    """The frame after `at` good ones has a wrong checksum."""

    at: int


@dataclass(frozen=True, slots=True)
class Hang:
    """Not even the response's head comes, until the client leaves."""


Fault = StreamException | Reset | Truncate | Stall | Corrupt | Hang


@dataclass(frozen=True, slots=True)
class Turn:
    """One reply. `text` is cut into words, or given as the very tokens; delays are seconds (before the head, and
    before each token). A stop reason is inferred: `tool_use` with tools, else `end_turn`. `thinking` comes first,
    signed, then `redacted`, encrypted; `trace` is the guardrail's, told where the request asks for it."""

    text: str | tuple[str, ...] = ""
    tools: tuple[ToolUse, ...] = ()
    stop_reason: str | None = None
    usage: TokenCounts | None = None
    token_delay: float = 0.0
    first_delay: float = 0.0
    refusal: Refusal | None = None
    fault: Fault | None = None
    thinking: str = ""
    redacted: str = ""
    trace: Mapping[str, Any] | None = None

    @property
    def tokens(self) -> tuple[str, ...]:
        """The text as the deltas that carry it."""
        return tuple(re.findall(r"\s*\S+|\s+$", self.text)) if isinstance(self.text, str) else self.text

    @property
    def stop(self) -> str:
        return self.stop_reason or ("tool_use" if self.tools else "end_turn")


@dataclass(frozen=True, slots=True)
class Script:
    """Turns in the order of the requests. After the last one a request is refused, or the last turn or all repeat."""

    turns: tuple[Turn, ...]
    then: Literal["refuse", "repeat_last", "cycle"] = "refuse"


Responder = Callable[[Mapping[str, Any]], Turn]
"""Chooses the turn by what was asked: gets the request's JSON with `modelId` added."""

_FAULTS: dict[str, type[Any]] = {
    "exception": StreamException,
    "reset": Reset,
    "truncate": Truncate,
    "stall": Stall,
    "corrupt": Corrupt,
    "hang": Hang,
}


def load(path: Path) -> Script:
    """Reads a script file. Raises ValueError that names what in it cannot be used."""
    try:
        data = json.loads(path.read_text())
        if data.get("then", "refuse") not in ("refuse", "repeat_last", "cycle"):
            raise ValueError(f"{path} is no script: `then` is {data['then']!r}")
        return Script(tuple(turn_of(turn) for turn in data["turns"]), data.get("then", "refuse"))
    except (OSError, json.JSONDecodeError, KeyError, TypeError) as error:
        raise ValueError(f"{path} is no script: {error!r}") from error


def turn_of(data: Mapping[str, Any]) -> Turn:
    """A turn as script files have it. Raises KeyError or TypeError for what cannot be one."""
    known: dict[str, Any] = dict(data)
    if isinstance(known.get("text"), list):
        known["text"] = tuple(known["text"])
    known["tools"] = tuple(ToolUse(**tool) for tool in known.get("tools", ()))
    if "usage" in known:
        known["usage"] = TokenCounts(**known["usage"])
    if "refusal" in known:
        known["refusal"] = Refusal(**known["refusal"])
    if "fault" in known:
        fault = dict(known["fault"])
        known["fault"] = cast(Fault, _FAULTS[fault.pop("kind")](**fault))
    return Turn(**known)
