"""Households whose truth is known: habits, subscriptions in every rhythm, cancellations, price rises, bills that vary,
subscriptions hidden among one-off purchases, outliers and double charges, all drawn from a seed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random
from uuid import NAMESPACE_URL, UUID, uuid5

import pytest

from domain.periods import Month
from ledger.insights.history import Entry, History

FIRST = Month(2024, 6)
MONTHS = 27
CATEGORIES = ("Groceries", "Dining", "Transport", "Shopping", "Health")
WEEKS = {"weekly": 7, "fortnightly": 14}
STEPS = {"monthly": 1, "quarterly": 3, "yearly": 12}


def category_id(name: str) -> UUID:
    return uuid5(NAMESPACE_URL, name)


@dataclass
class Home:
    """All purchases of 27 months, and what is true of them. `rhythms`: merchant -> cadence; `hidden`: (merchant, cents)
    of subscriptions among other purchases; `ended`: merchant -> last day; `odd` and `twice`: numbers of purchases."""

    seed: int
    entries: list[Entry] = field(default_factory=list)
    rhythms: dict[str, str] = field(default_factory=dict)
    hidden: dict[str, int] = field(default_factory=dict)
    ended: dict[str, date] = field(default_factory=dict)
    odd: set[int] = field(default_factory=set)
    twice: set[int] = field(default_factory=set)

    def until(self, today: date) -> History:
        """What is known on that day."""
        known = tuple(entry for entry in self.entries if entry.day <= today)
        names = {entry.category_id: entry.category for entry in known}
        return History(today, "USD", known[0].day if known else None, known, names=names)

    def spent(self, month: Month, category: UUID | None = None) -> int:
        """The truth about a month, in cents."""
        return sum(
            e.minor for e in self.entries if e.day in month.days and (category is None or e.category_id == category)
        )


def build(seed: int) -> Home:
    """The household of that seed."""
    draw, home, lines = Random(f"insights:{seed}"), Home(seed), []
    end = FIRST.plus(MONTHS).first

    def habit(merchant: str, category: str, a_month: float, mean: float, spread: float) -> None:
        day = FIRST.first
        while day < end:
            busy = 1.5 if day.weekday() >= 4 else 0.75
            if draw.random() < a_month / 30.4 * busy:
                lines.append((day, max(100, round(draw.lognormvariate(0, spread) * mean)), merchant, category, ""))
            day += timedelta(days=1)

    def subscription(merchant: str, cadence: str, cents: int, category: str, *, hidden: bool = False) -> None:
        anchor, price = draw.randint(1, 31), cents
        day = FIRST.first + timedelta(days=anchor - 1)
        rises = draw.random() < 0.3
        stop = FIRST.plus(draw.randint(14, 22)).first if draw.random() < 0.2 else end
        count = 0
        while day < stop:
            late = draw.choice((0, 0, 0, 1, 2)) if cadence in STEPS else 0
            if rises and count == {"weekly": 60, "fortnightly": 30, "monthly": 14, "quarterly": 5}.get(cadence):
                price = round(price * 1.15)
            lines.append((day + timedelta(days=late), price, merchant, category, "sub"))
            count += 1
            if cadence in WEEKS:
                day += timedelta(days=WEEKS[cadence])
            else:
                month = Month.of(day).plus(STEPS[cadence])
                day = min(month.first + timedelta(days=anchor - 1), month.last)
        (home.hidden if hidden else home.rhythms)[merchant] = price if hidden else cadence
        if stop < end:
            home.ended[merchant] = stop

    for number, category in enumerate(CATEGORIES):
        for shop in range(3):
            habit(
                f"{category} shop {shop}", category, draw.uniform(1, 8), draw.uniform(800, 7000), draw.uniform(0.2, 0.6)
            )
        subscription(f"Stream {number}", "monthly", draw.randint(499, 2999), "Subscriptions")
    for cadence, cents in (("weekly", 1200), ("fortnightly", 4000), ("quarterly", 6500), ("yearly", 9900)):
        subscription(f"{cadence} club", cadence, cents + draw.randint(0, 99), "Subscriptions")
    subscription("Landlord", "monthly", 180000, "Rent")
    habit("Bazaar", "Shopping", 5, 3000, 0.7)
    subscription("Bazaar", "monthly", 1499, "Shopping", hidden=True)
    for number in range(MONTHS):
        month = FIRST.plus(number)
        season = 1 + 0.5 * ((month.month % 12) in (11, 0, 1, 2))
        day = month.first + timedelta(days=13 + draw.randint(0, 2))
        lines.append((day, round(9000 * season * draw.uniform(0.9, 1.1)), "Power", "Utilities", "bill"))
    home.rhythms["Power"] = "monthly"
    for _ in range(8):
        at = draw.randrange(len(lines) // 2, len(lines))
        day, cents, merchant, category, what = lines[at]
        if not what and day > FIRST.plus(8).first:
            lines.append((day, round(cents * draw.uniform(12, 20)) + 20000, merchant, category, "odd"))
            lines.append((day, cents, merchant, category, "twice"))
    lines.sort(key=lambda line: line[0])
    for no, (day, cents, merchant, category, what) in enumerate(lines, start=1):
        home.entries.append(Entry(no, day, cents, merchant, category_id(category), category))
        if what == "odd":
            home.odd.add(no)
        if what == "twice":
            home.twice.add(no)
    return home


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Prints what was measured: precision, recall, coverage."""
    reports = terminalreporter.stats.get("passed", []) + terminalreporter.stats.get("failed", [])
    measured = [pair for report in reports if "/insights/" in report.nodeid for pair in report.user_properties]
    if measured:
        terminalreporter.section("insights, measured on generated households")
    for name, value in measured:
        terminalreporter.line(f"{name}: {value:.3f}" if isinstance(value, float) else f"{name}: {value}")


@pytest.fixture(scope="session")
def home_of() -> Callable[[int], Home]:
    """`home_of(seed)`: that household; made once."""
    made: dict[int, Home] = {}

    def get(seed: int) -> Home:
        return made.setdefault(seed, build(seed))

    return get
