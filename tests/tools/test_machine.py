"""The ledger against a plain-Python one: whatever people do with their money, both hold the same to the minor unit.

Every example is one database transaction, rolled back at its end. The promise is 300 examples of 30 steps;
PENNY_MACHINE_EXAMPLES asks for another number.
"""

from __future__ import annotations

import asyncio
import os
import uuid
from collections.abc import Coroutine, Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from db.embedded import Server
from db.engine import Database, Transaction
from domain.clock import FixedClock, today
from domain.errors import PennyError
from domain.ids import new_id
from domain.money import Money
from domain.periods import DateRange, Month
from ledger import accounts, budgets, changes, envelopes, journal, reports
from tools.drafts import editing, splits, transfers
from tools.drafts import envelopes as envelope_drafts
from tools.drafts.budgets import moving, setting
from tools.drafts.draft import Intent
from tools.drafts.kinds import draft
from tools.drafts.transactions import adding, filing_one
from tools.drafts.undo import last_standing, undoing

EXAMPLES = int(os.environ.get("PENNY_MACHINE_EXAMPLES", "300"))
STEPS = 30

DECIMALS = {"USD": 2, "JPY": 0, "KWD": 3}
ACCOUNTS = {"Checking": "USD", "Card": "USD", "Tokyo": "JPY", "Osaka": "JPY", "Gulf": "KWD"}
CATEGORIES = {"Food": "USD", "Fun": "USD", "Trip": "JPY", "Dates": "KWD"}
"""Spending categories and the currency their budgets are in."""

MONTHS = [Month(2023, 12), Month(2024, 1), Month(2024, 2), Month(2024, 3), Month(2024, 4)]
SINCE = MONTHS[1]
ZONES = ["UTC", "Pacific/Kiritimati", "Pacific/Pago_Pago", "America/New_York", "Asia/Kathmandu"]
INSTANTS = [
    datetime(2023, 12, 31, 10, 30, tzinfo=UTC),
    datetime(2024, 1, 31, 23, 59, 59, tzinfo=UTC),
    datetime(2024, 2, 28, 13, 0, tzinfo=UTC),
    datetime(2024, 2, 29, 0, 0, tzinfo=UTC),
    datetime(2024, 2, 29, 23, 30, tzinfo=UTC),
    datetime(2024, 3, 10, 7, 0, tzinfo=UTC),
]

T = TypeVar("T")
Rows = dict[str, dict[str, Any]]


@dataclass
class Plain:
    """The ledger as plain Python: rows by id, in minor units."""

    txns: Rows = field(default_factory=dict)
    budgets: dict[tuple[str, Month], int] = field(default_factory=dict)
    holds: dict[Month, int] = field(default_factory=dict)
    rollovers: dict[str, tuple[str, Month | None]] = field(
        default_factory=lambda: dict.fromkeys(CATEGORIES, ("none", None))
    )
    transfers: str | None = None

    def balance(self, account: str) -> int:
        return sum(t["minor"] for t in self.txns.values() if t["account"] == account)

    def spent(self, category: str | None, month: Month, currency: str) -> int:
        """What a category, or what has none, took in a month."""
        rows = [t for t in self.txns.values() if t["category"] == category and Month.of(t["day"]) == month]
        return -sum(t["minor"] for t in rows if t["currency"] == currency and (category or t["minor"] < 0))

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

    def unassigned(self, month: Month) -> int:
        """Dollars without an envelope, month by month from SINCE."""
        at = min(SINCE, month)
        pool = self.holds.get(at.plus(-1), 0)
        while True:
            in_month = [t for t in self.txns.values() if Month.of(t["day"]) == at and t["currency"] == "USD"]
            pool += sum(
                t["minor"] for t in in_month if t["category"] == "Salary" or (not t["category"] and t["minor"] > 0)
            )
            own = [c for c, currency in CATEGORIES.items() if currency == "USD" and self.budget(c, at) is not None]
            free = pool - sum(self.budget(c, at) or 0 for c in own) - self.holds.get(at, 0)
            free -= sum(self.spent(c, at, "USD") for c in [None, *CATEGORIES] if c not in own)
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

    def group(self, key: str) -> list[str]:
        """The parts of the split that the transaction is one of, the first part first."""
        first = self.txns[key]["split_of"] or key
        return [first, *(k for k, t in self.txns.items() if t["split_of"] == first)]

    def ends(self, key: str) -> list[str]:
        return [k for k, t in self.txns.items() if t["transfer"] and t["transfer"] == self.txns[key]["transfer"]] or [
            key
        ]

    def flat(self) -> dict[Any, dict[str, Any]]:
        """Every row by what names it, with its columns."""
        rows: dict[Any, dict[str, Any]] = {("txn", key): dict(row) for key, row in self.txns.items()}
        rows |= {("budget", *key): {"minor": minor} for key, minor in self.budgets.items()}
        rows |= {("hold", month): {"minor": minor} for month, minor in self.holds.items()}
        rows |= {("category", name): {"mode": mode, "since": since} for name, (mode, since) in self.rollovers.items()}
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
                case _ if key[0] == "Transfers":
                    made.transfers = row["id"]
                case _:
                    made.rollovers[key[0]] = (row["mode"], row["since"])
        return made


@dataclass
class World:
    """The database, on a loop of its own, and a user with accounts and categories."""

    loop: asyncio.AbstractEventLoop
    db: Database
    user: UUID
    ids: dict[str, UUID]

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(work)


class _RolledBack(Exception):
    """Ends an example's transaction."""


AT = st.integers(0, 10**6)
MONTH = st.sampled_from(MONTHS)
CATEGORY = st.sampled_from(list(CATEGORIES))
SIZE = st.one_of(st.integers(1, 500), st.integers(1, 10**9), st.just(10**13))


class LedgerMachine(RuleBasedStateMachine):
    """What a user may have Penny do, each act as its draft, applied and journalled as a confirmation does it."""

    world: World

    @initialize()
    def begin(self) -> None:
        self.plain = Plain()
        self.done: list[tuple[UUID, Plain, Plain]] = []
        self.in_order = True
        self.steps = 0
        self.context = self.world.db.transaction(self.world.user)
        self.tx: Transaction = self.world.run(self.context.__aenter__())

    def teardown(self) -> None:
        if hasattr(self, "context"):
            error = _RolledBack()
            self.world.run(self.context.__aexit__(_RolledBack, error, None))

    # -- acts

    @rule(
        account=st.sampled_from(list(ACCOUNTS)),
        category=st.sampled_from([None, "Salary", *CATEGORIES]),
        size=SIZE,
        sign=st.sampled_from([-1, -1, -1, 1]),
        zone=st.sampled_from(ZONES),
        at=st.sampled_from(INSTANTS),
    )
    def add(self, account: str, category: str | None, size: int, sign: int, zone: str, at: datetime) -> None:
        currency = ACCOUNTS[account]
        day = today(FixedClock(at), zone)
        assert day == at.astimezone(ZoneInfo(zone)).date()
        amount = Money.of(Decimal(sign * size).scaleb(-DECIMALS[currency]), currency)
        intent = adding(self._id(account), amount, day, "Kiosk", "", self._id(category) if category else None)
        after = deepcopy(self.plain)
        after.txns[intent.args["id"]] = _row(account, day, sign * size, "Kiosk", category)
        self._do(intent, after)

    @precondition(lambda self: self.plain.txns)
    @rule(
        at=AT,
        size=st.none() | SIZE,
        days=st.none() | st.integers(-40, 40),
        note=st.none() | st.sampled_from(["", "x"]),
        pending=st.none() | st.booleans(),
    )
    def edit(self, at: int, size: int | None, days: int | None, note: str | None, pending: bool | None) -> None:
        key, after = self._pick(at), deepcopy(self.plain)
        row, fields = after.txns[key], {}
        together = after.ends(key) if row["transfer"] else after.group(key)
        if size is not None:
            fields["size"] = size
            for k in after.ends(key):
                after.txns[k]["minor"] = size if after.txns[k]["minor"] > 0 else -size
        if days is not None:
            day = row["day"] + timedelta(days=days)
            fields["day"] = day.isoformat()
            for k in together:
                after.txns[k]["day"] = day
        if pending is not None:
            fields["pending"] = pending
            for k in together:
                after.txns[k]["pending"] = pending
        if note is not None:
            fields["note"] = row["note"] = note
        self._do(editing.editing(UUID(key), **fields), after)

    @precondition(lambda self: self.plain.txns)
    @rule(
        at=AT,
        categories=st.lists(CATEGORY, min_size=1, max_size=4),
        cuts=st.lists(st.integers(1, 999), min_size=3, max_size=3),
        off=st.sampled_from([0, 0, 0, 1]),
        rest=st.booleans(),
    )
    def split(self, at: int, categories: list[str], cuts: list[int], off: int, rest: bool) -> None:
        key = self._pick(at)
        group = self.plain.group(key)
        whole = sum(self.plain.txns[k]["minor"] for k in group)
        size, sign, minors = abs(whole), 1 if whole > 0 else -1, []
        minors += [max(1, size * cut // 4000) for cut in cuts[: len(categories) - 1]]
        minors.append(size - sum(minors) + off)
        told = [*minors[:-1], None if rest else minors[-1]]
        intent = splits.splitting(UUID(key), [(self._id(c), m) for c, m in zip(categories, told, strict=True)])
        first = self.plain.txns[group[0]]
        possible = not first["transfer"] and minors[-1] - (off if rest else 0) > 0 and (rest or not off)
        possible &= not any(t["refund_of"] in group[1:] for t in self.plain.txns.values())
        possible &= len(group) > 1 or len(categories) > 1
        after = deepcopy(self.plain)
        if possible:
            for k in group[1:]:
                del after.txns[k]
            for part, category, minor in zip(intent.args["parts"], categories, minors, strict=True):
                minor -= off if minor is minors[-1] and rest and part is intent.args["parts"][-1] else 0
                name = group[0] if part is intent.args["parts"][0] else part["id"]
                row = first | {"minor": sign * minor, "category": category}
                after.txns[name] = row if name == group[0] else row | {"split_of": group[0], "note": ""}
        self._do(intent, after if possible else None)

    @precondition(lambda self: self.plain.txns)
    @rule(at=AT)
    def delete(self, at: int) -> None:
        key, after = self._pick(at), deepcopy(self.plain)
        together = after.ends(key) if after.txns[key]["transfer"] else after.group(key)
        for k in together:
            del after.txns[k]
        refunded = any(t["refund_of"] in together for t in after.txns.values())
        self._do(editing.deleting(UUID(key)), None if refunded else after)

    @rule(
        source=st.sampled_from(list(ACCOUNTS)),
        to=st.sampled_from(list(ACCOUNTS)),
        size=SIZE,
        day=st.dates(date(2024, 1, 25), date(2024, 3, 3)),
    )
    def transfer(self, source: str, to: str, size: int, day: date) -> None:
        if source == to:
            return
        currency = ACCOUNTS[source]
        intent = transfers.transferring(self._id(source), self._id(to), Money(size, currency), day)
        bond, out, into, category = intent.args["ids"]
        after = deepcopy(self.plain)
        after.transfers = after.transfers or category
        for key, account, minor, merchant in (
            (out, source, -size, f"Transfer to {to}"),
            (into, to, size, f"Transfer from {source}"),
        ):
            after.txns[key] = _row(account, day, minor, merchant, "Transfers") | {"transfer": bond}
        self._do(intent, after if ACCOUNTS[to] == currency else None)

    @precondition(lambda self: self.plain.txns)
    @rule(at=AT, size=st.none() | SIZE)
    def refund(self, at: int, size: int | None) -> None:
        key = self._pick(at)
        row = self.plain.txns[key]
        left = -row["minor"] - sum(t["minor"] for t in self.plain.txns.values() if t["refund_of"] == key)
        amount = left if size is None else size
        possible = row["minor"] < 0 and not row["transfer"] and row["category"] and 0 < amount <= left
        day = date(2024, 2, 29)
        intent = transfers.refunding(UUID(key), size, day)
        after = deepcopy(self.plain)
        after.txns[intent.args["id"]] = _row(row["account"], day, amount, row["merchant"], row["category"]) | {
            "refund_of": key
        }
        self._do(intent, after if possible else None)

    @precondition(lambda self: self.plain.txns)
    @rule(at=AT, category=CATEGORY)
    def categorize(self, at: int, category: str) -> None:
        key, after = self._pick(at), deepcopy(self.plain)
        transfer = after.txns[key]["transfer"]
        after.txns[key]["category"] = category
        self._do(filing_one(UUID(key), self._id(category), ()), None if transfer else after)

    @rule(category=CATEGORY, month=MONTH, minor=st.integers(0, 10**7))
    def set_budget(self, category: str, month: Month, minor: int) -> None:
        after = deepcopy(self.plain)
        if after.budget(category, month) != minor:
            after.budgets[category, month] = minor
        self._do(setting(self._id(category), Money(minor, CATEGORIES[category]), month), after)

    @rule(month=MONTH, minor=st.integers(1, 10**6), back=st.booleans())
    def move(self, month: Month, minor: int, back: bool) -> None:
        source, target = ("Fun", "Food") if back else ("Food", "Fun")
        had = self.plain.budget(source, month) or 0
        after = deepcopy(self.plain)
        after.set_once(source, month, had - minor)
        after.give(target, month, minor)
        intent = moving(self._id(source), self._id(target), Money(minor, "USD"), month)
        self._do(intent, after if had >= minor else None)

    @rule(category=CATEGORY, mode=st.sampled_from(["none", "left", "all"]), month=MONTH)
    def roll(self, category: str, mode: Any, month: Month) -> None:
        after = deepcopy(self.plain)
        since = after.rollovers[category][1] or month
        after.rollovers[category] = (mode, None if mode == "none" else since)
        self._do(envelope_drafts.rolling(self._id(category), mode, month), after)

    @rule(month=MONTH, minor=st.integers(0, 10**6))
    def hold(self, month: Month, minor: int) -> None:
        after = deepcopy(self.plain)
        free = after.unassigned(month) + after.holds.get(month, 0)
        if minor:
            after.holds[month] = minor
        else:
            after.holds.pop(month, None)
        possible = not minor or free >= minor or self.plain.holds.get(month) == minor
        self._do(envelope_drafts.holding(Money(minor, "USD"), month), after if possible else None)

    @rule(month=MONTH, category=st.sampled_from(["Food", "Fun"]), asks=st.booleans())
    def cover(self, month: Month, category: str, asks: bool) -> None:
        source = None if asks else ("Fun" if category == "Food" else "Food")
        intent = envelope_drafts.covering(self._id(category), self._id(source) if source else None, month)
        after = deepcopy(self.plain)
        budget = after.budget(category, month)
        lacking = -(after.available(category, month) if budget is not None else -after.spent(category, month, "USD"))
        possible = True
        if lacking > 0:
            if source:
                had = after.budget(source, month)
                possible = had is not None and had >= lacking
                if possible:
                    after.set_once(source, month, (had or 0) - lacking)
            else:
                possible = after.unassigned(month) + (lacking if budget is None else 0) >= lacking
            after.give(category, month, lacking)
        self._do(intent, after if possible else None)

    @precondition(lambda self: self.done)
    @rule()
    def undo_last(self) -> None:
        try:
            entry = self.world.run(last_standing(self.tx))
        except PennyError:
            return
        undone = self._undo(entry)
        assert undone or not self.in_order

    @precondition(lambda self: self.done)
    @rule(at=AT)
    def undo_any(self, at: int) -> None:
        entry = self.done[at % len(self.done)][0]
        if self._undo(entry):
            self.in_order = False

    # -- what holds after each

    @invariant()
    def both_ledgers_hold_the_same(self) -> None:
        if hasattr(self, "tx"):
            self.steps += 1
            self.world.run(self._compare(MONTHS[self.steps % len(MONTHS)]))

    async def _compare(self, month: Month) -> None:
        names = {str(id_): name for name, id_ in self.world.ids.items()} | {self.plain.transfers or "": "Transfers"}
        found = {}
        for row in await self.tx.pg.fetch("SELECT * FROM txn"):
            found[str(row["id"])] = {
                "account": names[str(row["account_id"])],
                "day": row["day"],
                "minor": row["amount_minor"],
                "currency": row["currency"],
                "merchant": row["merchant"],
                "category": names[str(row["category_id"])] if row["category_id"] else None,
                "note": row["note"],
                "pending": row["pending"],
                "split_of": str(row["split_of"]) if row["split_of"] else None,
                "transfer": str(row["transfer_id"]) if row["transfer_id"] else None,
                "refund_of": str(row["refund_of"]) if row["refund_of"] else None,
            }
        assert found == self.plain.txns
        rows = await self.tx.pg.fetch(
            """
            SELECT 'budget', category_id::text, month, amount_minor, '' FROM budget
            UNION ALL SELECT 'hold', '', month, amount_minor, '' FROM hold
            UNION ALL SELECT 'category', id::text, rollover_since, 0, rollover FROM category WHERE kind = 'spending'
            """
        )
        kept = [(t, names.get(c), Month.of(m) if m else None, minor, mode) for t, c, m, minor, mode in rows]
        assert {(c, m): minor for t, c, m, minor, _ in kept if t == "budget"} == self.plain.budgets
        assert {m: minor for t, _, m, minor, _ in kept if t == "hold"} == self.plain.holds
        assert {c: (mode, m) for t, c, m, _, mode in kept if t == "category"} == self.plain.rollovers
        if self.steps % 2:
            await self._compare_envelopes(month)
        else:
            await self._compare_sums(month)

    async def _compare_envelopes(self, month: Month) -> None:
        status = await budgets.status(self.tx, month, "USD")
        for line in status.lines:
            if line.category not in CATEGORIES:
                continue
            assert (line.budget.minor if line.budget else None) == self.plain.budget(line.category, month)
            assert line.spent.minor == self.plain.spent(line.category, month, line.spent.currency)
            if line.available is not None and line.carried is not None:
                assert line.carried.minor == self.plain.carried(line.category, month)
                assert line.available.minor == self.plain.available(line.category, month)
        free = await envelopes.unassigned(self.tx, status, SINCE.first)
        assert free.amount.minor == self.plain.unassigned(month)

    async def _compare_sums(self, month: Month) -> None:
        for account in await accounts.list_(self.tx):
            assert account.balance.minor == self.plain.balance(account.name)
        report = await reports.spending(self.tx, DateRange(month.first, month.last), "category", "USD")
        spent = {(line.label, line.amount.currency): line.amount.minor for line in report.lines}
        for category in CATEGORIES:
            for currency in DECIMALS:
                assert spent.get((category, currency), 0) == self.plain.spent(category, month, currency)

    # -- means

    def _id(self, name: str) -> UUID:
        return self.world.ids[name]

    def _pick(self, at: int) -> str:
        return sorted(self.plain.txns)[at % len(self.plain.txns)]

    def _do(self, intent: Intent, after: Plain | None) -> None:
        """Has the intent carried out; `after` is what must come of it, None when it must be refused."""
        entry = self.world.run(self._carry_out(intent))
        if after is None:
            assert isinstance(entry, PennyError), f"{intent.kind} should have been refused"
            return
        assert not isinstance(entry, PennyError), f"{intent} was refused: {entry}"
        if entry:
            self.done.append((entry, self.plain, after))
        else:
            assert after.flat() == self.plain.flat(), f"{intent.kind} changed nothing"
        self.plain = after

    async def _carry_out(self, intent: Intent) -> UUID | PennyError | None:
        try:
            planned = await draft(self.tx, intent)
            if not planned.changes:
                return None
            async with self.tx.savepoint():
                written = await changes.apply(self.tx, planned.changes)
        except PennyError as refused:
            return refused
        return await journal.append(
            self.tx, kind=intent.kind, text=planned.text, changes=written, approval="test", undoes=planned.undoes
        )

    def _undo(self, entry: UUID) -> bool:
        """Takes the entry back, if that is well defined; then every row is as it was, later changes elsewhere kept."""
        made = self.world.run(self._carry_out(undoing(entry)))
        if not isinstance(made, UUID):
            return False
        _, before, after = next(each for each in self.done if each[0] == entry)
        now = self.plain.back(before, after)
        self.done.append((made, self.plain, now))
        self.plain = now
        return True


def _row(account: str, day: date, minor: int, merchant: str, category: str | None) -> dict[str, Any]:
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


@pytest.fixture
def world(postgres: Server, admin_url: str) -> Iterator[World]:
    """A user with five accounts in three currencies and five categories, on a database connection of their own."""
    loop = asyncio.new_event_loop()
    db = loop.run_until_complete(Database.connect(postgres.app_url, worker_url=postgres.worker_url, pool_size=2))
    user = loop.run_until_complete(db.resolve_user("test", "", uuid.uuid4().hex))
    ids = {name: new_id() for name in [*ACCOUNTS, *CATEGORIES, "Salary"]}

    async def furnish() -> None:
        async with db.transaction(user) as tx:
            for name, currency in ACCOUNTS.items():
                await tx.pg.execute(
                    "INSERT INTO account (user_id, id, name, kind, currency) VALUES ($1, $2, $3, 'checking', $4)",
                    user,
                    ids[name],
                    name,
                    currency,
                )
            for name in [*CATEGORIES, "Salary"]:
                await tx.pg.execute(
                    "INSERT INTO category (user_id, id, name, kind) VALUES ($1, $2, $3, $4)",
                    user,
                    ids[name],
                    name,
                    "income" if name == "Salary" else "spending",
                )
            await tx.pg.execute("UPDATE preference SET envelopes_since = $1", SINCE.first)

    loop.run_until_complete(furnish())
    yield World(loop, db, user, ids)
    loop.run_until_complete(db.close())
    loop.close()


@pytest.mark.timeout(900)
def test_the_ledger_is_a_plain_one(world: World) -> None:
    """After every step both ledgers hold the same rows, balances, budgets, envelopes and reports, exact to the minor
    unit; undo after apply is identity, and out of order it takes back just its own."""
    machine = type("Machine", (LedgerMachine,), {"world": world})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            print_blob=True,
            database=None,
        ),
    )
