"""What a person who asked for it is told unasked: figures by code from their ledger, in their language. No model."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

from channels.texts import Texts
from db.engine import Transaction
from domain.periods import DateRange, Month
from ledger import budgets, recurring, reports
from ledger.budgets import BudgetLine
from ledger.insights import history
from ledger.insights.anomalies import anomalies
from ledger.preferences import Notice, Preferences
from tools.wording import cell

NEARLY: Final = Decimal("0.9")
"""The part of a budget that is nearly all of it."""

RECENT: Final = timedelta(days=6)
"""An unusual charge is news for a week: imports bring some days late."""

SOON: Final = timedelta(days=3)
MOST_LINES: Final = 8
MOST_CATEGORIES: Final = 5


@dataclass(frozen=True, slots=True)
class Found:
    """One thing worth telling; `things` name it, so that it is told once, and what it makes superfluous."""

    kind: Notice
    things: tuple[str, ...]
    line: str


async def found(tx: Transaction, own: Preferences, today: date, say: Texts) -> list[Found]:
    """What is worth telling today, of the kinds that are switched on, told before or not."""
    wanted = own.notices
    made: list[Found] = []
    if "budget" in wanted:
        made += await _budgets(tx, own, Month.of(today), say)
    if "unusual" in wanted:
        made += await _unusual(tx, own, today, say)
    if "bills" in wanted:
        made += await _bills(tx, today, say)
    return made


def message(kind: Notice, lines: Sequence[str], today: date, say: Texts) -> str:
    """The lines of a kind under their heading, as markdown."""
    head = say.say(f"notices.{kind}", **({"month": say.month(today)} if kind == "budget" else {}))
    shown = [f"- {line}" for line in lines[:MOST_LINES]]
    if len(lines) > MOST_LINES:
        shown.append(f"- {say.say('notices.more', count=say.count(len(lines) - MOST_LINES))}")
    return "\n".join([head, "", *shown])


async def week(tx: Transaction, own: Preferences, sent: date, say: Texts) -> str:
    """The summary of the seven days before `sent`, as markdown: what was spent and on what, the week before, budgets
    nearly spent. Amounts of unlike currencies stand side by side."""
    days = DateRange(sent - timedelta(days=7), sent - timedelta(days=1))
    compared = await reports.compare(tx, days.before(), days, own.currency)
    lines = [say.say("notices.weekly", days=say.days(days.start, days.end)), ""]
    totals = [total for total in compared.totals if total.a.minor or total.b.minor]
    if not totals:
        lines.append(say.say("notices.weekly_nothing"))
    for total in totals:
        line = say.say("notices.weekly_spent", amount=say.money(total.b))
        if total.a.minor > 0:
            change = say.percent(Decimal(total.change.minor) / Decimal(total.a.minor), signed=True)
            line += f" ({say.say('notices.weekly_change', amount=say.money(total.a), change=change)})"
        lines.append(f"- {line}")
    most = [line for line in compared.lines if line.b.currency == own.currency and line.b.minor > 0]
    most.sort(key=lambda line: (-line.b.minor, line.label))
    if most:
        lines += ["", say.say("notices.weekly_most"), ""]
        lines += [f"- {cell(line.label)}: {say.money(line.b)}" for line in most[:MOST_CATEGORIES]]
    month = Month.of(days.end)
    if short := [one.line for one in await _budgets(tx, own, month, say)]:
        lines += ["", message("budget", short, month.first, say)]
    return "\n".join(lines)


async def _budgets(tx: Transaction, own: Preferences, month: Month, say: Texts) -> list[Found]:
    status = await budgets.status(tx, month, own.currency)
    lines = (_budget(line, month, say) for line in status.lines)
    return [one for one in lines if one is not None]


def _budget(line: BudgetLine, month: Month, say: Texts) -> Found | None:
    """A budget with what it carried in, if it is nearly spent or more. One that is used up to the unit was meant for
    just that, as for a rent."""
    left = line.available
    if left is None or line.spent.minor <= 0 or left.minor == 0:
        return None
    limit, name = left + line.spent, cell(line.category)
    near = f"budget {month} {line.category_id} near"
    if left.minor < 0:
        text = say.say(
            "notices.budget_over", name=name, spent=say.money(line.spent), over=say.money(-left), limit=say.money(limit)
        )
        return Found("budget", (f"budget {month} {line.category_id} over", near), text)
    share = Decimal(line.spent.minor) / Decimal(limit.minor)
    if share < NEARLY:
        return None
    text = say.say(
        "notices.budget_near", name=name, percent=say.percent(share), limit=say.money(limit), left=say.money(left)
    )
    return Found("budget", (near,), text)


async def _unusual(tx: Transaction, own: Preferences, today: date, say: Texts) -> list[Found]:
    known = await history.load(tx, today, own.currency)
    if known.first is None:
        return []
    seen = await asyncio.to_thread(anomalies, known, DateRange(today - RECENT, today))
    made = [
        Found(
            "unusual",
            (f"unusual {one.entry.no}",),
            say.say(
                "notices.unusual_purchase",
                amount=say.money(one.amount),
                merchant=cell(one.entry.merchant) or cell(one.entry.category),
                day=say.day(one.entry.day),
                usual=say.money(one.usual),
            ),
        )
        for one in seen.purchases
    ]
    return made + [
        Found(
            "unusual",
            (f"twice {' '.join(str(no) for no in sorted(entry.no for entry in twice.entries))}",),
            say.say(
                "notices.unusual_twice",
                amount=say.money(twice.amount),
                merchant=cell(twice.entries[0].merchant),
                day=say.day(twice.entries[0].day),
                times=say.count(len(twice.entries)),
            ),
        )
        for twice in seen.twice
    ]


async def _bills(tx: Transaction, today: date, say: Texts) -> list[Found]:
    coming = [
        (charge, charge.pattern.next)
        for charge in await recurring.find(tx, today)
        if charge.pattern.next and today <= charge.pattern.next <= today + SOON and not charge.pattern.lapsed
    ]
    coming.sort(key=lambda pair: pair[1])
    made = []
    for charge, day in coming:
        pattern = charge.pattern
        made.append(
            Found(
                "bills",
                # by the charge that it follows: what is expected may move by a day while nothing happens
                (f"bill {charge.merchant.lower()} {pattern.last.currency} {pattern.last_day}",),
                say.say(
                    "notices.bills_about" if pattern.varies else "notices.bills_line",
                    merchant=cell(charge.merchant),
                    amount=say.money(pattern.typical),
                    day=say.day(day),
                ),
            )
        )
    return made
