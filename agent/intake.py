"""What users ask of runs: saying something, trying again, deciding with a reply to it, stopping.

Each is one transaction; a run that may be made at once starts here when it is committed.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import UUID
from weakref import WeakValueDictionary

from agent.history import clean
from agent.limits import Limits
from agent.live import LiveRuns
from agent.run import Run
from agent.start import READING, Agent
from db.connection import PoolExhausted
from db.engine import Database, Transaction
from domain.errors import InvalidInput, PennyError, Unavailable
from memory import acceptance, cancelling
from memory.acceptance import IfRunning, Terms
from memory.runs import Accepted
from prompts.library import Prompt
from tools import proposals
from tools.proposals import Applied
from tools.proposals.store import lock_ledger

Along = Callable[[Transaction, Accepted], Awaitable[None]]
"""What a caller writes in the transaction that takes a message."""


class Draining(Unavailable):
    """This server is about to stop and takes nothing new."""

    code = "draining"


@dataclass(frozen=True, slots=True)
class Confirmed:
    """A proposal that was carried out, and the run that answers the decision, if one was asked for."""

    applied: Applied
    run_id: UUID | None = None


@dataclass(eq=False)
class _Turnstile:
    """Where the requests of one user wait for each other; when one last waited for a connection in vain, and what it
    was told."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    refused_at: float = -math.inf
    refusal: PoolExhausted | None = None


@dataclass
class _Taken:
    """A run that is being accepted: `accepted` once it is, `run` when it is to be made here."""

    tx: Transaction
    prompt: Prompt
    accepted: Accepted | None = None
    run: Run | None = None


class Intake:
    """The door of this process. `db` has the patience of a request; `wake` is called when a run may be due."""

    def __init__(
        self,
        db: Database,
        agent: Agent,
        live: LiveRuns,
        wake: Callable[[], None],
        *,
        lease_seconds: float,
        limits: Limits,
    ) -> None:
        self._db = db
        self._agent = agent
        self._live = live
        self._wake = wake
        self._lease_seconds = lease_seconds
        self._limits = limits
        self.draining = False
        self._turnstiles: WeakValueDictionary[UUID, _Turnstile] = WeakValueDictionary()

    async def submit(
        self,
        user: UUID,
        session_id: UUID,
        text: str,
        *,
        client_id: str | None = None,
        if_running: IfRunning = "enqueue",
        edit_of: UUID | None = None,
        along: Along | None = None,
    ) -> Accepted:
        """As Runner.submit."""
        self._refuse_when_draining()
        text = clean(text).strip()
        if not text:
            raise InvalidInput("The message is empty; write what you want to know or change.")
        if len(text) > self._limits.message_characters:
            raise InvalidInput(
                f"The message has {len(text):,} characters; at most {self._limits.message_characters:,} are possible."
            )
        async with self._taking(user) as taken:
            if edit_of is not None:
                await lock_ledger(taken.tx)
            accepted = taken.accepted = await acceptance.accept(
                taken.tx,
                session_id,
                text,
                self._terms(taken.prompt),
                client_id=client_id,
                if_running=if_running,
                edit_of=edit_of,
            )
            if accepted.replaces is not None:
                await proposals.supersede(taken.tx, accepted.run_id)
            if along is not None:
                await along(taken.tx, accepted)
        await self._interrupt(user, accepted)
        return accepted

    async def retry(self, user: UUID, run_id: UUID) -> Accepted:
        """As Runner.retry."""
        self._refuse_when_draining()
        async with self._taking(user) as taken:
            accepted = taken.accepted = await try_again(taken.tx, run_id, self._terms(taken.prompt))
        await self._interrupt(user, accepted)
        return accepted

    async def confirm(self, user: UUID, proposal_id: UUID, hash_: str, *, approval: str, follow_up: bool) -> Confirmed:
        """As Runner.confirm."""
        cause = f"decision on {proposal_id}"
        async with self._taking(user) as taken:
            tx = taken.tx
            if follow_up:  # the locks in their order; without a reply, claiming takes the one it needs
                await lock_ledger(tx)
                await acceptance.lock(tx)
            outcome = await proposals.claim(tx, proposal_id, hash_, approval)
            if follow_up and isinstance(outcome, Applied):
                if outcome.turn is None:  # decided before, or no session to answer in
                    taken.accepted = await acceptance.of_cause(tx, cause)
                else:
                    session = UUID(outcome.proposal["session_id"])
                    taken.accepted = await acceptance.follow(
                        tx, session, outcome.turn, cause, self._terms(taken.prompt)
                    )
        if isinstance(outcome, PennyError):
            raise outcome
        return Confirmed(outcome, taken.accepted.run_id if taken.accepted else None)

    async def cancel(self, user: UUID, run_id: UUID) -> None:
        """As Runner.cancel."""
        async with self._db.transaction(user) as tx:
            done = await cancelling.cancel(tx, run_id)
        live = self._live.get(run_id)
        if done == "asked" and live is not None:
            self._live.stop(live, "cancel")
        if done == "ended":
            self._wake()

    def _refuse_when_draining(self) -> None:
        if self.draining:
            raise Draining("This server is stopping; please send the message again.")

    def _terms(self, prompt: Prompt) -> Terms:
        return Terms(
            self._agent.owner,
            self._lease_seconds,
            self._agent.model.name,
            prompt.version,
            queue_only=self.draining or len(self._live) >= self._limits.runs_at_once,
            per_user=self._limits.runs_per_user,
            reading=READING,
        )

    @asynccontextmanager
    async def _taking(self, user: UUID) -> AsyncIterator[_Taken]:
        """A transaction in which a run may be accepted; one that this process claimed starts after the commit. One at a
        time for each user: they wait for each other in the database anyway, and here without a connection."""
        async with self._turn_of(user), self._db.transaction(user) as tx:
            taken = _Taken(tx, self._agent.prompt_of(user))
            yield taken
            if taken.accepted and taken.accepted.claim and taken.accepted.beginning:
                taken.run = self._live.made(taken.accepted.claim, 0, tx.ring)
                await taken.run.load(tx, taken.accepted.beginning, taken.prompt)
            self._agent.reached("accept.storing")
        self._agent.reached("accept.stored")
        if taken.run is not None:
            self._live.launch(taken.run)
        elif taken.accepted is not None:  # what it waits for may have ended meanwhile
            self._wake()

    @asynccontextmanager
    async def _turn_of(self, user: UUID) -> AsyncIterator[None]:
        """One request of the user at a time. Whoever stands behind one that finds no connection for as long as a
        request may wait is told so with it, and does not wait as long again. Raises PoolExhausted."""
        turnstile, came = self._turnstiles.setdefault(user, _Turnstile()), time.monotonic()
        async with turnstile.lock:
            if turnstile.refusal is not None and turnstile.refused_at >= came:
                raise PoolExhausted(turnstile.refusal.message, **turnstile.refusal.details)
            try:
                yield
            except PoolExhausted as refusal:
                turnstile.refused_at, turnstile.refusal = time.monotonic(), refusal
                raise

    async def _interrupt(self, user: UUID, accepted: Accepted) -> None:
        for run_id in accepted.interrupts:
            await self.cancel(user, run_id)


async def try_again(tx: Transaction, run_id: UUID, terms: Terms) -> Accepted:
    """Says a failed or cancelled run's message again (memory.acceptance.again). Raises NotFound, NotOver."""
    await lock_ledger(tx)
    accepted = await acceptance.again(tx, run_id, terms)
    if accepted.replaces is not None:
        await proposals.supersede(tx, accepted.run_id)
    return accepted
