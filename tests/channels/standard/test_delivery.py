"""What becomes of replies when the other program is away, refuses, or our process dies."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from typing import Any
from uuid import UUID, uuid4

import pytest

from memory import outbox


@pytest.fixture
async def linked(serve: Any, standard: Any, program: Any, sender: str, until: Any) -> Any:
    """A service with a linked sender."""
    service = await serve({"standard": standard()})
    await program.say(service.outside, await service.link_text("standard"), sender)
    await until(lambda: program.replies)
    program.got.clear()
    program.tries.clear()
    return service


async def test_an_outage_loses_nothing_and_keeps_the_order(linked: Any, program: Any, sender: str, until: Any) -> None:
    """Twenty 5xx in a row, then both replies arrive once each, the first one first, under the ids of the first try."""
    program.answers = [503] * 20
    await program.say(linked.outside, "one", sender)
    await program.say(linked.outside, "two", sender)
    await until(lambda: program.replies, 2)
    first, second = program.got
    assert program.tries[:21] == [first] * 21
    assert program.tries[21:] == [second]
    await until(lambda: linked.outbox(status="sent", kind="reply"), 2)


async def test_a_refused_message_is_given_up_after_five_tries(
    linked: Any, program: Any, sender: str, until: Any
) -> None:
    """Dead, with the reason; the next one of the chat goes out; sent again on request."""
    program.answers = [403] * 5
    await program.say(linked.outside, "one", sender)
    (dead,) = await until(lambda: linked.outbox(status="dead"))
    assert dead["error"] == "http_403"
    assert len(program.tries) == 5
    await program.say(linked.outside, "two", sender)
    await until(lambda: program.replies, 1)
    worker = await linked.db.worker_connection()
    await outbox.replay(worker, UUID(int=dead["id"].int))
    await worker.close()
    linked.sender.wake()
    await until(lambda: program.replies, 2)


async def test_ten_messages_that_are_refused_hold_up_nobody(linked: Any, program: Any, sender: str, until: Any) -> None:
    """Of ten people, each refused for good: five tries each, dead and visible; somebody else's reply arrives meanwhile
    and they all get the next one."""
    others = [f"{sender}-{n}" for n in range(10)]
    for other in others:
        await program.say(linked.outside, await linked.link_text("standard"), other)
    await until(lambda: program.replies, 10)
    program.poison = set(others)
    for other in others:
        await program.say(linked.outside, "one", other)
    await program.say(linked.outside, "one", sender)
    dead = await until(lambda: linked.outbox(status="dead"), 10)
    assert {row["error"] for row in dead} == {"http_403"}
    assert program.refused == Counter(dict.fromkeys(others, 5))
    await until(lambda: [reply for reply in program.replies if reply["to"] == sender])
    program.poison = set()
    for other in others:
        await program.say(linked.outside, "two", other)
    await until(lambda: program.replies, 21)


async def test_an_app_that_is_away_is_given_up_after_a_day(linked: Any, program: Any, sender: str, until: Any) -> None:
    """A day later by the database's clock the row is dead, whatever the number of tries."""
    program.answers = [503] * 1000
    await program.say(linked.outside, "one", sender)
    await until(lambda: program.tries, 3)
    async with linked.db.transaction(linked.user) as tx:
        await tx.pg.execute("UPDATE outbox SET give_up_at = clock_timestamp() WHERE kind = 'reply'")
    (dead,) = await until(lambda: linked.outbox(status="dead"))
    assert dead["error"] == "http_503"


async def test_another_process_goes_on_where_one_died(
    serve: Any, standard: Any, program: Any, sender: str, until: Any
) -> None:
    """A row whose sender is gone is sent by another one when the lease is over, once."""
    first = await serve({"standard": standard()}, subject=sender)
    await program.say(first.outside, await first.link_text("standard"), sender)
    await until(lambda: first.outbox(status="sent"))
    await first.sender.stop()
    await program.say(first.outside, "hello", sender)
    worker = await first.db.worker_connection()
    assert await outbox.claim(worker, "died", 0.2, ["standard"], 1000)
    await worker.close()
    await serve({"standard": standard()}, subject=sender)
    await until(lambda: program.replies, 2)
    assert program.replies[1]["text"] == "Hello."


async def test_a_stalled_sender_cannot_note_anything(linked: Any, program: Any, sender: str, until: Any) -> None:
    """One whose row was taken over neither ends it nor puts it off."""
    program.answers = [503] * 1000
    await program.say(linked.outside, "one", sender)
    await until(lambda: linked.outbox(kind="reply"))
    await linked.sender.stop()
    worker = await linked.db.worker_connection()
    (row,) = await linked.outbox(kind="reply")
    stale = outbox.Delivery(
        linked.user, UUID(int=row["id"].int), "standard", row["chat"], "reply", None, row["attempt"] - 1, 0,
        row["created_at"],
    )  # fmt: skip
    await outbox.sent(worker, stale)
    (after,) = await linked.outbox(kind="reply")
    await worker.close()
    assert after["status"] == "waiting"


async def test_the_worker_sees_no_words(linked: Any, program: Any, sender: str) -> None:
    """The role that moves the queue may not read what is sent."""
    import asyncpg

    worker = await linked.db.worker_connection()
    for column in ("body", "progress", "dedupe"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await worker.fetch(f"SELECT {column} FROM outbox")  # noqa: S608
    await worker.close()


def test_pauses_double_up_to_the_longest() -> None:
    """From half of a second up, never longer than ten minutes."""
    chance = random.Random(1)
    pauses = [outbox.Backoff(1.0, 600.0).seconds(tries, chance) for tries in (1, 2, 5, 10, 11, 500)]
    assert all(most / 2 <= pause <= most for pause, most in zip(pauses, (1, 2, 16, 512, 600, 600), strict=True))


async def test_fifty_messages_at_once_are_each_taken_once(linked: Any, program: Any, sender: str, until: Any) -> None:
    """Of one person, each sent twice: fifty runs, fifty replies."""
    events = [uuid4().hex for _ in range(50)]
    await asyncio.gather(
        *(program.say(linked.outside, f"spent {n}", sender, event) for n, event in enumerate(events * 2))
    )
    await until(lambda: program.replies, 50)
    async with linked.db.read(linked.user) as tx:
        assert await tx.pg.fetchval("SELECT count(*) FROM run WHERE user_id = $1", tx.user) == 50
