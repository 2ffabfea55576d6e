"""What becomes of a proposal: applied once, rejected, expired, stale."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from datetime import date
from typing import TYPE_CHECKING
from uuid import UUID

import pytest

from domain.errors import NotFound
from tools import proposals
from tools.proposals import Applied, HashMismatch, ProposalDecided, ProposalExpired, ProposalStale

if TYPE_CHECKING:
    from conftest import Penny

NOVEMBER = date(2026, 11, 1)


async def confirm(penny: Penny, proposal: dict[str, str], hash_: str | None = None) -> Applied:
    return await proposals.confirm(
        penny.db, penny.user, UUID(proposal["id"]), hash_ or proposal["hash"], approval="test"
    )


async def status(penny: Penny, proposal: dict[str, str]) -> str:
    found: str = (await proposals.get(penny.db, penny.user, UUID(proposal["id"])))["status"]
    return found


async def test_confirming_writes_what_the_diff_says(penny: Penny) -> None:
    """A confirmed proposal changes the budget to the diff's `after` and shows as applied."""
    proposal = await penny.propose("set_budget", category="dining", amount=250)
    assert proposal["diff"] == [
        {
            "what": "Dining budget, November 2026",
            "field": "amount",
            "before": {"minor": 300_00, "currency": "USD"},
            "after": {"minor": 250_00, "currency": "USD"},
        }
    ]
    applied = await confirm(penny, proposal)
    assert await penny.budget("Dining", NOVEMBER) == 250_00
    assert applied.proposal["status"] == await status(penny, proposal) == "applied"
    assert applied.proposal["journal_id"] == str(applied.journal_id)


async def test_nothing_is_written_before_the_confirmation(penny: Penny) -> None:
    """After every write tool has made its proposal, and some were rejected, no row of the ledger or journal differs."""
    before = await penny.rows()
    made = [
        await penny.propose("set_budget", category="dining", amount=250),
        await penny.propose("move_money", from_category="travel", to_category="gifts", amount=50),
        await penny.propose("add_transaction", amount="12.50", merchant="Luigi's"),
        await penny.propose("categorize_transaction", merchant="luigi's", category="dining", remember_as_rule=True),
    ]
    await proposals.reject(penny.db, penny.user, UUID(made[0]["id"]))
    assert await penny.rows() == before


async def test_ten_confirmations_at_once_are_one_write(penny: Penny) -> None:
    """All ten get the same answer, and there is one journal entry and one change of the row; five times, with another
    hash among them."""
    before = await penny.rows("txn", "journal")
    entries = set()
    for n in range(5):
        proposal = await penny.propose("add_transaction", amount=18 + n, merchant="Luigi's")
        tries = [confirm(penny, proposal, None if at != n else "0" * 64) for at in range(11)]
        answers = await asyncio.gather(*tries, return_exceptions=True)
        assert isinstance(answers.pop(n), HashMismatch)
        (entry,) = {answer.journal_id for answer in answers if isinstance(answer, Applied)}
        assert len(answers) == 10
        entries.add(entry)
    rows = await penny.rows("txn", "journal")
    assert {row["id"] for row in rows["journal"]} - {row["id"] for row in before["journal"]} == entries
    assert len(entries) == 5
    assert len(rows["txn"]) == len(before["txn"]) + 5


async def test_another_hash_is_refused(penny: Penny) -> None:
    """A decision on something else than what is stored writes nothing, before and after it was applied."""
    proposal = await penny.propose("set_budget", category="dining", amount=250)
    with pytest.raises(HashMismatch):
        await confirm(penny, proposal, "0" * 64)
    assert await status(penny, proposal) == "pending"
    await confirm(penny, proposal)
    with pytest.raises(HashMismatch):
        await confirm(penny, proposal, "é")


async def test_hashes_differ_between_equal_changes(penny: Penny) -> None:
    """Two proposals of the same change have hashes of their own."""
    first, second = [await penny.propose("set_budget", category="dining", amount=250) for _ in range(2)]
    assert first["id"] != second["id"]
    assert first["hash"] != second["hash"]


async def test_an_expired_proposal_is_refused(penny: Penny, expire: Callable[[str], Awaitable[None]]) -> None:
    """Past its time a proposal shows as expired at once, also in lists, and confirming it writes nothing."""
    proposal = await penny.propose("set_budget", category="dining", amount=250)
    before = await penny.rows()
    await expire(proposal["id"])
    listed, _ = await proposals.list_proposals(penny.db, penny.user, "expired")
    assert [item["id"] for item in listed] == [proposal["id"]]
    assert await proposals.list_proposals(penny.db, penny.user, "pending") == ([], None)
    with pytest.raises(ProposalExpired):
        await confirm(penny, proposal)
    assert (await penny.rows("proposal"))["proposal"][0]["status"] == "expired"
    assert await penny.rows() == before
    assert (await proposals.reject(penny.db, penny.user, UUID(proposal["id"])))["status"] == "expired"


async def test_a_rejected_proposal_stays_rejected(penny: Penny) -> None:
    """Rejecting twice gives the same answer, and confirming afterwards is refused."""
    proposal = await penny.propose("set_budget", category="dining", amount=250)
    first, second = [await proposals.reject(penny.db, penny.user, UUID(proposal["id"])) for _ in range(2)]
    assert first == second
    assert first["status"] == "rejected"
    with pytest.raises(ProposalDecided):
        await confirm(penny, proposal)


async def test_an_applied_proposal_cannot_be_rejected(penny: Penny) -> None:
    """What was applied is undone, not rejected."""
    proposal = await penny.propose("set_budget", category="dining", amount=250)
    await confirm(penny, proposal)
    with pytest.raises(ProposalDecided, match="undo"):
        await proposals.reject(penny.db, penny.user, UUID(proposal["id"]))


async def test_a_stale_proposal_is_replaced_by_a_fresh_one(penny: Penny) -> None:
    """When the row has changed, nothing is written and the error carries a proposal that starts from the row as it is;
    everyone who confirms the old one is given that same one."""
    old = await penny.propose("set_budget", category="dining", amount=250)
    await confirm(penny, await penny.propose("set_budget", category="dining", amount=280))
    refusals = await asyncio.gather(*(confirm(penny, old) for _ in range(3)), return_exceptions=True)
    fresh = [refusal.details["proposal"] for refusal in refusals if isinstance(refusal, ProposalStale)]
    assert len(fresh) == 3
    assert fresh[0] == fresh[1] == fresh[2]
    assert fresh[0]["diff"][0]["before"] == {"minor": 280_00, "currency": "USD"}
    assert fresh[0]["diff"][0]["after"] == {"minor": 250_00, "currency": "USD"}
    assert await penny.budget("Dining", NOVEMBER) == 280_00
    assert await status(penny, old) == "superseded"
    await confirm(penny, fresh[0])
    assert await penny.budget("Dining", NOVEMBER) == 250_00


async def test_a_stale_proposal_that_makes_no_sense_any_more_has_no_successor(penny: Penny) -> None:
    """Money that has gone from the source meanwhile is not proposed again; the error says how much there is."""
    old = await penny.propose("move_money", from_category="travel", to_category="dining", amount=200)
    await confirm(penny, await penny.propose("set_budget", category="travel", amount=100))
    with pytest.raises(ProposalStale, match=r"only \$100\.00") as refused:
        await confirm(penny, old)
    assert "proposal" not in refused.value.details
    assert await status(penny, old) == "superseded"
    with pytest.raises(ProposalDecided):
        await confirm(penny, old)


async def test_crossing_moves_at_once_keep_the_total(penny: Penny) -> None:
    """Moves in opposite directions confirmed together neither deadlock nor lose a cent; the later one is stale."""
    there = await penny.propose("move_money", from_category="travel", to_category="dining", amount=30)
    back = await penny.propose("move_money", from_category="dining", to_category="travel", amount=20)
    done = await asyncio.gather(confirm(penny, there), confirm(penny, back), return_exceptions=True)
    assert sorted(type(outcome).__name__ for outcome in done) == ["Applied", "ProposalStale"]
    budgets = [await penny.budget(name, NOVEMBER) for name in ("Travel", "Dining")]
    assert sum(b for b in budgets if b is not None) == 550_00


async def test_another_user_finds_nothing(penny: Penny) -> None:
    """To anybody else the proposal does not exist, whatever they try."""
    proposal = await penny.propose("set_budget", category="dining", amount=250)
    stranger, id_ = await penny.db.resolve_user("test", "", uuid.uuid4().hex), UUID(proposal["id"])
    for attempt in (
        proposals.get(penny.db, stranger, id_),
        proposals.confirm(penny.db, stranger, id_, proposal["hash"]),
        proposals.reject(penny.db, stranger, id_),
    ):
        with pytest.raises(NotFound):
            await attempt
    assert await proposals.list_proposals(penny.db, stranger) == ([], None)
    assert await status(penny, proposal) == "pending"


async def test_decisions_are_turns_of_the_session(penny: Penny, run_id: UUID) -> None:
    """Applied and rejected proposals each add a turn that says so; the journal names run, message and prompt."""
    penny = penny.at(run_id=run_id)
    yes = await penny.propose("set_budget", category="dining", amount=250)
    no = await penny.propose("set_budget", category="travel", amount=1)
    applied = await confirm(penny, yes)
    await confirm(penny, yes)
    await proposals.reject(penny.db, penny.user, UUID(no["id"]))
    rows = await penny.rows("message", "journal")
    turns = sorted(rows["message"], key=lambda row: row["turn"])
    assert [(row["turn"], row["role"]) for row in turns] == [(1, "user"), (2, "decision"), (3, "decision")]
    journal = {"proposal_id": yes["id"], "status": "applied", "journal_id": str(applied.journal_id)}
    assert [row["body"] for row in turns[1:]] == [journal, {"proposal_id": no["id"], "status": "rejected"}]
    (entry,) = rows["journal"]
    assert (entry["run_id"], entry["message_id"], entry["prompt_version"]) == (run_id, turns[0]["id"], "penny-1")
    assert (entry["approval"], entry["proposal_id"]) == ("test", UUID(yes["id"]))


async def test_lists_come_in_pages_newest_first(penny: Penny) -> None:
    """Pages of two give all five proposals once, in order."""
    made = [(await penny.propose("set_budget", category="dining", amount=n))["id"] for n in range(1, 6)]
    seen, cursor = [], None
    while True:
        items, cursor = await proposals.list_proposals(penny.db, penny.user, limit=2, cursor=cursor)
        seen += [item["id"] for item in items]
        if cursor is None:
            break
    assert seen == made[::-1]
