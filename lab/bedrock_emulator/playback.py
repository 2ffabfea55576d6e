"""Which turn answers the next request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lab.bedrock_emulator.refusals import ApiError, invalid
from lab.bedrock_emulator.script import Refusal, Responder, Script, Turn


class Playback:
    """A script's place, moved on by each request; a responder has none and is simply asked."""

    def __init__(self, script: Script | Responder) -> None:
        self._script = script
        self._at = 0
        self._refusals = 0

    def next(self, asked: Mapping[str, Any]) -> Turn:
        """The turn to play. Raises ApiError while the turn refuses, or when the script has ended."""
        if not isinstance(self._script, Script):
            turn = self._script(asked)
            if turn.refusal is not None:
                raise _refused(turn.refusal)
            return turn
        turn = self._turn(self._script)
        if turn.refusal is not None and self._refusals < turn.refusal.times:
            self._refusals += 1
            raise _refused(turn.refusal)
        self._at += 1
        self._refusals = 0
        return turn

    def _turn(self, script: Script) -> Turn:
        if self._at < len(script.turns):
            return script.turns[self._at]
        match script.then:
            case "cycle":
                return script.turns[self._at % len(script.turns)]
            case "repeat_last":
                return script.turns[-1]
            case _:
                raise invalid(f"The script has {len(script.turns)} turns and no answer to one more request.")


def _refused(refusal: Refusal) -> ApiError:
    return ApiError(refusal.type, refusal.message, refusal.status, refusal.retry_after)
