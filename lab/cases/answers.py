"""Known answers, worked out from a case's own rows in plain Python: nothing here asks the ledger or a tool.

`spent` is what left in spending categories less what came back, `income` what came into income categories, `count` how
many postings there are, `largest` the dearest one, `budget` what a month may take, `left` that less what was spent in
it, `balance` what an account holds. Pending postings count, transfers do not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache

from domain.money import Money
from domain.periods import Month
from lab.cases.case import Given
from ledger import household

Unit = str
"""A currency, "percent", "count" or "date"."""


@dataclass(frozen=True, slots=True)
class Posted:
    """A posting as the answers see it: amounts in major units."""

    day: date
    amount: Decimal
    currency: str
    merchant: str
    category: str | None
    account: str
    memo: str


@dataclass(frozen=True)
class Books:
    """All that a case is given, as plain rows. `kinds` are the categories' kinds, `openings` the accounts' amounts."""

    postings: tuple[Posted, ...]
    kinds: Mapping[str, str]
    openings: Mapping[str, Money]
    budgets: tuple[tuple[str, Month, Decimal], ...]
    currency: str

    @classmethod
    def of(cls, given: Given) -> Books:
        """The books of the household as it is at the start of the case."""
        kinds: dict[str, str] = {}
        openings: dict[str, Money] = {}
        postings: list[Posted] = []
        budgets: list[tuple[str, Month, Decimal]] = []
        if given.household == "sample":
            home = _sample(given.today)
            kinds = {c.name: c.kind for c in home.categories}
            openings = {a.name: a.opening for a in home.accounts}
            budgets = [(b.category, b.month, b.amount.amount) for b in home.budgets]
            postings = [
                Posted(t.day, t.amount.amount, t.amount.currency, t.merchant, t.category, t.account, t.memo)
                for t in home.transactions
            ]
        kinds |= {c.name: c.kind for c in given.categories}
        openings |= {a.name: Money.of(a.opening, a.currency or given.currency) for a in given.accounts}
        budgets += [(b.category, Month.parse(b.month), b.amount) for b in given.budgets]
        for row in given.transactions:
            account = row.account or next(iter(openings))
            currency = openings[account].currency
            postings.append(Posted(row.day, row.amount, currency, row.merchant, row.category, account, row.memo))
        return cls(tuple(postings), kinds, openings, tuple(budgets), given.currency)

    def answer(self, of: str, where: Mapping[str, str]) -> tuple[Decimal, Unit]:
        """The figure and its unit. Raises KeyError for a name that the household does not have."""
        currency = where.get("currency", self.currency)
        match of:
            case "spent":
                return -self._sum(where, currency, "spending"), currency
            case "income":
                return self._sum(where, currency, "income"), currency
            case "count":
                return Decimal(sum(1 for _ in self._found(where, where.get("currency")))), "count"
            case "largest":
                return max(-p.amount for p in self._found(where, currency) if self._kind(p) == "spending"), currency
            case "budget":
                return self._budget(where["category"], Month.parse(where["month"])), currency
            case "left":
                return self.answer("budget", where)[0] - self.answer("spent", where)[0], currency
            case "balance":
                opening = self.openings[where["account"]]
                moved = sum((p.amount for p in self.postings if p.account == where["account"]), Decimal(0))
                return opening.amount + moved, opening.currency
        raise KeyError(of)

    def _sum(self, where: Mapping[str, str], currency: str, kind: str) -> Decimal:
        return sum((p.amount for p in self._found(where, currency) if self._kind(p) == kind), Decimal(0))

    def _kind(self, posted: Posted) -> str:
        return self.kinds[posted.category] if posted.category else "spending" if posted.amount < 0 else "income"

    def _budget(self, category: str, month: Month) -> Decimal:
        """The latest on or before the month; the later one written wins."""
        held = [(since, nth, amount) for nth, (name, since, amount) in enumerate(self.budgets) if name == category]
        return max((since.first, nth, amount) for since, nth, amount in held if since <= month)[2]

    def _found(self, where: Mapping[str, str], currency: str | None) -> Iterable[Posted]:
        for name in ("category", "account"):
            known = self.kinds if name == "category" else self.openings
            if name in where and where[name] not in known:
                raise KeyError(where[name])
        first, last = _days(where)
        for posted in self.postings:
            if (
                first <= posted.day <= last
                and currency in (None, posted.currency)
                and where.get("category") in (None, posted.category)
                and where.get("account") in (None, posted.account)
                and where.get("merchant", "").casefold() in posted.merchant.casefold()
                and where.get("text", "").casefold() in f"{posted.merchant} {posted.memo}".casefold()
            ):
                yield posted


def _days(where: Mapping[str, str]) -> tuple[date, date]:
    if "month" in where:
        month = Month.parse(where["month"])
        return month.first, month.last
    return date.fromisoformat(where.get("from", "0001-01-01")), date.fromisoformat(where.get("to", "9999-12-31"))


@lru_cache(maxsize=8)
def _sample(today: date) -> household.Household:
    return household.generate(today)
