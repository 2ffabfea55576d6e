"""What holds after every act: the database's ledger and the plain one are the same."""

from __future__ import annotations

from typing import Any

from hypothesis.stateful import invariant
from ledger_machine.base import MONTHS, Acting
from ledger_machine.plain import CATEGORIES, DECIMALS, SINCE

from domain.periods import DateRange, Month
from ledger import accounts, budgets, envelopes, reports, rollups

_TXNS = """
    SELECT id::text, account_id::text, day, amount_minor, currency, merchant, category_id::text, note, pending,
           split_of::text, transfer_id::text, refund_of::text FROM txn
"""
_OTHERS = """
    SELECT 'budget', category_id::text, month, amount_minor, '' FROM budget
    UNION ALL SELECT 'hold', '', month, amount_minor, '' FROM hold
    UNION ALL SELECT 'category', id::text, rollover_since, 0, rollover FROM category WHERE kind = 'spending'
    UNION ALL SELECT 'rate', base || ' ' || quote, day, 0, trim_scale(rate)::text FROM rate
"""


class Compared(Acting):
    """Every row after each step; sums and envelopes of one month in turn after every second one, and all in the end."""

    @invariant()
    def both_ledgers_hold_the_same(self) -> None:
        if hasattr(self, "tx"):
            self.steps += 1
            self.world.run(self._compare())

    def teardown(self) -> None:
        try:
            if hasattr(self, "tx"):
                self.world.run(self._compare_in_the_end())
        finally:
            super().teardown()

    async def _compare(self) -> None:
        names = {str(id_): name for name, id_ in self.world.ids.items()} | {self.plain.transfers or "": "Transfers"}
        found = {row[0]: _posting(row, names) for row in await self.tx.pg.fetch(_TXNS)}
        assert found == self.plain.txns
        rows = await self.tx.pg.fetch(_OTHERS)
        assert {(names[c], Month.of(m)): n for t, c, m, n, _ in rows if t == "budget"} == self.plain.budgets
        assert {Month.of(m): n for t, _, m, n, _ in rows if t == "hold"} == self.plain.holds
        carried = {names[c]: (mode, Month.of(m) if m else None) for t, c, m, _, mode in rows if t == "category"}
        assert carried == self.plain.rollovers
        assert {(*pair.split(), day): rate for t, pair, day, _, rate in rows if t == "rate"} == self.plain.rates
        month = MONTHS[self.steps % len(MONTHS)]
        if self.steps % 4 == 1:
            await self._compare_envelopes(month)
        elif self.steps % 4 == 3:
            await self._compare_sums(month)

    async def _compare_in_the_end(self) -> None:
        for month in MONTHS[1:3]:
            await self._compare_envelopes(month)
            await self._compare_sums(month)
        assert await rollups.verify(self.tx) == ()

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


def _posting(row: Any, names: dict[str, str]) -> dict[str, Any]:
    _, account, day, minor, currency, merchant, category, note, pending, split_of, transfer, refund_of = row
    return {
        "account": names[account],
        "day": day,
        "minor": minor,
        "currency": currency,
        "merchant": merchant,
        "category": names[category] if category else None,
        "note": note,
        "pending": pending,
        "split_of": split_of,
        "transfer": transfer,
        "refund_of": refund_of,
    }
