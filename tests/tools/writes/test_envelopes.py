"""Envelopes and goals by their tools: rollover, covering, holding back, saving."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from domain.errors import PennyError
from domain.money import Money
from ledger import budgets, envelopes, preferences
from ledger.budgets import BudgetLine, Month
from ledger.envelopes import Unassigned
from tools import catalog, proposals

if TYPE_CHECKING:
    from conftest import Penny

OCTOBER, NOVEMBER, DECEMBER = Month(2026, 10), Month(2026, 11), Month(2026, 12)


def usd(minor: int) -> Money:
    return Money(minor, "USD")


async def apply(penny: Penny, name: str, /, **args: Any) -> None:
    proposal = await penny.propose(name, **args)
    await proposals.confirm(penny.db, penny.user, UUID(proposal["id"]), proposal["hash"])


async def line(penny: Penny, category: str, month: Month) -> BudgetLine:
    async with penny.db.read(penny.user) as tx:
        status = await budgets.status(tx, month, "USD")
    return next(found for found in status.lines if found.category == category)


async def free(penny: Penny, month: Month, since: date | None = None) -> Unassigned:
    async with penny.db.read(penny.user) as tx:
        return await envelopes.unassigned(tx, await budgets.status(tx, month, "USD"), since)


async def test_nothing_is_carried_unless_the_user_wants_it(penny: Penny) -> None:
    """Without a setting a month starts with its budget alone."""
    assert [(await line(penny, "Dining", month)).available for month in (NOVEMBER, DECEMBER)] == [usd(300_00)] * 2


async def test_what_is_left_is_carried(penny: Penny) -> None:
    """From the month named on, what is left of each month adds to the next; the months before count for nothing."""
    await apply(penny, "set_rollover", category="dining", carry="what_is_left", month="october")
    assert [(await line(penny, "Dining", m)).carried for m in (OCTOBER, NOVEMBER, DECEMBER)] == [
        usd(0), usd(300_00), usd(600_00)
    ]  # fmt: skip
    result = await catalog.call(penny.context, "get_budget_status", {"category": "dining"})
    assert "With $300.00 carried in, $600.00 is available." in result.summary


@pytest.mark.parametrize(("carry", "december"), [("what_is_left", 0), ("left_and_overspent", -50_00)])
async def test_overspending_is_carried_if_the_user_wants_it(penny: Penny, carry: str, december: int) -> None:
    """A category that takes overspending along starts the next month with less."""
    await apply(penny, "set_rollover", category="dining", carry=carry)
    await apply(penny, "add_transaction", amount=350, merchant="Luigi's", category="dining")
    assert (await line(penny, "Dining", DECEMBER)).carried == usd(december)


@pytest.mark.parametrize(
    ("said", "day"),
    [
        ("the end of june", "2027-06-30"),
        ("june", "2027-06-30"),
        ("Dec 24", "2026-12-24"),
        ("end of the year", "2026-12-31"),
        ("next year", "2027-12-31"),
        ("2028", "2028-12-31"),
    ],
)
async def test_a_goal_is_due_on_a_day_to_come(penny: Penny, said: str, day: str) -> None:
    """The last day of a month or year that is named, the next one of its kind."""
    made = await penny.propose("set_goal", name="Japan", amount=5000, date=said)
    assert {entry["field"]: entry["after"] for entry in made["diff"]}["by"] == day


async def test_carried_money_can_be_moved(penny: Penny) -> None:
    """After the month's own budget what was carried in goes, to the cent and no further; the months after keep their
    budget, and no money comes or goes. Undone, all is as before."""
    await apply(penny, "set_rollover", category="dining", carry="what_is_left", month="october")
    before = await free(penny, NOVEMBER)
    with pytest.raises(PennyError, match=r"only \$600\.00 to give in November 2026 \(\$300\.00 budgeted, \$300\.00"):
        await penny.call("move_money", from_category="dining", to_category="travel", amount=600.01)
    made = await penny.propose("move_money", from_category="dining", to_category="travel", amount=450)
    assert made["text"] == (
        "Move $450.00 from Dining to Travel for November 2026: Dining goes from $300.00 to -$150.00, "
        "Travel from $250.00 to $700.00; $150.00 of it was carried in."
    )
    done = await proposals.confirm(penny.db, penny.user, UUID(made["id"]), made["hash"])
    dining = await line(penny, "Dining", NOVEMBER)
    assert (dining.budget, dining.carried, dining.available) == (usd(-150_00), usd(300_00), usd(150_00))
    december = await line(penny, "Dining", DECEMBER)
    assert (december.budget, december.carried) == (usd(300_00), usd(150_00))
    assert (await free(penny, NOVEMBER)).amount == before.amount
    told = (await catalog.call(penny.context, "get_budget_status", {"category": "dining"})).summary
    assert "$150.00 of what it carried in was moved away. With $300.00 carried in, $150.00 is available." in told
    await proposals.undo_now(penny.db, penny.user, done.journal_id)
    assert (await line(penny, "Dining", NOVEMBER)).available == usd(600_00)


async def test_what_was_carried_covers_another_envelope(penny: Penny) -> None:
    """Travel is overspent by more than Dining's budget, and Dining has carried in enough; nobody is over then."""
    await apply(penny, "set_rollover", category="dining", carry="what_is_left", month="october")
    await apply(penny, "add_transaction", amount=700, merchant="Airline", category="travel")
    await apply(penny, "cover_overspending", category="travel", from_category="dining")
    assert (await line(penny, "Travel", NOVEMBER)).available == usd(0)
    assert (await line(penny, "Dining", NOVEMBER)).available == usd(150_00)
    assert "No category is over" in (await catalog.call(penny.context, "get_budget_status", {})).summary


async def test_unassigned_is_income_less_budgets(penny: Penny) -> None:
    """November: 3,000 came in, 300 + 250 + 600 are budgeted, 9.99 + 160.10 were spent without a budget."""
    found = await free(penny, NOVEMBER)
    assert (found.income, found.assigned, found.unbudgeted) == (usd(3_000_00), usd(1_150_00), usd(170_09))
    assert found.amount == usd(1_679_91)


async def test_unassigned_money_adds_up_from_the_month_that_envelopes_begin(penny: Penny) -> None:
    """December brings November's unassigned money and what its budgets left; nothing is lost on the way."""
    found = await free(penny, DECEMBER, NOVEMBER.first)
    spent = 40_10 + 82_15 + 61_00 + 9_99 + 120_00 + 35_00
    assert found.brought == usd(3_000_00 - spent)
    await apply(penny, "set_rollover", category="travel", carry="what_is_left")
    assert (await free(penny, DECEMBER, NOVEMBER.first)).brought == usd(3_000_00 - spent - 250_00)


async def test_held_money_comes_back_the_next_month(penny: Penny) -> None:
    """What is held leaves this month's unassigned money and is in the next one's; no more than there is."""
    await apply(penny, "hold_for_next_month", amount=500)
    assert ((await free(penny, NOVEMBER)).amount, (await free(penny, DECEMBER)).brought) == (usd(1_179_91), usd(500_00))
    with pytest.raises(PennyError, match=r"Only \$1,679\.91 is unassigned"):
        await penny.call("hold_for_next_month", amount=1_680)
    await apply(penny, "hold_for_next_month", amount=0)
    assert (await free(penny, NOVEMBER)).held == usd(0)


async def test_overspending_is_covered_from_a_category_or_from_the_unassigned(penny: Penny) -> None:
    """The budget grows by just what is lacking; other months keep theirs."""
    await apply(penny, "add_transaction", amount=320, merchant="Luigi's", category="dining")
    await apply(penny, "cover_overspending", category="dining", from_category="travel")
    assert [await penny.budget("Dining", m.first) for m in (NOVEMBER, DECEMBER)] == [320_00, 300_00]
    assert [await penny.budget("Travel", m.first) for m in (NOVEMBER, DECEMBER)] == [230_00, 250_00]
    before = (await free(penny, NOVEMBER)).amount
    await apply(penny, "cover_overspending", category="gifts")
    assert [await penny.budget("Gifts", m.first) for m in (NOVEMBER, DECEMBER)] == [9_99, 0]
    assert (await free(penny, NOVEMBER)).amount == before
    assert "not overspent" in (await penny.call("cover_overspending", category="dining")).summary


async def test_a_goal_tells_what_a_month_has_to_bring(penny: Penny) -> None:
    """Checking has 2,965; a goal of 5,000 by the end of January lacks 2,035 over three months, and is on track."""
    await apply(penny, "set_goal", name="Japan trip", amount=5_000, date="2027-01-31", account="checking")
    result = await catalog.call(penny.context, "list_goals", {})
    assert "$2,965.00 (59.3%) is there, on Checking; $2,035.00 is missing." in result.summary
    assert "$678.34 a month for 3 months, this one included. You are on track." in result.summary
    later = penny.at(today=date(2026, 12, 27))
    behind = (await catalog.call(later.context, "list_goals", {})).summary
    assert "You are behind. An even pace would have $3,982.50 by now." in behind


async def test_money_counts_towards_one_goal_only(penny: Penny) -> None:
    """Two goals on one account are filled the earliest first; one on an envelope counts what is available there."""
    await apply(penny, "set_goal", name="Bike", amount=2_500, date="2027-01-31", account="checking")
    await apply(penny, "set_goal", name="Car", amount=4_000, date="2027-06-30", account="checking")
    await apply(penny, "set_goal", name="Feast", amount=400, category="dining")
    rows = {row["goal"]: row["saved"] for row in (await catalog.call(penny.context, "list_goals", {})).rows}
    assert rows == {"Bike": "2500.00", "Car": "465.00", "Feast": "300.00"}


async def test_a_goal_is_changed_and_given_up_by_its_name(penny: Penny) -> None:
    """The same name changes it and keeps what was not said; an amount of 0 ends it."""
    await apply(penny, "set_goal", name="Bike", amount=2_500, date="2027-01-31", account="checking")
    result = await penny.call("set_goal", name="bike", amount=3_000)
    assert result.summary == (
        "I can change the goal Bike from $2,500.00 to $3,000.00 by Jan 31, 2027, counting what is on Checking. "
        "Confirm to apply."
    )
    await apply(penny, "set_goal", name="bike", amount=0)
    assert (await penny.rows("goal"))["goal"] == []


async def test_auto_apply_is_off_by_default_and_kept_to_its_bounds(penny: Penny, run_id: UUID) -> None:
    """An expense in the user's own words under the cap is applied at once, journalled as such and undoable; one that is
    too large, not in the words, over the day's cap, or asked for while text from outside was read, is not."""
    trusted = penny.at(run_id=run_id, said=("I spent 42.50 at Luigi's and 60 there later",), untrusted=False)

    async def status(at: Penny, step: int, amount: str, **args: Any) -> str:
        made = await at.at(step=step).propose("add_transaction", amount=amount, merchant="Luigi's", **args)
        return str(made["status"])

    assert await status(trusted, 1, "42.50") == "pending"
    async with penny.db.transaction(penny.user) as tx:
        await preferences.put(tx, preferences.Preferences(auto_apply=True, auto_day_minor=90_00))
    assert await status(trusted.at(untrusted=True), 2, "42.50") == "pending"
    assert await status(trusted.at(said=("lunch at Luigi's",)), 3, "42.50") == "pending"
    assert await status(trusted, 4, "42.50") == "applied"
    trusted = trusted.at(run_id=None)
    assert await status(trusted, 5, "42.50") == "pending"
    (entry,) = (await penny.rows("journal"))["journal"]
    assert (entry["approval"], entry["kind"], entry["run_id"]) == ("auto", "add_transaction", run_id)
    await proposals.undo_now(penny.db, penny.user, entry["id"], approval="test")


async def test_auto_apply_ends_at_the_days_cap(penny: Penny, run_id: UUID) -> None:
    """What was applied without asking today counts, what was undone since too."""
    async with penny.db.transaction(penny.user) as tx:
        await preferences.put(tx, preferences.Preferences(auto_apply=True, auto_day_minor=60_00))
        now: date = await tx.pg.fetchval("SELECT current_date")
    penny = penny.at(run_id=run_id, said=("40 at Luigi's, 60 at Luigi's",), untrusted=False, today=now)
    made = [
        (await penny.at(step=step).propose("add_transaction", amount=amount, merchant="Luigi's"))["status"]
        for step, amount in ((1, 60), (2, 40), (3, 40))
    ]
    assert made == ["pending", "applied", "pending"]
