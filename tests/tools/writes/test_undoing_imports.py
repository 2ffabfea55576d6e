"""Taking an import back, as a set, and applying it again."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

import pytest

from ledger.imports.run import Report, import_file
from tools import proposals
from tools.drafts.undo import NotUndoable

if TYPE_CHECKING:
    from conftest import Penny

FILE = b"Date,Payee,Amount\n2026-11-20,Shell,-40.00\n2026-11-19,Cafe,-3.50\n2026-11-19,Cafe,-3.50\n"


async def bring(penny: Penny, data: bytes = FILE) -> Report:
    return await import_file(penny.db, penny.user, data, account="Checking", source="/tmp/bank.csv")  # noqa: S108


async def undo(penny: Penny, journal_id: UUID | None = None) -> proposals.Applied:
    return await proposals.undo_now(penny.db, penny.user, journal_id, approval="test")


async def test_an_import_is_undone_and_applied_again(penny: Penny) -> None:
    """Its transactions go and come back with their ids, numbers and categories, and nothing else changes."""
    before = await penny.values()
    await bring(penny)
    imported = await penny.values()
    assert len(imported["txn"]) == len(before["txn"]) + 3
    undone = await undo(penny)
    assert undone.proposal["text"] == "Undo “Import 3 transactions from bank.csv into Checking”."
    assert undone.proposal["diff"] == [
        {"what": "Import of bank.csv into Checking", "field": "transactions", "before": "3", "after": None}
    ]
    assert await penny.values() == before
    again = await undo(penny, undone.journal_id)
    assert await penny.values() == imported
    await undo(penny, again.journal_id)
    assert await penny.values() == before


async def test_after_an_undo_the_file_comes_in_anew(penny: Penny) -> None:
    """What was taken back is not taken for there already."""
    await bring(penny)
    undone = await undo(penny)
    assert (await bring(penny)).added == 3
    with pytest.raises(NotUndoable, match="imported again since"):
        await undo(penny, undone.journal_id)


async def test_an_import_under_later_changes_is_not_undone(penny: Penny) -> None:
    """While a transaction of it is changed the undo is refused and nothing is written; after that change's undo it
    works, though the row's version has risen."""
    before = await penny.values()
    report = await bring(penny)
    async with penny.db.read(penny.user) as tx:
        number = await tx.pg.fetchval("SELECT max(no) FROM txn WHERE merchant = 'Cafe'")
    proposal = await penny.propose("categorize_transaction", transaction=number, category="travel")
    changed = await proposals.confirm(penny.db, penny.user, UUID(proposal["id"]), proposal["hash"])
    there = await penny.rows()
    with pytest.raises(NotUndoable, match="changed, deleted or imported again since"):
        await undo(penny, report.journal_id)
    assert await penny.rows() == there
    await undo(penny, changed.journal_id)
    await undo(penny, report.journal_id)
    assert await penny.values() == before


async def test_a_proposed_undo_of_an_import_waits_for_nobody(penny: Penny) -> None:
    """When a transaction of it changes between the proposal and the confirmation, the confirmation is refused."""
    await bring(penny)
    proposal = await penny.propose("undo_change")
    async with penny.db.transaction(penny.user) as tx:
        await tx.pg.execute("UPDATE txn SET memo = 'mine', version = version + 1 WHERE merchant = 'Shell' AND no > 7")
    there = await penny.rows("txn")
    with pytest.raises(proposals.ProposalStale):
        await proposals.confirm(penny.db, penny.user, UUID(proposal["id"]), proposal["hash"])
    assert await penny.rows("txn") == there
