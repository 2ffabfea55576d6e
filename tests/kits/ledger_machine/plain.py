"""The ledger as plain Python: rows by id, in minor units, and what follows from them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from typing import Any

from domain.periods import Month

DECIMALS = {"USD": 2, "JPY": 0, "KWD": 3}
ACCOUNTS = {"Checking": "USD", "Card": "USD", "Tokyo": "JPY", "Osaka": "JPY", "Gulf": "KWD"}
CATEGORIES = {"Food": "USD", "Fun": "USD", "Trip": "JPY", "Dates": "KWD"}
"""Spending categories and the currency their budgets are in."""
OWN = "USD"
SINCE = Month(2024, 1)
"""The first month from which money without an envelope adds up."""

Rows = dict[str, dict[str, Any]]
Said = tuple[str, date, int, str]
"""What a file says of a posting: account, day, minor units, merchant."""


@dataclass
class Plain:
    """Everything a user has, but for accounts and categories, which stay."""

    txns: Rows = field(default_factory=dict)
    budgets: dict[tuple[str, Month], int] = field(default_factory=dict)
    holds: dict[Month, int] = field(default_factory=dict)
    rollovers: dict[str, tuple[str, Month | None]] = field(
        default_factory=lambda: dict.fromkeys(CATEGORIES, ("none", None))
    )
    transfers: str | None = None
    rates: dict[tuple[str, str, date], str] = field(default_factory=dict)
    imports: dict[str, dict[str, Said]] = field(default_factory=dict)
    """By import, what the file said of each transaction that it added."""

    def copy(self) -> Plain:
        return Plain(
            {key: dict(row) for key, row in self.txns.items()},
            dict(self.budgets),
            dict(self.holds),
            dict(self.rollovers),
            self.transfers,
            dict(self.rates),
            dict(self.imports),
        )

    # -- postings

    def balance(self, account: str) -> int:
        return sum(t["minor"] for t in self.txns.values() if t["account"] == account)

    def spent(self, category: str | None, month: Month, currency: str) -> int:
        """What a category, or what has none, took in a month."""
        rows = [t for t in self.txns.values() if t["category"] == category and Month.of(t["day"]) == month]
        return -sum(t["minor"] for t in rows if t["currency"] == currency and (category or t["minor"] < 0))

    def group(self, key: str) -> list[str]:
        """The parts of the split that the transaction is one of, the first part first."""
        first = self.txns[key]["split_of"] or key
        return [first, *(k for k, t in self.txns.items() if t["split_of"] == first)]

    def ends(self, key: str) -> list[str]:
        """Both ends of a transfer, else the transaction alone."""
        bond = self.txns[key]["transfer"]
        return [k for k, t in self.txns.items() if bond and t["transfer"] == bond] or [key]

    def known(self) -> Counter[Said]:
        """What a file may say that is there already: as imports that stand said it, else as it was entered."""
        found: Counter[Said] = Counter(said for own in self.imports.values() for said in own.values())
        imported = {key for own in self.imports.values() for key in own}
        for key, row in self.txns.items():
            if not row["split_of"] and key not in imported:
                whole = sum(self.txns[part]["minor"] for part in self.group(key))
                found[row["account"], row["day"], whole, row["merchant"]] += 1
        return found

    # -- envelopes

    def budget(self, category: str, month: Month) -> int | None:
        """The budget that holds: the latest row not after the month."""
        held = [(m, minor) for (c, m), minor in self.budgets.items() if c == category and m <= month]
        return max(held)[1] if held else None

    def carried(self, category: str, month: Month) -> int:
        """Month by month, from the first whose rest goes on."""
        mode, since = self.rollovers[category]
        carried, at = 0, since or month
        while at < month:
            budget = self.budget(category, at)
            if budget is not None:
                carried += budget - self.spent(category, at, CATEGORIES[category])
                carried = max(carried, 0) if mode == "left" else carried
            at = at.plus(1)
        return carried if self.budget(category, month) is not None else 0

    def available(self, category: str, month: Month) -> int:
        budget = self.budget(category, month) or 0
        return self.carried(category, month) + budget - self.spent(category, month, CATEGORIES[category])

    def giveable(self, category: str, month: Month) -> int:
        """The budget of the month and what was carried in."""
        return (self.budget(category, month) or 0) + max(0, self.carried(category, month))

    def unassigned(self, month: Month) -> int:
        """Dollars without an envelope, month by month from SINCE."""
        at = min(SINCE, month)
        pool = self.holds.get(at.plus(-1), 0)
        while True:
            in_month = [t for t in self.txns.values() if Month.of(t["day"]) == at and t["currency"] == OWN]
            pool += sum(
                t["minor"] for t in in_month if t["category"] == "Salary" or (not t["category"] and t["minor"] > 0)
            )
            own = [c for c, currency in CATEGORIES.items() if currency == OWN and self.budget(c, at) is not None]
            free = pool - sum(self.budget(c, at) or 0 for c in own) - self.holds.get(at, 0)
            free -= sum(self.spent(c, at, OWN) for c in [None, *CATEGORIES] if c not in own)
            if at == month:
                return free
            pool = free + self.holds.get(at, 0)
            pool += sum(self.available(c, at) - self.carried(c, at.plus(1)) for c in own)
            at = at.plus(1)

    def set_once(self, category: str, month: Month, minor: int) -> None:
        """For one month: the next one keeps what held."""
        held = self.budget(category, month)
        self.budgets[category, month] = minor
        if held is not None:
            self.budgets.setdefault((category, month.plus(1)), held)

    def give(self, category: str, month: Month, more: int) -> None:
        """More for one month; a category without a budget has none in the next one."""
        held = self.budget(category, month)
        self.set_once(category, month, (held or 0) + more)
        if held is None:
            self.budgets.setdefault((category, month.plus(1)), 0)

    # -- rates

    def arrives(self, minor: int, base: str, quote: str, on: date) -> int | None:
        """What an amount is worth on a day, by way of dollars if need be; None when there is no usable rate."""
        rate = self._rate(base, quote, on)
        if rate is None and OWN not in (base, quote):
            first, second = self._rate(base, OWN, on), self._rate(OWN, quote, on)
            rate = first * second if first and second else None
        return None if rate is None else round(minor * rate * Fraction(10) ** (DECIMALS[quote] - DECIMALS[base]))

    def _rate(self, base: str, quote: str, on: date) -> Fraction | None:
        """The latest of at most 31 days before, of either direction; on one day the one that was asked for."""
        forward = [(d, True, Fraction(r)) for (b, q, d), r in self.rates.items() if (b, q) == (base, quote)]
        backward = [(d, False, 1 / Fraction(r)) for (b, q, d), r in self.rates.items() if (b, q) == (quote, base)]
        usable = [each for each in forward + backward if 0 <= (on - each[0]).days <= 31]
        return max(usable)[2] if usable else None

    # -- taking back

    def flat(self) -> dict[Any, dict[str, Any]]:
        """Every row by what names it, with its columns."""
        rows: dict[Any, dict[str, Any]] = {("txn", key): dict(row) for key, row in self.txns.items()}
        rows |= {("budget", *key): {"minor": minor} for key, minor in self.budgets.items()}
        rows |= {("hold", month): {"minor": minor} for month, minor in self.holds.items()}
        rows |= {("category", name): {"mode": mode, "since": since} for name, (mode, since) in self.rollovers.items()}
        rows |= {("rate", *key): {"rate": rate} for key, rate in self.rates.items()}
        rows |= {("import", key): {"said": said} for key, said in self.imports.items()}
        if self.transfers:
            rows["category", "Transfers"] = {"id": self.transfers}
        return rows

    def back(self, before: Plain, after: Plain) -> Plain:
        """This ledger with what led from `before` to `after` taken back, row by row and column by column."""
        now, old, new = self.flat(), before.flat(), after.flat()
        for key in old.keys() | new.keys():
            if key not in old:
                del now[key]
            elif key not in new:
                now[key] = old[key]
            elif old[key] != new[key]:
                now[key] |= {name: value for name, value in old[key].items() if new[key][name] != value}
        made = Plain(rollovers={})
        for (table, *key), row in now.items():
            match table:
                case "txn":
                    made.txns[key[0]] = row
                case "budget":
                    made.budgets[key[0], key[1]] = row["minor"]
                case "hold":
                    made.holds[key[0]] = row["minor"]
                case "rate":
                    made.rates[key[0], key[1], key[2]] = row["rate"]
                case "import":
                    made.imports[key[0]] = row["said"]
                case _ if key[0] == "Transfers":
                    made.transfers = row["id"]
                case _:
                    made.rollovers[key[0]] = (row["mode"], row["since"])
        return made


def posting(account: str, day: date, minor: int, merchant: str, category: str | None) -> dict[str, Any]:
    """A row of `Plain.txns`."""
    return {
        "account": account,
        "day": day,
        "minor": minor,
        "currency": ACCOUNTS[account],
        "merchant": merchant,
        "category": category,
        "note": "",
        "pending": False,
        "split_of": None,
        "transfer": None,
        "refund_of": None,
    }
