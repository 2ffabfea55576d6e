"""What may be spent in a category in a month: its budget, and in the present month what its envelope carried in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from db.engine import Transaction
from domain.money import Money
from domain.periods import Month
from ledger import budgets, envelopes
from tools.result import Fact
from tools.tool import ToolContext


@dataclass(frozen=True, slots=True)
class Limit:
    """A category's budget and what it carried in from earlier months (negative: overspent), in one currency."""

    budget: Money
    carried: Money

    @property
    def all(self) -> Money:
        """What may be spent; negative when more was overspent before than is budgeted."""
        return self.budget + self.carried

    def told(self, ctx: ToolContext) -> str:
        """ "$250.00 budget", "$270.00 envelope ($250.00 budget, $20.00 carried in)"."""
        if not self.carried.minor:
            return f"{ctx.show(self.budget)} budget"
        kind = "carried in" if self.carried.minor > 0 else "overspent before"
        return f"{ctx.show(self.all)} envelope ({ctx.show(self.budget)} budget, {ctx.show(abs(self.carried))} {kind})"

    def facts(self, name: str, when: str) -> Sequence[Fact]:
        """Every figure of `told`."""
        found = [Fact(f"{name} budget in {when}", self.budget)]
        if self.carried.minor:
            kind = "carried into" if self.carried.minor > 0 else "overspent before in"
            found.append(Fact(f"{kind} the {name} envelope in {when}", abs(self.carried)))
            found.append(Fact(f"{name} envelope in {when}", self.all))
        return found


async def limits(tx: Transaction, month: Month, today: date, base: str) -> dict[UUID | None, Limit]:
    """By category, those in the base currency. What a coming month will carry in is not known yet and counts for
    nothing. Two queries."""
    carried = await envelopes.carried(tx, month) if month == Month.of(today) else {}
    nothing = Money(0, base)
    return {
        key: Limit(budget.amount, carried.get(key, nothing))
        for key, budget in (await budgets.effective(tx, month)).items()
        if budget.amount.currency == base
    }
