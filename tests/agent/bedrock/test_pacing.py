"""Many replies at once are read at a pace; few come token by token."""

from __future__ import annotations

import asyncio
from collections import Counter
from types import SimpleNamespace
from typing import Any

import pytest

from agent.bedrock.pacing import BUSY, LONGEST_SECONDS, REST_SECONDS, Pace, rest_seconds
from lab.bedrock_emulator import Turn

MODEL = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
MANY = BUSY + 4


class Connection:
    """A response on a connection that notes when it rests."""

    def __init__(self) -> None:
        self.connection = SimpleNamespace(transport=self)
        self.done: Counter[str] = Counter()
        self.closed = False

    def is_closing(self) -> bool:
        return self.closed

    def pause_reading(self) -> None:
        self.done["rested"] += 1

    def resume_reading(self) -> None:
        self.done["woke"] += 1


async def rested(pace: Pace, *connections: Any) -> None:
    """The connections rest, and the timer that wakes them has run."""
    for each in connections:
        pace.rest(each)
    async with asyncio.timeout(30):
        while pace._timer is not None:  # noqa: ASYNC110 -- nobody tells
            await asyncio.sleep(0.01)


async def test_few_replies_never_rest() -> None:
    """Up to the bound a connection is left alone."""
    pace, one = Pace(), Connection()
    pace.open = BUSY - 1
    await rested(pace, one)
    assert not one.done


async def test_each_of_many_rests_and_wakes_once() -> None:
    """One timer wakes them all."""
    pace, all_ = Pace(), [Connection() for _ in range(MANY)]
    pace.open = MANY
    await rested(pace, *all_)
    assert [each.done for each in all_] == [Counter(rested=1, woke=1)] * MANY


async def test_a_connection_that_closes_while_it_rests_is_let_be() -> None:
    """A cancelled reply closes its connection at once; the others wake."""
    pace, gone, stays = Pace(), Connection(), Connection()
    pace.open = MANY
    pace.rest(gone)  # type: ignore[arg-type]
    gone.closed = True
    await rested(pace, stays)
    assert gone.done == Counter(rested=1)
    assert stays.done == Counter(rested=1, woke=1)


def test_the_more_replies_the_longer_the_rest_within_bounds() -> None:
    """A pause of the log's for a few, more for hundreds, never so long that it shows."""
    assert rest_seconds(BUSY) == REST_SECONDS
    assert REST_SECONDS < rest_seconds(500) < LONGEST_SECONDS
    assert rest_seconds(100_000) == LONGEST_SECONDS


@pytest.mark.parametrize("left", [0, MANY // 2])
async def test_paced_replies_are_whole(speaking: Any, asked: Any, whole: Any, left: int) -> None:
    """Every word of each comes, also when readers of others leave in the middle."""
    text = "word " * 40 + "end"
    async with speaking([Turn(text, token_delay=0.01)] * MANY, MODEL) as (_, model):
        reading = [asyncio.create_task(whole(model, asked())) for _ in range(MANY)]
        await asyncio.sleep(0.2)
        for task in reading[:left]:
            task.cancel()
        replies = await asyncio.gather(*reading[left:])
    assert [str(reply.text) for reply in replies] == [text] * (MANY - left)
