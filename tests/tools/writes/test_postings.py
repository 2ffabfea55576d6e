"""Editing, splitting, deleting, transferring and refunding."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from domain.errors import PennyError
from domain.periods import DateRange
from ledger import budgets, rates, reports
from ledger.budgets import Month
from tools import proposals
from tools.drafts.undo import NotUndoable
from tools.writes.splits import SplitArgs, parts

if TYPE_CHECKING:
    from conftest import Penny

NOVEMBER = DateRange(date(2026, 11, 1), date(2026, 11, 30))


async def apply(penny: Penny, name: str, /, **args: Any) -> UUID:
    proposal = await penny.propose(name, **args)
    return (await proposals.confirm(penny.db, penny.user, UUID(proposal["id"]), proposal["hash"])).journal_id


async def spent(penny: Penny) -> dict[str, int]:
    async with penny.db.read(penny.user) as tx:
        report = await reports.spending(tx, NOVEMBER, "category", "USD")
    return {line.label: line.amount.minor for line in report.lines}


@pytest.mark.parametrize(
    ("said", "merchant"),
    [
        ("2", "Trader Joe's #123"),
        ("#2", "Trader Joe's #123"),
        ("the last one", "Luigi's"),
        ("latest", "Luigi's"),
        ("the last Shell one", "Shell"),
        ("trader joes", "Trader Joe's #88"),
        ("my last purchase at Apple TV", "Apple TV"),
    ],
)
async def test_a_transaction_is_found_as_people_name_it(penny: Penny, said: str, merchant: str) -> None:
    """A number, "the last one", and a merchant for the latest one there."""
    assert f"({merchant}," in (await penny.call("delete_transaction", transaction=said)).summary


async def test_an_edit_says_what_changes_and_the_diff_shows_it(penny: Penny) -> None:
    """Each changed field is in the sentence and in the diff, and nothing else is."""
    args = {"amount": "30.50", "date": "yesterday", "tags": "#Work, lunch"}
    result = await penny.call("edit_transaction", transaction=6, **args)
    assert result.summary == (
        "I can change transaction 6 (Luigi's, Nov 14, 2026, $35.00): amount to $30.50, date to Nov 21, 2026, "
        "tags to “lunch work”. Confirm to apply."
    )
    assert result.proposal is not None
    assert [entry["field"] for entry in result.proposal["diff"]] == ["amount", "date", "tags"]


async def test_a_split_counts_in_each_category_and_changes_no_total(penny: Penny) -> None:
    """Reports and budgets see the parts; the account and the sum of spending are as they were."""
    before = await spent(penny)
    result = await penny.call("split_transaction", transaction=2, parts="groceries 50; dining 12.15 and gifts the rest")
    assert "into Groceries $50.00, Dining $12.15 and Gifts $20.00." in result.summary
    await apply(penny, "split_transaction", transaction=2, parts="groceries 50; dining 12.15 and gifts the rest")
    after = await spent(penny)
    assert sum(after.values()) == sum(before.values())
    assert after["Groceries"] == before["Groceries"] - 32_15
    assert (after["Dining"], after["Gifts"]) == (12_15, before["Gifts"] + 20_00)
    async with penny.db.read(penny.user) as tx:
        status = await budgets.status(tx, Month(2026, 11), "USD")
    assert {line.category: line.spent.minor for line in status.lines}["Dining"] == 12_15
    rows = [row for row in (await penny.rows("txn"))["txn"] if row["merchant"] == "Trader Joe's #123"]
    assert sorted((row["no"], row["amount_minor"], row["split_of"] is None) for row in rows) == [
        (2, -50_00, True), (8, -12_15, False), (9, -20_00, False)
    ]  # fmt: skip


async def test_a_split_is_split_anew_and_made_one_again(penny: Penny) -> None:
    """Any part names the whole; one part with all of it is the purchase as it was."""
    before = await penny.values()
    await apply(penny, "split_transaction", transaction=2, parts="groceries 50; dining 32.15")
    await apply(penny, "split_transaction", transaction=8, parts="gifts 80; dining 2.15")
    assert (
        "make transaction 2" in (await penny.call("split_transaction", transaction=2, parts="groceries rest")).summary
    )
    await apply(penny, "split_transaction", transaction=2, parts="groceries the rest")
    assert await penny.values() == before


async def test_the_day_of_a_split_is_one(penny: Penny) -> None:
    """A new date goes to all parts, a new category to the part that was named."""
    await apply(penny, "split_transaction", transaction=2, parts="groceries 50; dining 32.15")
    await apply(penny, "edit_transaction", transaction=8, date="2026-11-05", category="gifts")
    rows = {row["no"]: row for row in (await penny.rows("txn"))["txn"]}
    assert rows[2]["day"] == rows[8]["day"] == date(2026, 11, 5)
    assert rows[2]["category_id"] != rows[8]["category_id"]


async def test_a_transfer_is_no_spending(penny: Penny) -> None:
    """Both ends are recorded, spending and income stay, and one end is not edited or deleted alone."""
    before = await spent(penny)
    await apply(penny, "transfer_between_accounts", from_account="checking", to_account="card", amount=500)
    assert await spent(penny) == before
    rows = [row for row in (await penny.rows("txn"))["txn"] if row["transfer_id"]]
    assert sorted(row["amount_minor"] for row in rows) == [-500_00, 500_00]
    await apply(penny, "edit_transaction", transaction=8, amount=450, date="2026-11-20")
    rows = [row for row in (await penny.rows("txn"))["txn"] if row["transfer_id"]]
    assert sorted((row["amount_minor"], row["day"].day) for row in rows) == [(-450_00, 20), (450_00, 20)]
    await apply(penny, "delete_transaction", transaction=9)
    assert not [row for row in (await penny.rows("txn"))["txn"] if row["transfer_id"]]


async def test_a_transfer_between_currencies_goes_by_the_rate(penny: Penny) -> None:
    """Both amounts are exact; the rate and its day are in the sentence, in the diff and among the facts; an edit of one
    end's amount leaves the other's."""
    before = await spent(penny)
    async with penny.db.transaction(penny.user) as tx:
        await rates.enter(tx, [rates.Rate.of("EUR", "USD", date(2026, 11, 1), "1.25")])
    args = {"from_account": "checking", "to_account": "euro", "amount": "100.01"}
    result = await penny.call("transfer_between_accounts", **args)
    assert result.summary == (
        "I can record a transfer of $100.01 from Checking to Euro Cash, where €80.01 arrives "
        "(1 USD = 0.8 EUR, the rate of Nov 1, 2026), on Nov 22, 2026. Confirm to apply."
    )
    assert result.proposal is not None
    memos = [entry["after"] for entry in result.proposal["diff"] if entry["field"] == "memo"]
    assert memos == ["1 USD = 0.8 EUR, rate of 2026-11-01"] * 2
    amounts = [entry["after"] for entry in result.proposal["diff"] if entry["field"] == "amount"]
    assert amounts == [{"minor": -100_01, "currency": "USD"}, {"minor": 80_01, "currency": "EUR"}]
    facts = {fact.label: fact.value for fact in result.facts}
    assert facts["USD to EUR rate"] == Decimal("0.8")
    assert facts["day of the USD to EUR rate"] == date(2026, 11, 1)
    await apply(penny, "transfer_between_accounts", **args)
    assert await spent(penny) == before
    changed = await penny.call("edit_transaction", transaction=9, amount=79)
    assert "The other end stays $100.01" in changed.summary
    await apply(penny, "edit_transaction", transaction=9, amount=79)
    rows = [row for row in (await penny.rows("txn"))["txn"] if row["transfer_id"]]
    assert sorted((row["currency"], row["amount_minor"]) for row in rows) == [("EUR", 79_00), ("USD", -100_01)]


async def test_what_arrived_stands_for_a_rate(penny: Penny) -> None:
    """Without a rate the amount that arrived is asked for; with it the rate follows from both amounts."""
    args = {"from_account": "checking", "to_account": "euro", "amount": 100}
    with pytest.raises(rates.MissingRate, match=r"no USD to EUR rate .*or say how much arrived in EUR\.") as missing:
        await penny.call("transfer_between_accounts", **args)
    assert missing.value.details["quote"] == "EUR"
    summary = (await penny.call("transfer_between_accounts", **args, arrived="91.50")).summary
    assert "where €91.50 arrives (1 USD = 0.915 EUR, by the two amounts)" in summary
    with pytest.raises(PennyError, match="the same currency"):
        await penny.call(
            "transfer_between_accounts", from_account="checking", to_account="card", amount=100, arrived=90
        )


async def test_a_refund_takes_off_the_spending(penny: Penny) -> None:
    """Money back is in the purchase's category and on its account, at most what was paid."""
    before = await spent(penny)
    await apply(penny, "record_refund", transaction=2, amount="20")
    assert (await spent(penny))["Groceries"] == before["Groceries"] - 20_00
    assert "a refund of $62.15 for transaction 2" in (await penny.call("record_refund", transaction=2)).summary
    with pytest.raises(PennyError, match=r"\$62\.15 of it can still come back, not \$70\.00"):
        await penny.call("record_refund", transaction=2, amount=70)
    with pytest.raises(PennyError, match="There is a refund of it, transaction 8"):
        await penny.call("delete_transaction", transaction=2)


@pytest.mark.parametrize(
    ("name", "args", "answer"),
    [
        ("split_transaction", {"transaction": 2, "parts": "groceries 50; dining 30"}, r"\$2.15 is missing"),
        ("split_transaction", {"transaction": 2, "parts": "groceries 50; dining 40"}, r"\$7.85 too much"),
        ("split_transaction", {"transaction": 2, "parts": "groceries 90; dining rest"}, "nothing is left over"),
        ("split_transaction", {"transaction": 2, "parts": "groceries 82.15"}, "at least two parts"),
        ("split_transaction", {"transaction": 2, "parts": "groceries, dining"}, "with its amount"),
        ("split_transaction", {"transaction": 2, "parts": "groceries rest; dining rest"}, "Only one part"),
        ("split_transaction", {"transaction": 2, "parts": "groceries 80.001; dining rest"}, "more decimals"),
        (
            "transfer_between_accounts",
            {"from_account": "card", "to_account": "euro", "amount": 5},
            "USD to EUR rate",
        ),
        ("transfer_between_accounts", {"from_account": "card", "to_account": "card", "amount": 5}, "Both mean Card"),
        ("record_refund", {"transaction": 1}, "has no category"),
        ("record_refund", {"transaction": 7}, "is no purchase"),
        ("edit_transaction", {"transaction": 1}, "What should be different"),
        ("edit_transaction", {"transaction": 1, "account": "euro cash"}, "is kept in EUR"),
        ("delete_transaction", {"transaction": "99"}, "no transaction 99"),
        ("delete_transaction", {"transaction": "ikea"}, "no transactions at"),
        ("create_category", {"name": "DINING"}, "already"),
        ("create_category", {"name": "uncategorized"}, "name of its own"),
    ],
)
async def test_what_cannot_be_done_is_said(penny: Penny, name: str, args: dict[str, Any], answer: str) -> None:
    """The sentence says what stands in the way, and no proposal is stored."""
    with pytest.raises(PennyError, match=answer):
        await penny.call(name, **args)
    assert (await penny.rows("proposal"))["proposal"] == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Groceries 60; Gifts 12.50", [("Groceries", "60"), ("Gifts", "12.50")]),
        ("60 for groceries and the rest on gifts", [("groceries", "60"), ("gifts", "None")]),
        ("groceries: $1,200.50, fees and charges = 3", [("groceries", "1200.50"), ("fees and charges", "3")]),
        ([{"category": "Dining", "amount": 5}, {"category": "Gifts"}], [("Dining", "5"), ("Gifts", "None")]),
    ],
)
def test_parts_are_read_as_people_and_models_write_them(text: Any, found: list[tuple[str, str]]) -> None:
    """In either order, with signs and separators, as a list of objects."""
    args = SplitArgs.model_validate({"transaction": 1, "parts": text})
    assert [(category, str(amount)) for category, amount in parts(args.parts)] == found


async def test_columns_that_nobody_touched_are_undone_out_of_order(penny: Penny) -> None:
    """An earlier edit of the date goes back while a later one of the note stays."""
    first = await apply(penny, "edit_transaction", transaction=6, date="2026-11-15")
    await apply(penny, "edit_transaction", transaction=6, note="with Ada")
    await proposals.undo_now(penny.db, penny.user, first, approval="test")
    (row,) = [row for row in (await penny.rows("txn"))["txn"] if row["no"] == 6]
    assert (row["day"], row["note"]) == (date(2026, 11, 14), "with Ada")


async def test_what_others_use_is_not_undone(penny: Penny) -> None:
    """A category with transactions, and a date that a later split has copied, stay; the answer says why."""
    made = await apply(penny, "create_category", name="Pets", group="Home")
    await apply(penny, "categorize_transaction", transaction="the last one", category="pets")
    with pytest.raises(NotUndoable, match="1 transaction would be lost"):
        await proposals.undo_now(penny.db, penny.user, made, approval="test")
    moved = await apply(penny, "edit_transaction", transaction=2, date="2026-11-04")
    await apply(penny, "split_transaction", transaction=2, parts="groceries 50; dining 32.15")
    with pytest.raises(NotUndoable, match="Undo that one first"):
        await proposals.undo_now(penny.db, penny.user, moved, approval="test")
