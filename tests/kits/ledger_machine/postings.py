"""Acts on transactions: adding, editing, splitting, deleting, refunding and filing them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule
from ledger_machine.base import AT, CATEGORY, SIZE, Acting
from ledger_machine.plain import ACCOUNTS, CATEGORIES, DECIMALS, posting

from domain.clock import FixedClock, today
from domain.money import Money
from tools.drafts import editing, splits, transfers
from tools.drafts.transactions import adding, filing_one

ZONES = ["UTC", "Pacific/Kiritimati", "Pacific/Pago_Pago", "America/New_York", "Asia/Kathmandu"]
INSTANTS = [
    datetime(2023, 12, 31, 10, 30, tzinfo=UTC),
    datetime(2024, 1, 31, 23, 59, 59, tzinfo=UTC),
    datetime(2024, 2, 28, 13, 0, tzinfo=UTC),
    datetime(2024, 2, 29, 0, 0, tzinfo=UTC),
    datetime(2024, 2, 29, 23, 30, tzinfo=UTC),
    datetime(2024, 3, 10, 7, 0, tzinfo=UTC),
]


class Postings(Acting):
    """What is done with one transaction."""

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
        intent = adding(self.id(account), amount, day, "Kiosk", "", self.id(category) if category else None)
        after = self.plain.copy()
        after.txns[intent.args["id"]] = posting(account, day, sign * size, "Kiosk", category)
        self.do(intent, after)

    @precondition(lambda self: self.plain.txns)
    @rule(
        at=AT,
        size=st.none() | SIZE,
        days=st.none() | st.integers(-40, 40),
        note=st.none() | st.sampled_from(["", "x"]),
        pending=st.none() | st.booleans(),
    )
    def edit(self, at: int, size: int | None, days: int | None, note: str | None, pending: bool | None) -> None:
        key, after = self.pick(at), self.plain.copy()
        row, fields = after.txns[key], {}
        ends = after.ends(key)
        together = ends if row["transfer"] else after.group(key)
        if size is not None:
            fields["size"] = size
            for k in ends:  # of a transfer between currencies each end has an amount of its own
                if after.txns[k]["currency"] == row["currency"]:
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
        self.do(editing.editing(UUID(key), **fields), after)

    @precondition(lambda self: self.plain.txns)
    @rule(
        at=AT,
        categories=st.lists(CATEGORY, min_size=1, max_size=4),
        cuts=st.lists(st.integers(1, 999), min_size=3, max_size=3),
        off=st.sampled_from([0, 0, 0, 1]),
        rest=st.booleans(),
    )
    def split(self, at: int, categories: list[str], cuts: list[int], off: int, rest: bool) -> None:
        key = self.pick(at)
        group = self.plain.group(key)
        whole = sum(self.plain.txns[k]["minor"] for k in group)
        size, sign, minors = abs(whole), 1 if whole > 0 else -1, []
        minors += [max(1, size * cut // 4000) for cut in cuts[: len(categories) - 1]]
        minors.append(size - sum(minors) + off)
        told = [*minors[:-1], None if rest else minors[-1]]
        intent = splits.splitting(UUID(key), [(self.id(c), m) for c, m in zip(categories, told, strict=True)])
        first = self.plain.txns[group[0]]
        possible = not first["transfer"] and minors[-1] - (off if rest else 0) > 0 and (rest or not off)
        possible &= not any(t["refund_of"] in group[1:] for t in self.plain.txns.values())
        possible &= len(group) > 1 or len(categories) > 1
        after = self.plain.copy()
        if possible:
            for k in group[1:]:
                del after.txns[k]
            for part, category, minor in zip(intent.args["parts"], categories, minors, strict=True):
                minor -= off if minor is minors[-1] and rest and part is intent.args["parts"][-1] else 0
                name = group[0] if part is intent.args["parts"][0] else part["id"]
                row = first | {"minor": sign * minor, "category": category}
                after.txns[name] = row if name == group[0] else row | {"split_of": group[0], "note": ""}
        self.do(intent, after if possible else None)

    @precondition(lambda self: self.plain.txns)
    @rule(at=AT)
    def delete(self, at: int) -> None:
        key, after = self.pick(at), self.plain.copy()
        together = after.ends(key) if after.txns[key]["transfer"] else after.group(key)
        for k in together:
            del after.txns[k]
        refunded = any(t["refund_of"] in together for t in after.txns.values())
        self.do(editing.deleting(UUID(key)), None if refunded else after)

    @precondition(lambda self: self.plain.txns)
    @rule(at=AT, size=st.none() | st.none() | SIZE)
    def refund(self, at: int, size: int | None) -> None:
        bought = [key for key, row in sorted(self.plain.txns.items()) if row["minor"] < 0 and row["category"]]
        key = bought[at % len(bought)] if bought and at % 3 else self.pick(at)
        row = self.plain.txns[key]
        left = -row["minor"] - sum(t["minor"] for t in self.plain.txns.values() if t["refund_of"] == key)
        amount = left if size is None else size
        possible = row["minor"] < 0 and not row["transfer"] and row["category"] and 0 < amount <= left
        day = date(2024, 2, 29)
        intent = transfers.refunding(UUID(key), size, day)
        after = self.plain.copy()
        back = posting(row["account"], day, amount, row["merchant"], row["category"])
        after.txns[intent.args["id"]] = back | {"refund_of": key}
        self.do(intent, after if possible else None)

    @precondition(lambda self: self.plain.txns)
    @rule(at=AT, category=CATEGORY)
    def categorize(self, at: int, category: str) -> None:
        key, after = self.pick(at), self.plain.copy()
        transfer = after.txns[key]["transfer"]
        after.txns[key]["category"] = category
        self.do(filing_one(UUID(key), self.id(category), ()), None if transfer else after)
