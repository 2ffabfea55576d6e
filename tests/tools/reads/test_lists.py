"""list_transactions, find_recurring, list_accounts, get_change_history against the household's own truth."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from domain.money import Money
from ledger import accounts, categories, journal, rates, setup, transactions
from ledger.changes import apply, inserted, inverse
from ledger.household import Household
from ledger.rows import new_key
from ledger.transactions import NewTxn
from tools import catalog
from tools.result import ToolResult
from tools.tool import ToolContext

Call = Callable[..., Awaitable[ToolResult]]


@pytest.mark.parametrize(
    ("said", "merchant"), [("target", "Target"), ("trader joes", "Trader Joe's"), ("starbuks", "Starbucks")]
)
async def test_a_merchants_transactions_are_counted_and_summed(
    call: Call, home: Household, said: str, merchant: str
) -> None:
    """Near-miss names find the merchant; count and total are those of all that match, shown or not."""
    result = await call("list_transactions", merchant=said, period="this year", limit=3)
    txns = [t for t in home.transactions if t.merchant == merchant and t.day >= date(2026, 1, 1)]
    total = Money(-sum(t.amount.minor for t in txns), "USD").format()
    assert result.summary.startswith(
        f"You have {len(txns)} transactions at {merchant} in 2026 so far, {total} spent in all. The latest 3:\n\n"
    )
    assert [row["no"] for row in result.rows] == [t.no for t in reversed(txns)][:3]


async def test_the_last_five_are_the_last_five(call: Call, home: Household) -> None:
    """Without a filter it is the newest of all, with their numbers."""
    result = await call("list_transactions", limit=5)
    newest = sorted(home.transactions, key=lambda t: (t.day, t.no), reverse=True)[:5]
    assert [row["no"] for row in result.rows] == [t.no for t in newest]
    assert result.summary.startswith(f"The latest 5 of your {len(home.transactions):,} transactions:")


async def test_the_largest_spending_is_no_income_and_no_move(call: Call, home: Household) -> None:
    """The largest come first, whatever their day; pay and money moved between own accounts are no spending."""
    result = await call("list_transactions", order="largest_spending", period="this year", limit=5)
    spent = [
        t
        for t in home.transactions
        if t.amount.minor < 0 and t.category != "Transfers" and t.day.year == 2026 and t.amount.currency == "USD"
    ]
    largest = sorted(spent, key=lambda t: (-t.amount.minor, t.day, t.no), reverse=True)[:5]
    assert [row["no"] for row in result.rows] == [t.no for t in largest]
    assert "transactions of spending in 2026 so far" in result.summary
    assert "The largest 5:" in result.summary


async def test_the_largest_income_is_what_came_in(call: Call, home: Household) -> None:
    """Only money that was earned, the largest first."""
    result = await call("list_transactions", order="largest_income", limit=3)
    earned = [t for t in home.transactions if t.amount.minor > 0 and t.category != "Transfers"]
    largest = sorted(earned, key=lambda t: (t.amount.currency == "USD", t.amount.minor, t.day, t.no), reverse=True)[:3]
    assert [row["no"] for row in result.rows] == [t.no for t in largest]


async def test_filters_hold_together(call: Call, home: Household) -> None:
    """Category, period and least amount all hold, and the sentence says each."""
    result = await call("list_transactions", category="dining", period="october", min_amount=20, limit=50)
    wanted = [
        t.no
        for t in home.transactions
        if t.category == "Dining" and (t.day.year, t.day.month) == (2026, 10) and abs(t.amount.minor) >= 2000
    ]
    assert sorted(row["no"] for row in result.rows) == wanted
    assert f"{len(wanted)} transactions in Dining of at least $20.00 in October 2026" in result.summary


async def test_an_unknown_merchant_is_an_answer(call: Call) -> None:
    """Nothing at a merchant is said, and no total is given."""
    result = await call("list_transactions", merchant="Ikea")
    assert result.ok
    assert result.summary == "You have no transactions at “Ikea”."


async def test_nothing_in_a_period_says_when_there_was(call: Call) -> None:
    """An empty period names the latest match outside it."""
    result = await call("list_transactions", merchant="Target", period="nov 1")
    assert result.summary.startswith("You have no transactions at Target on Sun, Nov 1, 2026. The latest one is of ")


async def test_impossible_amounts_are_refused(call: Call) -> None:
    """A least amount above the greatest is an error, not an empty list."""
    result = await call("list_transactions", min_amount=50, max_amount=5)
    assert not result.ok
    assert result.summary == "min_amount ($50.00) is more than max_amount ($5.00)."


async def test_text_from_outside_stays_data(newcomer: ToolContext) -> None:
    """A hostile merchant cannot make a link, an image, a tag or another table cell, and is cut to 80 characters."""
    hostile = "![x](https://evil.example/?q=1) <img src=x> | [pay](javascript:1)\n`rm`\u202e" + "A" * 200
    async with newcomer.db.transaction(newcomer.user) as tx:
        key = new_key()
        await apply(tx, [inserted("account", key, name="Card", kind="credit", currency="USD")])
        account = (await accounts.list_(tx))[0]
        new = NewTxn(account.id, date(2026, 11, 20), Money(-500, "USD"), hostile, memo=hostile)
        await transactions.insert(tx, [new])
    result = await catalog.call(newcomer, "list_transactions", {})
    cells = result.summary.splitlines()[-1].split(" | ")
    assert len(cells) == 5
    assert not set("[]<>`\u202e") & set(cells[2])
    assert "://" not in cells[2]
    assert len(result.rows[0]["merchant"]) == len(result.rows[0]["memo"]) == 80


async def test_recurring_charges_are_the_households_bills(call: Call) -> None:
    """The subscriptions of the plan are found, with the price rise and the one that ended."""
    result = await call("find_recurring", category="subs")
    assert {row["merchant"] for row in result.rows} == {"Netflix", "Spotify", "iCloud+", "Audible", "Amazon Prime"}
    assert "Netflix rose from $15.49 to $17.99 on Apr 5, 2026." in result.summary
    assert "Overdue, so perhaps ended: Audible" in result.summary
    assert "in Subscriptions, about $44.55 in an average month" in result.summary


async def test_balances_are_opening_and_all_transactions(call: Call, home: Household) -> None:
    """Each account's balance is exact; currencies are summed apart."""
    result = await call("list_accounts")
    for account in home.accounts:
        balance = sum((t.amount for t in home.transactions if t.account == account.name), account.opening)
        assert f"| {account.name} | {account.kind} | {balance.format()} |" in result.summary
    assert "€" in result.summary.partition("\n")[0]


async def test_accounts_are_added_up_by_a_dated_rate(newcomer: ToolContext) -> None:
    """With a rate the sum of all currencies is said, with the rate and its day; without one it is asked for."""
    async with newcomer.db.transaction(newcomer.user) as tx:
        await setup.add_account(tx, "Checking", "checking", Money(100_000, "USD"), "test")
        await setup.add_account(tx, "Konto", "savings", Money(50_000, "EUR"), "test")
    without = await catalog.call(newcomer, "list_accounts", {})
    assert (
        "is $1,000.00 and €500.00. They are not added up: I have no EUR to USD rate for 2026-11-22" in without.summary
    )
    async with newcomer.db.transaction(newcomer.user) as tx:
        await rates.enter(tx, [rates.Rate.of("EUR", "USD", date(2026, 11, 20), "1.1")])
    added = await catalog.call(newcomer, "list_accounts", {})
    told = "is $1,000.00 and €500.00, together $1,550.00 (1 EUR = 1.1 USD of Nov 20, 2026)."
    assert told in added.summary
    facts = {fact.label: fact.value for fact in added.facts}
    assert facts["net worth"] == Money(155_000, "USD")
    assert (facts["EUR to USD rate"], facts["day of the EUR to USD rate"]) == (Decimal("1.1"), date(2026, 11, 20))


async def test_history_is_empty_at_first(newcomer: ToolContext) -> None:
    """Nothing was changed, and it says so."""
    result = await catalog.call(newcomer, "get_change_history", {})
    assert result.summary == "Nothing has been changed yet."


async def test_history_tells_what_was_changed_and_undone(newcomer: ToolContext) -> None:
    """Changes come newest first, in the words they were approved in, the undone one marked."""
    async with newcomer.db.transaction(newcomer.user) as tx:
        made = await apply(tx, [inserted("category", new_key(), name="Dining")])
        first = await journal.append(tx, kind="create_category", text="Made Dining.", changes=made, approval="button")
        gone = await apply(tx, inverse(made))
        await journal.append(tx, kind="undo", text="Took it back.", changes=gone, approval="button", undoes=first)
    result = await catalog.call(newcomer, "get_change_history", {})
    texts = [line.partition(": ")[2] for line in result.summary.splitlines() if line.startswith("- ")]
    assert texts == ["Took it back.", "Made Dining. (undone since)"]
    assert [row["undone"] for row in result.rows] == [False, True]


async def test_accounts_are_none_at_first(newcomer: ToolContext) -> None:
    """A new user has no accounts, and it says so."""
    assert (await catalog.call(newcomer, "list_accounts", {})).summary == "You have no accounts yet."


async def test_another_locale_writes_amounts_its_way(resident: ToolContext, home: Household) -> None:
    """The same answer for a German reader has German amounts and the day before the month."""
    german = replace(resident, preferences=replace(resident.preferences, locale="de-DE"))
    result = await catalog.call(german, "list_transactions", {"merchant": "Target", "period": "5.10. - 12.10.2026"})
    days = [t for t in home.transactions if t.merchant == "Target" and date(2026, 10, 5) <= t.day <= date(2026, 10, 12)]
    total = Money(-sum(t.amount.minor for t in days), "USD").format("de-DE")
    assert "," in total
    assert f"at Target from 5–12 Oct 2026, {total} spent" in result.summary


async def test_the_month_before_follows_the_users_words(resident: ToolContext, home: Household) -> None:
    """After a question about last month, the month before is the one before that."""
    said = ("how much did I spend on groceries last month?", "and the month before?")
    asked = {"by": "category", "category": "Groceries", "period": "the month before"}
    result = await catalog.call(replace(resident, said=said), "get_spending", asked)
    total = -sum(
        t.amount.minor
        for t in home.transactions
        if t.category == "Groceries" and (t.day.year, t.day.month) == (2026, 9)
    )
    assert result.summary.startswith(f"You spent {Money(total, 'USD').format()} on Groceries in September 2026")


async def test_what_has_no_category_can_be_asked_for(newcomer: ToolContext) -> None:
    """Uncategorized spending is found by that word."""
    async with newcomer.db.transaction(newcomer.user) as tx:
        await apply(tx, [inserted("account", new_key(), name="Card", kind="credit", currency="USD")])
        account = (await accounts.list_(tx))[0]
        await transactions.insert(tx, [NewTxn(account.id, date(2026, 11, 20), Money(-777, "USD"), "Somewhere")])
        assert await categories.list_(tx) == ()
    result = await catalog.call(newcomer, "get_spending", {"by": "merchant", "category": "uncategorized"})
    assert result.summary.startswith("You spent $7.77 without a category in November 2026 so far (1 transaction).")
