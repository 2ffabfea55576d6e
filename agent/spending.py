"""What a run's model calls took, by model, with their prices: what is known of it already, and what is still to be
stored."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from agent.capabilities import cost
from agent.without_model import NAME as WITHOUT_MODEL
from memory.runs import Tokens
from memory.usage import Spent


def priced(tokens: Tokens, model: str, calls: int = 1) -> Spent:
    """What one call of the model took, at its price."""
    return Spent(model, calls, tokens, cost(model, tokens))


@dataclass
class Spending:
    """`total` and `cost` are the whole run's, earlier attempts included; the cost is None once a price is not known."""

    total: Tokens = field(default_factory=Tokens)
    cost: Decimal | None = field(default_factory=Decimal)
    _unstored: dict[str, Spent] = field(default_factory=dict)

    def add(self, tokens: Tokens, model: str) -> None:
        """One more call; an answer that took no model is none."""
        if model == WITHOUT_MODEL:
            return
        new = priced(tokens, model)
        self.total += tokens
        self.cost = None if self.cost is None or new.cost is None else self.cost + new.cost
        old = self._unstored.get(model)
        self._unstored[model] = joined(old, new) if old else new

    def unstored(self) -> list[Spent]:
        """What no transaction has counted yet."""
        return list(self._unstored.values())

    def stored(self) -> None:
        """What `unstored` gave has been counted."""
        self._unstored.clear()


def joined(one: Spent, other: Spent) -> Spent:
    """Calls of one model together. Prices may depend on a call's length, so that costs add up and not tokens."""
    together = one.cost + other.cost if one.cost is not None and other.cost is not None else None
    return Spent(one.model, one.calls + other.calls, one.tokens + other.tokens, together)
