"""Taking changes back, and applying them again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from domain.errors import NotFound
from tools import proposals
from tools.drafts.undo import NotUndoable

if TYPE_CHECKING:
    from conftest import Penny

CALLS: list[tuple[str, dict[str, Any]]] = [
    ("set_budget", {"category": "dining", "amount": 250}),
    ("set_budget", {"category": "gifts", "amount": "40.50", "month": "next month"}),
    ("move_money", {"from_category": "travel", "to_category": "groceries", "amount": 100}),
    ("move_money", {"from_category": "travel", "to_category": "gifts", "amount": 150}),
    ("add_transaction", {"amount": 18, "merchant": "Luigi's", "memo": "lunch"}),
    ("categorize_transaction", {"transaction": 1, "category": "travel"}),
    ("categorize_transaction", {"merchant": "trader joe's", "category": "dining", "remember_as_rule": True}),
    ("categorize_transaction", {"merchant": "shell", "category": "travel", "remember_as_rule": True}),
]


async def apply(penny: Penny, name: str, **args: Any) -> UUID:
    proposal = await penny.propose(name, **args)
    return (await proposals.confirm(penny.db, penny.user, UUID(proposal["id"]), proposal["hash"])).journal_id


async def undo(penny: Penny, journal_id: UUID | None = None) -> proposals.Applied:
    return await proposals.undo_now(penny.db, penny.user, journal_id, approval="test")


@pytest.mark.parametrize(("name", "args"), CALLS)
async def test_undo_after_apply_is_identity(penny: Penny, name: str, args: dict[str, Any]) -> None:
    """Every kind of change, undone, leaves the ledger's values as they were; undone again, as the change made them."""
    before = await penny.values()
    journal_id = await apply(penny, name, **args)
    changed = await penny.values()
    assert changed != before
    undone = await undo(penny, journal_id)
    assert await penny.values() == before
    await undo(penny, undone.journal_id)
    assert await penny.values() == changed


async def test_all_changes_undone_in_turn_leave_the_ledger_as_it_was(penny: Penny) -> None:
    """ "Undo" without saying what goes back through the changes, the last one first, until there is none."""
    before = await penny.values()
    for name, args in CALLS:
        await apply(penny, name, **args)
    for _ in CALLS:
        await undo(penny)
    assert await penny.values() == before
    with pytest.raises(NotFound, match="no change to undo"):
        await undo(penny)


async def test_a_change_is_undone_once(penny: Penny) -> None:
    """The second time it is refused with what it was, and nothing is written."""
    journal_id = await apply(penny, "set_budget", category="dining", amount=250)
    await undo(penny, journal_id)
    after = await penny.rows()
    with pytest.raises(NotUndoable, match="was undone before"):
        await undo(penny, journal_id)
    assert await penny.rows() == after


async def test_a_change_under_a_later_one_is_not_undone(penny: Penny) -> None:
    """Out of order the undo is refused and names the change that stands in the way; after that one it works."""
    first = await apply(penny, "set_budget", category="dining", amount=250)
    second = await apply(penny, "set_budget", category="dining", amount=240)
    with pytest.raises(NotUndoable, match=r"from \$250\.00 to \$240\.00.*Undo that one first"):
        await undo(penny, first)
    await undo(penny, second)
    await undo(penny, first)


async def test_an_unrelated_later_change_is_no_obstacle(penny: Penny) -> None:
    """Changes of other rows in between do not matter."""
    before = await penny.values()
    first = await apply(penny, "set_budget", category="dining", amount=250)
    second = await apply(penny, "set_budget", category="travel", amount=240)
    await undo(penny, first)
    await undo(penny, second)
    assert await penny.values() == before


async def test_after_applying_again_the_last_change_is_that_one(penny: Penny) -> None:
    """Undo, undo of the undo, undo: the third takes back the same change, not an older one."""
    await apply(penny, "set_budget", category="travel", amount=240)
    before = await penny.values()
    await apply(penny, "set_budget", category="dining", amount=250)
    undone = await undo(penny)
    again = await undo(penny, undone.journal_id)
    assert again.proposal["text"].startswith("Apply again “Set the Dining budget")
    await undo(penny)
    assert await penny.values() == before


async def test_undo_from_chat_is_a_proposal(penny: Penny) -> None:
    """The tool writes nothing; its proposal shows the reversal, and confirmed it is journalled as the undoing."""
    journal_id = await apply(penny, "set_budget", category="dining", amount=250)
    before = await penny.rows()
    result = await penny.call("undo_change")
    assert result.proposal is not None
    assert result.summary == (
        "I can undo “Set the Dining budget for November 2026 onwards from $300.00 to $250.00”. Confirm to apply."
    )
    assert [entry["after"] for entry in result.proposal["diff"]] == [{"minor": 300_00, "currency": "USD"}]
    assert await penny.rows() == before
    await proposals.confirm(penny.db, penny.user, UUID(result.proposal["id"]), result.proposal["hash"])
    newest = max((await penny.rows("journal"))["journal"], key=lambda row: row["at"])
    assert (newest["kind"], newest["undoes"]) == ("undo", journal_id)


async def test_an_undo_that_waited_too_long_is_stale(penny: Penny) -> None:
    """A proposed undo of what was undone meanwhile is refused, and there is no other to confirm."""
    await apply(penny, "set_budget", category="dining", amount=250)
    waiting = await penny.propose("undo_change")
    await undo(penny)
    with pytest.raises(proposals.ProposalStale, match="was undone before"):
        await proposals.confirm(penny.db, penny.user, UUID(waiting["id"]), waiting["hash"])


async def test_undo_names_the_change_by_its_id(penny: Penny) -> None:
    """An id goes to that change; anything else is explained, and an unknown id is not found."""
    first = await apply(penny, "set_budget", category="travel", amount=240)
    await apply(penny, "set_budget", category="dining", amount=250)
    assert "Travel" in (await penny.call("undo_change", change=str(first))).summary
    assert "Dining" in (await penny.call("undo_change", change="the last one")).summary
    with pytest.raises(NotFound):
        await penny.call("undo_change", change="01890000-0000-7000-8000-000000000000")
