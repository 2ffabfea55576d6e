"""What every act of the machine stands on: one example is one database transaction, which is rolled back at its end."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from ledger_machine.plain import CATEGORIES, Plain

from db.engine import Database, Transaction
from domain.errors import PennyError
from domain.periods import Month
from ledger import changes, journal
from tools.drafts.draft import Intent
from tools.drafts.kinds import draft
from tools.drafts.undo import last_standing, undoing

T = TypeVar("T")

MONTHS = [Month(2023, 12), Month(2024, 1), Month(2024, 2), Month(2024, 3), Month(2024, 4)]
AT = st.integers(0, 10**6)
"""Which of the rows that there are: by its place in their order."""
MONTH = st.sampled_from(MONTHS)
CATEGORY = st.sampled_from(list(CATEGORIES))
SIZE = st.one_of(st.integers(1, 500), st.integers(1, 10**9), st.just(10**13))


@dataclass
class World:
    """The database, on a loop of its own, and a user with accounts and categories."""

    loop: asyncio.AbstractEventLoop
    db: Database
    user: UUID
    ids: dict[str, UUID]

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(work)


class RolledBack(Exception):
    """Ends an example's transaction."""


class Acting(RuleBasedStateMachine):
    """Carries acts out, each as its draft, applied and journalled as a confirmation does it; and takes them back."""

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
            error = RolledBack()
            self.world.run(self.context.__aexit__(RolledBack, error, None))

    @precondition(lambda self: self.done)
    @rule()
    def undo_last(self) -> None:
        try:
            entry = self.world.run(last_standing(self.tx))
        except PennyError:
            return
        undone = self.undo(entry)
        assert undone or not self.in_order

    @precondition(lambda self: self.done)
    @rule(at=AT)
    def undo_any(self, at: int) -> None:
        entry = self.done[at % len(self.done)][0]
        if self.undo(entry):
            self.in_order = False

    def id(self, name: str) -> UUID:
        return self.world.ids[name]

    def pick(self, at: int) -> str:
        return sorted(self.plain.txns)[at % len(self.plain.txns)]

    def do(self, intent: Intent, after: Plain | None) -> None:
        """Has the intent carried out; `after` is what must come of it, None when it must be refused."""
        entry = self.world.run(self._carry_out(intent))
        if after is None:
            assert isinstance(entry, PennyError), f"{intent.kind} should have been refused"
            return
        assert not isinstance(entry, PennyError), f"{intent} was refused: {entry}"
        if entry:
            self.did(entry, after)
        else:
            assert after.flat() == self.plain.flat(), f"{intent.kind} changed nothing"
        self.plain = after

    def did(self, entry: UUID, after: Plain) -> None:
        """Notes what the journal's entry has made of the ledger."""
        self.done.append((entry, self.plain, after))
        self.plain = after

    def undo(self, entry: UUID) -> bool:
        """Takes the entry back, if that is well defined; then every row is as it was, later changes elsewhere kept."""
        made = self.world.run(self._carry_out(undoing(entry)))
        if not isinstance(made, UUID):
            return False
        _, before, after = next(each for each in self.done if each[0] == entry)
        self.did(made, self.plain.back(before, after))
        return True

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
