"""What a person who asked for it is told unasked: figures by code from their ledger, in their language. No model.

Texts are written with their figures marked (channels.figures)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

from channels.figures import Figures
from db.engine import Transaction
from domain.periods import DateRange, Month
from ledger import budgets, recurring, reports
from ledger.budgets import BudgetLine
from ledger.insights import history
from ledger.insights.anomalies import Twice, Unusual, anomalies
from ledger.preferences import Notice, Preferences
from ledger.recurring import Recurring
from tools.wording import cell, describe, one_month

NEARLY: Final = Decimal("0.9")
"""The part of a budget that is nearly all of it."""

RECENT: Final = timedelta(days=6)
"""An unusual charge is news for a week: imports bring some days late."""

SOON: Final = timedelta(days=3)
MOST_LINES: Final = 8
MOST_CATEGORIES: Final = 5


@dataclass(frozen=True, slots=True)
class Found:
    """One thing worth telling; `things` name it, so that it is told once, and what it makes superfluous. The figures of
    `line` are marked."""

    kind: Notice
    things: tuple[str, ...]
    line: str


async def found(tx: Transaction, own: Preferences, today: date, write: Figures) -> list[Found]:
    """What is worth telling today, of the kinds that are switched on, told before or not."""
    wanted = own.notices
    made: list[Found] = []
    if "budget" in wanted:
        made += await _budgets(tx, own, Month.of(today), write)
    if "unusual" in wanted:
        made += await _unusual(tx, own, today, write)
    if "bills" in wanted:
        made += await _bills(tx, today, write)
    return made


def message(kind: Notice, lines: Sequence[str], today: date, write: Figures) -> str:
    """The lines of a kind under their heading, as markdown."""
    say = write.say
    head = say.say(f"notices.{kind}", **({"month": say.month(today)} if kind == "budget" else {}))
    shown = [f"- {line}" for line in lines[:MOST_LINES]]
    if len(lines) > MOST_LINES:
        shown.append(f"- {say.say('notices.more', count=say.count(len(lines) - MOST_LINES))}")
    return "\n".join([head, "", *shown])


async def week(tx: Transaction, own: Preferences, sent: date, write: Figures) -> str:
    """The summary of the seven days before `sent`, as markdown: what was spent and on what, the week before, budgets
    nearly spent. Amounts of unlike currencies stand side by side."""
    say = write.say
    days = DateRange(sent - timedelta(days=7), sent - timedelta(days=1))
    then, before = describe(days, sent), describe(days.before(), sent)
    compared = await reports.compare(tx, days.before(), days, own.currency)
    lines = [say.say("notices.weekly", days=say.days(days.start, days.end)), ""]
    totals = [total for total in compared.totals if total.a.minor or total.b.minor]
    if not totals:
        lines.append(say.say("notices.weekly_nothing"))
    for total in totals:
        line = say.say("notices.weekly_spent", amount=write.money(total.b, f"spent: {then}"))
        if total.a.minor > 0:
            grown = Decimal(total.change.minor) / Decimal(total.a.minor)
            change = write.percent(grown, f"change of spending from {before} to {then}", signed=True)
            was = write.money(total.a, f"spent: {before}")
            line += f" ({say.say('notices.weekly_change', amount=was, change=change)})"
        lines.append(f"- {line}")
    most = [line for line in compared.lines if line.b.currency == own.currency and line.b.minor > 0]
    most.sort(key=lambda line: (-line.b.minor, line.label))
    if most:
        lines += ["", say.say("notices.weekly_most"), ""]
        for part in most[:MOST_CATEGORIES]:
            name = cell(part.label)
            lines.append(f"- {name}: {write.money(part.b, f'spent on {name} in {then}')}")
    month = Month.of(days.end)
    if short := [one.line for one in await _budgets(tx, own, month, write)]:
        lines += ["", message("budget", short, month.first, write)]
    return "\n".join(lines)


async def _budgets(tx: Transaction, own: Preferences, month: Month, write: Figures) -> list[Found]:
    status = await budgets.status(tx, month, own.currency)
    lines = (_budget(line, month, write) for line in status.lines)
    return [one for one in lines if one is not None]


def _budget(line: BudgetLine, month: Month, write: Figures) -> Found | None:
    """A budget with what it carried in, if it is nearly spent or more. One that is used up to the unit was meant for
    just that, as for a rent."""
    left = line.available
    if left is None or line.spent.minor <= 0 or left.minor == 0:
        return None
    name, when = cell(line.category), one_month(month)
    limit = left + line.spent
    whole = f"{name} {'budget' if limit == line.budget else 'envelope'} in {when}"
    shown = {"name": name, "limit": write.money(limit, whole)}
    near = f"budget {month} {line.category_id} near"
    if left.minor < 0:
        shown["spent"] = write.money(line.spent, f"spent on {name} in {when}")
        shown["over"] = write.money(-left, f"over the {name} budget in {when}")
        text = write.say.say("notices.budget_over", **shown)
        return Found("budget", (f"budget {month} {line.category_id} over", near), text)
    share = Decimal(line.spent.minor) / Decimal(limit.minor)
    if share < NEARLY:
        return None
    shown["percent"] = write.percent(share, f"used of the {name} budget in {when}")
    shown["left"] = write.money(left, f"left of the {name} budget in {when}")
    return Found("budget", (near,), write.say.say("notices.budget_near", **shown))


async def _unusual(tx: Transaction, own: Preferences, today: date, write: Figures) -> list[Found]:
    known = await history.load(tx, today, own.currency)
    if known.first is None:
        return []
    seen = await asyncio.to_thread(anomalies, known, DateRange(today - RECENT, today))
    return [_purchase(one, write) for one in seen.purchases] + [_twice(one, write) for one in seen.twice]


def _purchase(one: Unusual, write: Figures) -> Found:
    entry = one.entry
    merchant = cell(entry.merchant) or cell(entry.category)
    usual = f"at {merchant}" if one.at == "merchant" else f"once on {cell(entry.category)}"
    text = write.say.say(
        "notices.unusual_purchase",
        amount=write.money(one.amount, f"spent at {merchant}, transaction {entry.no}"),
        merchant=merchant,
        day=write.day(entry.day, f"date of transaction {entry.no}"),
        usual=write.money(one.usual, f"usual {usual}"),
    )
    return Found("unusual", (f"unusual {entry.no}",), text)


def _twice(one: Twice, write: Figures) -> Found:
    numbers = sorted(entry.no for entry in one.entries)
    first, merchant = one.entries[0], cell(one.entries[0].merchant)
    text = write.say.say(
        "notices.unusual_twice",
        amount=write.money(one.amount, f"spent at {merchant}, transaction {first.no}"),
        merchant=merchant,
        day=write.day(first.day, f"date of transaction {first.no}"),
        times=write.count(len(one.entries), f"charges of the same amount at {merchant}", "times"),
    )
    return Found("unusual", (f"twice {' '.join(map(str, numbers))}",), text)


async def _bills(tx: Transaction, today: date, write: Figures) -> list[Found]:
    coming = [
        (charge, charge.pattern.next)
        for charge in await recurring.find(tx, today)
        if charge.pattern.next and today <= charge.pattern.next <= today + SOON and not charge.pattern.lapsed
    ]
    coming.sort(key=lambda pair: pair[1])
    return [_bill(charge, day, write) for charge, day in coming]


def _bill(charge: Recurring, day: date, write: Figures) -> Found:
    pattern, name = charge.pattern, cell(charge.merchant)
    text = write.say.say(
        "notices.bills_about" if pattern.varies else "notices.bills_line",
        merchant=name,
        amount=write.money(pattern.typical, f"{name}, typical charge"),
        day=write.day(day, f"{name}, next expected"),
    )
    # by the charge that it follows: what is expected may move by a day while nothing happens
    return Found("bills", (f"bill {charge.merchant.lower()} {pattern.last.currency} {pattern.last_day}",), text)
