"""One run: from the user's message to the terminal event, as the owner of a claim makes it.

Finished steps are stored as they happen; the end (last message, last events, status) is one transaction. What another
owner left behind is reconciled first: whoever applies the events in order ends with exactly the final text.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Any, Literal, cast

import asyncpg
import structlog

from agent import events as ev
from agent import takeover
from agent.ended import Ended, tell
from agent.graph import CONFIG, unanswered, unfinished
from agent.model import Situation
from agent.spending import Spending
from agent.start import READING, Agent, Start, starting
from agent.takeover import Told
from db.connection import DatabaseUnavailable, PoolExhausted
from db.engine import Transaction
from domain.errors import PennyError, Unavailable
from memory import beginnings, events, messages, steps
from memory.beginnings import Beginning
from memory.event_log import Stream
from memory.frames import Frame, lines
from memory.messages import Message, reply_text
from memory.runs import Claim, End, LeaseLost
from prompts.library import Prompt
from tools import proposals
from tools.proposals.store import lock_ledger

log = structlog.get_logger(__name__)

DEADLINE_SECONDS = 600
MAX_ATTEMPTS = 10
"""A run that so many owners did not finish may itself be what ends them."""

COMPLETE_RETRY_SECONDS = 0.5

AWAY = (
    OSError,
    asyncpg.InterfaceError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.TransactionRollbackError,
)
"""What the driver raises while the database is away, or when two transactions stood in each other's way."""

StopReason = Literal["cancel", "handover"]


class RunTimedOut(Unavailable):
    """The reply took longer than a run may."""

    code = "run_timed_out"


class RunAbandoned(Unavailable):
    """Too many attempts at this run ended without a word."""

    code = "run_abandoned"


@dataclass
class Run:
    """The making of one reply. `stop_reason` tells why the task was cancelled, when it is; a run that is `ending` need
    not be cancelled any more; one that failed has a `code`. `others_wait`: after it, a queued run of its user may be
    due."""

    agent: Agent
    claim: Claim
    stream: Stream
    stop_reason: StopReason | None = None
    ending: bool = False
    others_wait: bool = True
    code: str | None = None
    _start: Start | None = None
    _turn: list[Message] = field(default_factory=list)
    _reply: str = ""
    _spending: Spending = field(default_factory=Spending)
    _told: Told = field(default_factory=set)
    _answered_by: str | None = None
    _figures: list[dict[str, Any]] | None = None
    _began: float = field(default_factory=time.monotonic)
    _first_token: float | None = None

    @property
    def summary_due(self) -> Situation | None:
        """Whom older turns are to be summarized for once the run has ended; None when it is too early for that."""
        return self._start.context.situation if self._start and self._start.due else None

    async def perform(self) -> None:
        """Makes the reply. Raises LeaseLost when another process took over, CancelledError on a handover,
        DatabaseUnavailable or PoolExhausted when a later attempt is to go on from what is stored."""
        structlog.contextvars.bind_contextvars(run_id=str(self.claim.run_id))  # in this task alone
        status: End = "failed"
        last: ev.Event
        try:
            async with asyncio.timeout(DEADLINE_SECONDS):
                self._start = start = self._start or await self._load()
                self.agent.rollouts.kept(start.context.tools.prompt_version)
                self.agent.reached("run.loaded")
                await self._announce(start)
                if self.claim.attempt > MAX_ATTEMPTS:
                    raise RunAbandoned("The reply could not be made. Please try again.")
                if start.cancelled:
                    self.stop_reason = "cancel"
                    raise asyncio.CancelledError
                await self._play(start)
            status, last = "finished", self._finished()
        except asyncio.CancelledError:
            if self.stop_reason != "cancel":  # handed over, or the process ends
                raise
            status, last = "cancelled", ev.RunCancelled()
        except (LeaseLost, DatabaseUnavailable, PoolExhausted):
            raise
        except TimeoutError:
            last = _failed(RunTimedOut("The reply took too long and was stopped. Please try again."))
        except PennyError as error:
            last = _failed(error)
        except Exception:
            log.exception("run.crashed", run_id=str(self.claim.run_id))
            last = ev.RunFailed("internal", "Something went wrong on our side. Please try again.", True)
        self.ending = True
        await self._ground(reply_text(self._turn) if status == "finished" else self._reply)
        await self._complete(status, last)

    async def _play(self, start: Start) -> None:
        """Runs the graph, from what is stored to the answer; whatever ends it closes the model's stream."""
        parts = self.agent.graph.astream(
            {"messages": start.turn},
            CONFIG,
            context=start.context,
            stream_mode=["updates"],
            version="v2",
        )
        async with aclosing(cast("AsyncGenerator[Any, None]", parts)):
            async for part in parts:
                if self.stop_reason is not None:  # a cancellation that a library let pass
                    raise asyncio.CancelledError
                if part["type"] == "updates":
                    for update in part["data"].values():
                        self._turn += update["messages"]

    async def load(self, tx: Transaction, beginning: Beginning, prompt: Prompt) -> None:
        """Takes along what a run that was just accepted starts from, in the transaction that accepted it."""
        self._start = await self._starting(tx, prompt, beginning, [], cancelled=False)

    async def _load(self) -> Start:
        claim = self.claim
        async with self.agent.db.transaction(claim.user) as tx:
            so_far = await steps.so_far(tx, claim)
            self._spending.total, self._spending.cost = so_far.tokens, so_far.cost
            logged = (await events.read(tx, claim.run_id, 0))[0] if claim.attempt > 1 else []
            prompt = self.agent.prompt_of(claim.user)
            beginning = await beginnings.read(
                tx, claim, READING, model=self.agent.model.name, prompt_version=prompt.version
            )
            start = await self._starting(tx, prompt, beginning, logged, cancelled=so_far.cancelled)
            if start.turn[0].body.get("edit_of"):  # what it replaces may have proposed until it ended
                await lock_ledger(tx)
                await proposals.supersede(tx, claim.run_id)
            return start

    async def _starting(
        self, tx: Transaction, prompt: Prompt, beginning: Beginning, logged: list[Frame], *, cancelled: bool
    ) -> Start:
        return await starting(
            tx,
            self.agent,
            self.claim,
            prompt=prompt,
            beginning=beginning,
            logged=logged,
            cancelled=cancelled,
            keep=self._keep,
            tell=self._tell,
            spending=self._spending,
        )

    async def _announce(self, start: Start) -> None:
        self._turn = list(start.turn)
        if self.claim.attempt == 1:
            self._emit(self._started(start))
        else:
            await self._reconcile(start)

    def _started(self, start: Start) -> ev.RunStarted:
        claim = self.claim
        return ev.RunStarted(
            str(claim.run_id),
            str(claim.session_id),
            str(claim.message_id),
            self.agent.model.name,
            start.context.tools.prompt_version,
        )

    def _finished(self) -> ev.RunFinished:
        """The reply, what it fell short of, and the model that gave it where another stood in."""
        about = self._turn[-1].body
        self._answered_by = about.get("model")
        other = self._answered_by if self._answered_by != self.agent.model.name else None
        return ev.RunFinished(str(self.claim.message_id), reply_text(self._turn), about.get("outcome"), other)

    async def _reconcile(self, start: Start) -> None:
        """Brings the log in line with the stored steps: withdraws text of the interrupted step, adds lost events."""
        self._reply, self._told = takeover.told(start.logged)
        if not start.logged:
            self._emit(self._started(start))
        self._emit(ev.RunResumed(self.claim.attempt))
        made = await proposals.get_all(self.agent.db, self.claim.user, takeover.proposals_of(start.turn))
        for event in takeover.mended(self._reply, start.turn, made):
            self._emit(event)

    def _tell(self, event: ev.Event) -> None:
        """Takes an event of the graph's, in the middle of a step."""
        if self.stop_reason is not None:
            raise asyncio.CancelledError
        self._emit(event)

    def _emit(self, event: ev.Event) -> None:
        if isinstance(event, ev.TextDelta):
            self._reply += event.text
            if self._first_token is None:
                self._first_token = time.monotonic() - self._began
        elif isinstance(event, ev.TextRetracted):
            self._reply = self._reply[: event.keep]
        elif call_id := getattr(event, "call_id", None):
            if (event.type, call_id) in self._told:
                return
            self._told.add((event.type, call_id))
        self.stream.emit(event.type, ev.data_of(event))

    async def _ground(self, text: str) -> None:
        """Holds the figures of the whole reply against the facts, once nothing of it can change any more."""
        if self._start is not None and text:
            self._figures = await self._start.grounding.figures(text, self._turn)
        if self._figures is not None:
            self._emit(ev.Grounding(self._figures))

    def _placed(self, new: Sequence[Message], kept: Sequence[Message]) -> list[Message]:
        return [replace(m, turn=self.claim.turn, pos=len(kept) + n) for n, m in enumerate(new)]

    async def _keep(self, new: Sequence[Message]) -> list[Message]:
        placed = self._placed(new, self._turn)
        self.agent.reached("results.storing" if placed[0].role == "tool" else "call.storing")
        await steps.append(
            self.agent.db, self.claim, self.agent.owner, placed, self._spending.unstored(), ring=self.stream.ring
        )
        self._spending.stored()
        self.agent.reached("results.stored" if placed[0].role == "tool" else "call.stored")
        return placed

    async def _ending(self, status: End) -> list[Message]:
        """The messages that close the turn. One that did not finish keeps what was said, every call answered; what it
        closes is read again, for a step may have been stored and not been heard of."""
        if status == "finished":
            *kept, last = self._turn
            last = replace(last, id=self.claim.message_id, body=self._with_figures(last.body))
            return self._placed([last], kept)
        async with self.agent.db.read(self.claim.user) as tx:
            turn = await messages.turns(tx, self.claim.session_id, self.claim.turn, self.claim.turn)
        open_calls = [unfinished(call) for call in unanswered(turn)]
        said_before = reply_text(turn)
        partial = self._reply[len(said_before) :].lstrip("\n")
        closing = Message("assistant", partial, {"status": status}, id=self.claim.message_id)
        if reply_text([*turn, closing]) == self._reply:
            closing = replace(closing, body=self._with_figures(closing.body))
        return self._placed([*open_calls, closing], turn)

    def _with_figures(self, body: dict[str, Any]) -> dict[str, Any]:
        return body | {"figures": self._figures} if self._figures else body

    async def _complete(self, status: End, last: ev.Event) -> None:
        """Ends the run, trying again while the database is away, until the lease is another's."""
        error = ev.data_of(last) if isinstance(last, ev.RunFailed) else None
        used, cost = self._spending.total, self._spending.cost
        dollars = None if cost is None else float(cost)  # a number on the wire; what is stored is exact
        self._emit(ev.Usage(used.input, used.output, used.cache_read, used.cache_write, dollars))
        self._emit(last)
        frames: list[Frame] = []
        while True:
            try:
                frames = frames or await self.stream.log.take_last(self.stream)
                closing = await self._ending(status)
                self.agent.reached("end.storing")
                self.others_wait = await steps.complete(
                    self.agent.db,
                    self.claim,
                    self.agent.owner,
                    status=status,
                    messages=closing,
                    events=lines(frames),
                    spent=self._spending.unstored(),
                    error=error,
                    model=self._answered_by,
                    ring=self.stream.ring,
                )
            except (Unavailable, *AWAY) as away:
                log.warning("run.complete_retried", run_id=str(self.claim.run_id), error=type(away).__name__)
                await asyncio.sleep(COMPLETE_RETRY_SECONDS)
            else:
                self.agent.reached("end.stored")
                self.stream.show(frames, last=True)
                self._tell_how_it_went(status, getattr(last, "code", None))
                return

    def _tell_how_it_went(self, status: End, code: str | None) -> None:
        self.code = code
        model = self._answered_by or self.agent.model.name
        took = time.monotonic() - self._began
        how = Ended(status, code, model, took, self._first_token, self._spending.total, self._spending.cost)
        tell(how, self.claim, self.agent.metrics)


def _failed(error: PennyError) -> ev.RunFailed:
    return ev.RunFailed(error.code, error.message, error.retryable, error.details.get("retry_after"))
