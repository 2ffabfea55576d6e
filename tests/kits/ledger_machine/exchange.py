"""Acts between accounts and with the world outside: transfers, also between currencies, rates, and files of a bank."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule
from ledger_machine.base import AT, SIZE, Acting
from ledger_machine.plain import ACCOUNTS, DECIMALS, OWN, Plain, Said, posting

from domain.money import MAX_MINOR, Money
from ledger import setup
from ledger.accounts import Account
from ledger.imports.dedupe import keys
from ledger.imports.run import take_in
from ledger.imports.statement import Statement, StatementLine
from ledger.rates import Rate
from tools.drafts import transfers
from tools.drafts.setup import valuing

DAY = st.dates(date(2024, 1, 25), date(2024, 3, 3))
CURRENCY = st.sampled_from(list(DECIMALS))
VALUE = st.sampled_from(["150", "0.0067", "3.25", "0.307692307692", "1", "487.000000000001"])
LINE = st.tuples(st.sampled_from([date(2024, 2, 28), date(2024, 2, 29)]), st.sampled_from([-300, -300, -1, 250]))


class Exchange(Acting):
    """What moves between accounts, what currencies are worth, and what comes from a bank."""

    @rule(
        source=st.sampled_from(list(ACCOUNTS)),
        to=st.sampled_from(list(ACCOUNTS)),
        size=SIZE,
        arrived=st.none() | st.integers(1, 10**6),
        day=DAY,
    )
    def transfer(self, source: str, to: str, size: int, arrived: int | None, day: date) -> None:
        if source != to:
            self._transfer(source, to, size, arrived, day)

    def _transfer(self, source: str, to: str, size: int, arrived: int | None, day: date) -> None:
        currency, other = ACCOUNTS[source], ACCOUNTS[to]
        told = Money(arrived, other) if arrived else None
        intent = transfers.transferring(self.id(source), self.id(to), Money(size, currency), day, told)
        came: int | None = size if told is None or arrived == size else None
        if currency != other:
            came = arrived or self.plain.arrives(size, currency, other, day)
        bond, out, into, category = intent.args["ids"]
        after = self.plain.copy()
        after.transfers = after.transfers or category
        for key, account, minor, merchant in (
            (out, source, -size, f"Transfer to {to}"),
            (into, to, came or 0, f"Transfer from {source}"),
        ):
            after.txns[key] = posting(account, day, minor, merchant, "Transfers") | {"transfer": bond}
        self.do(intent, after if came is not None and 0 < came <= MAX_MINOR else None)

    @precondition(lambda self: self.plain.rates)
    @rule(at=AT, size=SIZE, back=st.booleans(), later=st.sampled_from([0, 1, 31, 32]), own=st.booleans())
    def exchange(self, at: int, size: int, back: bool, later: int, own: bool) -> None:
        """A transfer between a rate's currencies, or one of them and the user's own, about when the rate counts."""
        base, quote, day = sorted(self.plain.rates)[at % len(self.plain.rates)]
        source, to = (quote, base) if back else (base, OWN if own else quote)
        if source != to:
            places = {currency: account for account, currency in ACCOUNTS.items()}
            self._transfer(places[source], places[to], size, None, day + timedelta(days=later))

    @rule(base=CURRENCY, quote=CURRENCY, day=DAY, value=VALUE)
    def tell_rate(self, base: str, quote: str, day: date, value: str) -> None:
        """In chat."""
        if base != quote:
            after = self.plain.copy()
            after.rates[base, quote, day] = value
            self.do(valuing(Rate.of(base, quote, day, value)), after)

    @rule(rates=st.lists(st.tuples(CURRENCY, CURRENCY, DAY, VALUE), min_size=1, max_size=3))
    def enter_rates(self, rates: list[tuple[str, str, date, str]]) -> None:
        """As an app sends them: at once, one entry for all that is new; “the last change” passes over it."""
        entered = [Rate.of(base, quote, day, value, "chat") for base, quote, day, value in rates if base != quote]
        after = self.plain.copy()
        for rate in entered:
            self.in_order &= (rate.base, rate.quote, rate.day) not in after.rates
            after.rates[rate.base, rate.quote, rate.day] = f"{rate.value:f}"
        self.world.run(setup.enter_rates(self.tx, entered, date(2024, 12, 31), "http"))
        if after.rates != self.plain.rates:
            self.did(self._latest(), after)

    @rule(account=st.sampled_from(["Checking", "Tokyo"]), lines=st.lists(LINE, min_size=1, max_size=4))
    def import_file(self, account: str, lines: list[tuple[date, int]]) -> None:
        """Each line that is not there as often comes in, once each."""
        known, new = self.plain.known(), Counter[Said]()
        for day, minor in lines:
            said = (account, day, minor, "Kiosk")
            if known[said] > 0:
                known[said] -= 1
            else:
                new[said] += 1
        assert self.world.run(self._bring(account, ACCOUNTS[account], lines)) == new.total()
        if new:
            self.did(self._latest(), self._with_imported(new))

    async def _bring(self, account: str, currency: str, lines: list[tuple[date, int]]) -> int:
        rows = tuple(StatementLine(at, day, minor, "Kiosk") for at, (day, minor) in enumerate(lines, start=2))
        nothing = Money(0, currency)
        own = Account(self.id(account), account, "checking", currency, nothing, nothing, 0, 1)
        return (await take_in(self.tx, own, Statement("csv", rows), keys(rows), "bank.csv", "test")).added

    def _with_imported(self, new: Counter[Said]) -> Plain:
        """The ledger with the rows that came, by the ids that they were given; what they hold is as the file said, and
        the category that most at the merchant have."""
        after = self.plain.copy()
        rows = self.world.run(self.tx.pg.fetch(_ADDED, self.world.user))
        names = {id_: name for name, id_ in self.world.ids.items()}
        own: dict[str, Said] = {}
        for row in rows:
            said = (names[row["account_id"]], row["day"], row["amount_minor"], row["merchant"])
            own[str(row["id"])] = said
            category = names[row["category_id"]] if row["category_id"] else None
            assert category == self._usual()
            after.txns[str(row["id"])] = posting(*said, category)
        assert Counter(own.values()) == new
        after.imports[str(rows[0]["batch_id"])] = own
        return after

    def _usual(self) -> str | None:
        """The category of most at the kiosk, the one last used if there are several."""
        filed = [t for t in self.plain.txns.values() if t["merchant"] == "Kiosk" and t["category"]]
        times = Counter(t["category"] for t in filed)
        last = {c: max(t["day"] for t in filed if t["category"] == c) for c in times}
        order = sorted(times, key=lambda c: (-times[c], -last[c].toordinal(), self.id(c)))
        return order[0] if order else None

    def _latest(self) -> UUID:
        """The journal's last entry."""
        found: Any = self.world.run(self.tx.pg.fetchval("SELECT id FROM journal ORDER BY at DESC, id DESC LIMIT 1"))
        return UUID(int=found.int)


_ADDED = """
    SELECT t.id, r.batch_id, t.account_id, t.day, t.amount_minor, t.merchant, t.category_id FROM txn t
      JOIN import_row r ON r.user_id = $1 AND r.txn_id = t.id
     WHERE t.user_id = $1
       AND r.batch_id = (SELECT id FROM import_batch WHERE user_id = $1 ORDER BY created_at DESC, id DESC LIMIT 1)
"""
