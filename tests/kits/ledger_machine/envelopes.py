"""Acts on budgets and envelopes: setting, moving, carrying over, holding back and covering."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import rule
from ledger_machine.base import CATEGORY, MONTH, Acting
from ledger_machine.plain import CATEGORIES

from domain.money import Money
from domain.periods import Month
from tools.drafts import envelopes
from tools.drafts.budgets import moving, setting


class Envelopes(Acting):
    """What is done with the plan of a month."""

    @rule(category=CATEGORY, month=MONTH, minor=st.integers(0, 10**7))
    def set_budget(self, category: str, month: Month, minor: int) -> None:
        after = self.plain.copy()
        if after.budget(category, month) != minor:
            after.budgets[category, month] = minor
        self.do(setting(self.id(category), Money(minor, CATEGORIES[category]), month), after)

    @rule(month=MONTH, minor=st.integers(1, 10**6) | st.integers(-1, 1), back=st.booleans())
    def move(self, month: Month, minor: int, back: bool) -> None:
        """An amount; or, of -1 to 1, about all that can be given, to the cent."""
        source, target = ("Fun", "Food") if back else ("Food", "Fun")
        if not self.plain.giveable(source, month):
            source, target = target, source
        there = self.plain.giveable(source, month)
        amount = there + minor if minor < 2 else minor
        if amount <= 0:
            return
        after = self.plain.copy()
        after.set_once(source, month, (after.budget(source, month) or 0) - amount)
        after.give(target, month, amount)
        intent = moving(self.id(source), self.id(target), Money(amount, "USD"), month)
        self.do(intent, after if amount <= there else None)

    @rule(category=CATEGORY, mode=st.sampled_from(["none", "left", "all"]), month=MONTH)
    def roll(self, category: str, mode: Any, month: Month) -> None:
        after = self.plain.copy()
        since = after.rollovers[category][1] or month
        after.rollovers[category] = (mode, None if mode == "none" else since)
        self.do(envelopes.rolling(self.id(category), mode, month), after)

    @rule(month=MONTH, minor=st.integers(0, 10**6), off=st.none() | st.integers(-1, 1))
    def hold(self, month: Month, minor: int, off: int | None) -> None:
        """An amount; or about all that is free, to the cent."""
        after = self.plain.copy()
        free = after.unassigned(month) + after.holds.get(month, 0)
        minor = min(max(0, free + off), 10**13) if off is not None else minor
        if minor:
            after.holds[month] = minor
        else:
            after.holds.pop(month, None)
        possible = not minor or free >= minor or self.plain.holds.get(month) == minor
        self.do(envelopes.holding(Money(minor, "USD"), month), after if possible else None)

    @rule(month=MONTH, category=st.sampled_from(["Food", "Fun"]), asks=st.booleans())
    def cover(self, month: Month, category: str, asks: bool) -> None:
        source = None if asks else ("Fun" if category == "Food" else "Food")
        intent = envelopes.covering(self.id(category), self.id(source) if source else None, month)
        after = self.plain.copy()
        budget = after.budget(category, month)
        lacking = -(after.available(category, month) if budget is not None else -after.spent(category, month, "USD"))
        possible = True
        if lacking > 0:
            if source:
                had = after.budget(source, month)
                possible = had is not None and after.giveable(source, month) >= lacking
                if possible:
                    after.set_once(source, month, (had or 0) - lacking)
            else:
                possible = after.unassigned(month) + (lacking if budget is None else 0) >= lacking
            after.give(category, month, lacking)
        self.do(intent, after if possible else None)
