"""Cassettes played back on the wire by the emulator; a request that none knows is refused, and the difference told."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lab.bedrock_emulator import BedrockEmulator, Turn
from lab.bedrock_emulator.refusals import ApiError
from lab.bedrock_emulator.script import turn_of
from lab.cassettes.answers import through
from lab.cassettes.asked import Asked, asked_of, difference, key, likeness, mask_for
from lab.cassettes.tape import Cassette, CassetteError, Exchange, read_all, salt_of

_Sort = tuple[tuple[str, ...], str | None]
"""Cassettes that are looked up in the same way: what they match, and their salt."""


@dataclass
class Replay:
    """What is played: `url` is the emulator's. `misses` says for each unknown request in what it differs; `played`
    counts the answers given."""

    cassettes: Sequence[Cassette]
    url: str = ""
    misses: list[str] = field(default_factory=list)
    played: int = 0
    _known: dict[_Sort, dict[str, list[Exchange]]] = field(default_factory=dict, repr=False)
    _given: dict[int, int] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        for cassette in self.cassettes:
            sort = (cassette.header.match, cassette.header.salt)
            by_key = self._known.setdefault(sort, {})
            for exchange in cassette.exchanges:
                by_key.setdefault(key(exchange.asked, sort[0]), []).append(exchange)

    def answer(self, request: Mapping[str, Any]) -> Turn:
        """The recorded answer. One that was asked for several times has its answers in their order, the last again
        and again. Raises ApiError."""
        nearest: list[tuple[tuple[int, int], Asked, Exchange, tuple[str, ...]]] = []
        for sort, by_key in self._known.items():
            match, salt = sort
            mask = mask_for(request, salt)
            asked = asked_of(request, mask)
            if found := by_key.get(key(asked, match)):
                self.played += 1
                given = self._given.get(id(found), 0)
                self._given[id(found)] = given + 1
                return turn_of(through(found[min(given, len(found) - 1)].turn, mask.restore))
            nearest += [(likeness(asked, s[0].asked, match), asked, s[0], match) for s in by_key.values()]
        _, asked, exchange, match = max(nearest, key=lambda each: each[0])
        differs = difference(asked, exchange.asked, match)
        self.misses.append(differs)
        raise ApiError(
            "ValidationException",
            f"No cassette has an answer to this request. From the nearest one it differs so: {differs}",
        )


@asynccontextmanager
async def replaying(where: Path, *, port: int = 0) -> AsyncIterator[Replay]:
    """The emulator, answering from the cassettes of a folder (or one file). Raises CassetteError; OSError when the
    port is taken."""
    cassettes = [cassette for cassette in read_all(where) if cassette.exchanges]
    if not cassettes:
        raise CassetteError(f"The cassettes in {where} are empty; record them again.")
    if locked := next((c.path for c in cassettes if c.header.masked and c.header.salt is None), None):
        raise CassetteError(
            f"The words in {locked} are masked, and {salt_of(locked).name} to match them by is not beside it: ask for "
            "it, or record again."
        )
    replay = Replay(cassettes)
    async with BedrockEmulator(replay.answer, port=port) as emulator:
        replay.url = emulator.url
        yield replay
