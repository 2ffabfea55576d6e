"""A person who writes to Penny through another program."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from db.engine import Database

PROPOSES = [
    {"tool_calls": [{"name": "set_budget", "args": {"category": "Dining", "amount": "250"}}]},
    {"text": "{summary}"},
]


@pytest.fixture
async def linked(serve: Any, standard: Any, program: Any, sender: str, until: Any) -> Callable[..., Any]:
    """A service with a linked `sender`: `await linked(turns)`. The answer to the linking is taken already."""

    async def start(turns: Any = ({"text": "Hello."},), **more: Any) -> Any:
        service = await serve({"standard": standard()}, turns, **more)
        async with service.db.transaction(service.user) as tx:
            await tx.pg.execute("INSERT INTO category (user_id, name) VALUES ($1, 'Dining')", tx.user)
        await program.say(service.outside, await service.link_text("standard"), sender)
        await until(lambda: program.replies)
        assert "linked" in program.replies[0]["text"]
        program.got.clear()
        program.tries.clear()
        return service

    return start


async def budget(database: Database, user: Any) -> list[int]:
    """The dining budgets in force, in minor units."""
    async with database.read(user) as tx:
        return [row[0] for row in await tx.pg.fetch("SELECT amount_minor FROM budget")]


async def test_an_unlinked_sender_learns_how_to_link_and_nothing_else(
    serve: Any, standard: Any, program: Any, sender: str, until: Any
) -> None:
    """No run is made; what comes back says how to link, once however often they write."""
    service = await serve({"standard": standard()})
    for _ in range(3):
        await program.say(service.outside, "how much did I spend?", sender)
    await until(lambda: program.replies)
    await asyncio.sleep(0.1)
    (reply,) = program.replies
    assert reply["to"] == sender
    assert "link CODE" in reply["text"]
    assert service.model.requests == []


async def test_a_code_links_once(linked: Any, program: Any, until: Any) -> None:
    """A code that was used, a made-up one and an old one link nobody."""
    service = await linked()
    first = await service.link_text("standard")
    second = await service.link_text("standard")
    for text in (first, "link ABCDEFGH"):
        await program.say(service.outside, text, f"other-{uuid4().hex}")
    await until(lambda: program.replies, 2)
    assert all("not valid" in reply["text"] for reply in program.replies)
    third = f"third-{uuid4().hex}"
    await program.say(service.outside, second, third)
    await until(lambda: program.replies, 3)
    there = (await service.client.get("/v1/links")).json()
    links = there["items"]
    assert there["channels"] == ["standard"]
    other = await service.client.delete("/v1/links/standard", params={"address": "another"})
    assert other.status_code == 404
    assert third in [link["address"] for link in links]


async def test_a_message_is_answered(linked: Any, program: Any, sender: str, until: Any) -> None:
    """The reply goes to who asked; the conversation is one session that remembers."""
    service = await linked([{"text": "You spent **$4** at [Joe's](https://evil.example/x?a=4)."}, {"text": "Yes."}])
    await program.say(service.outside, "how much at Joe's?", sender)
    await until(lambda: program.replies)
    await program.say(service.outside, "really?", sender)
    await until(lambda: program.replies, 2)
    first, second = program.replies
    assert first["to"] == second["to"] == sender
    assert "evil.example" not in first["text"]
    assert second["text"] == "Yes."
    sessions = (await service.client.get("/v1/sessions")).json()["items"]
    assert len(sessions) == 1
    assert [m.text for m in service.model.requests[1].earlier if m.type == "human"] == ["how much at Joe's?"]


async def test_an_event_sent_five_times_at_once_makes_one_run(
    linked: Any, program: Any, sender: str, until: Any
) -> None:
    """One run, one reply."""
    service = await linked()
    await asyncio.gather(*(program.say(service.outside, "hello", sender, "evt-1" + sender) for _ in range(5)))
    await until(lambda: program.replies)
    await program.say(service.outside, "hello", sender, "evt-1" + sender)
    await program.say(service.outside, "again", sender)
    await until(lambda: program.replies, 2)
    assert len(service.model.requests) == 2
    assert len(await service.outbox(kind="reply")) == 2


async def test_a_proposal_is_confirmed_by_code_once(
    linked: Any, program: Any, sender: str, until: Any, database: Database
) -> None:
    """“yes K7” applies it, however often that is sent; the chat and the app's own page see it applied."""
    service = await linked(PROPOSES)
    await program.say(service.outside, "set dining to 250", sender)
    await until(lambda: program.replies)
    (proposal,) = program.replies[0]["proposals"]
    assert proposal["status"] == "pending"
    assert await budget(database, service.user) == []
    for _ in range(3):
        await program.say(service.outside, f"yes {proposal['code'].lower()}", sender, f"yes-{sender}")
    await until(lambda: program.replies, 2)
    assert program.replies[1]["text"].startswith("**Applied:**")
    assert await budget(database, service.user) == [25000]
    assert len((await service.client.get("/v1/journal")).json()["items"]) == 1


async def test_a_repeated_yes_does_not_confirm_the_next_proposal(
    linked: Any, program: Any, sender: str, until: Any
) -> None:
    """A bare “yes” that the app sends again after another proposal came up changes nothing."""
    turns = [*PROPOSES, {"tool_calls": [{"name": "set_budget", "args": {"category": "Dining", "amount": "90"}}]}]
    service = await linked([*turns, {"text": "{summary}"}])
    await program.say(service.outside, "set dining to 250", sender)
    await until(lambda: program.replies)
    await program.say(service.outside, "yes", sender, f"yes-{sender}")
    await until(lambda: program.replies, 2)
    await program.say(service.outside, "set dining to 90", sender)
    await until(lambda: program.replies, 3)
    await program.say(service.outside, "yes", sender, f"yes-{sender}")
    pending = (await service.client.get("/v1/proposals", params={"status": "pending"})).json()["items"]
    assert [p["text"] for p in pending] == [program.replies[2]["proposals"][0]["text"]]


async def test_a_proposal_decided_elsewhere_shows_as_decided_in_the_chat(
    linked: Any, program: Any, sender: str, until: Any
) -> None:
    """Rejected by HTTP: the chat that showed it is told; its code is then refused with the reason."""
    service = await linked(PROPOSES)
    await program.say(service.outside, "set dining to 250", sender)
    await until(lambda: program.replies)
    (proposal,) = program.replies[0]["proposals"]
    assert (await service.client.post(f"/v1/proposals/{proposal['id']}/reject")).status_code == 200
    await until(lambda: program.replies, 2)
    assert program.replies[1]["text"].startswith("**Rejected:**")
    await program.say(service.outside, f"yes {proposal['code']}", sender)
    await until(lambda: program.replies, 3)
    assert "rejected" in program.replies[2]["text"]


async def test_a_program_decides_by_hash(
    linked: Any, program: Any, sender: str, until: Any, database: Database
) -> None:
    """`proposal.decided` with another hash is refused; with the right one it applies."""
    service = await linked(PROPOSES)
    await program.say(service.outside, "set dining to 250", sender)
    await until(lambda: program.replies)
    (proposal,) = program.replies[0]["proposals"]
    decision = {"from": sender, "proposal_id": proposal["id"], "decision": "confirm"}
    wrong = decision | {"id": uuid4().hex, "hash": "0" * 64}
    assert (await program.post(service.outside, wrong, "proposal.decided")).status_code == 200
    await until(lambda: program.replies, 2)
    assert "not the change that was shown" in program.replies[1]["text"]
    assert await budget(database, service.user) == []
    right = decision | {"id": uuid4().hex, "hash": proposal["hash"]}
    assert (await program.post(service.outside, right, "proposal.decided")).status_code == 200
    await until(lambda: program.replies, 3)
    assert await budget(database, service.user) == [25000]


async def test_unlinking_ends_it(linked: Any, program: Any, sender: str, until: Any) -> None:
    """After `unlink` the sender is a stranger again."""
    service = await linked()
    await program.say(service.outside, "unlink", sender)
    await until(lambda: program.replies)
    await program.say(service.outside, "hello", sender)
    await until(lambda: program.replies, 2)
    assert "link CODE" in program.replies[1]["text"]
    assert service.model.requests == []
    assert (await service.client.get("/v1/links")).json()["items"] == []


async def test_a_message_unasked_is_an_event_of_its_own(
    serve: Any, standard: Any, program: Any, sender: str, until: Any
) -> None:
    """It says its kind and the words that end it, which do so when they are sent."""
    service = await serve({"standard": standard()})
    await program.say(service.outside, await service.link_text("standard"), sender)
    await until(lambda: program.replies)
    await service.notify("standard")
    _, told = await until(lambda: program.replies, 2)
    assert (told["kind"], told["off"], told["to"]) == ("weekly", "stop weekly", sender)
    await program.say(service.outside, told["off"], sender)
    await until(lambda: program.replies, 3)
    assert (await service.preferences()).notices == frozenset()
