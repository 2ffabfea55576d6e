"""The replies that this process is making: started, watched to their end, stopped, given back."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

import asyncpg
import structlog

from agent.run import Run, StopReason
from agent.start import Agent
from agent.summarizing import Summarizer
from db.connection import DatabaseUnavailable, PoolExhausted
from db.sealing.ring import Ring
from domain.errors import PennyError
from domain.tracing import Attribute
from memory import queue
from memory.event_log import EventLog
from memory.runs import Claim, LeaseLost

log = structlog.get_logger(__name__)

RECONNECT_SECONDS = 1.0
INSIST_SECONDS = 10.0


@dataclass
class Live:
    """A reply under way in this process."""

    run: Run
    task: asyncio.Task[None]
    stopped_at: float = 0.0


class LiveRuns:
    """This process's replies by run. `started` is told of each that begins, `ended` when one ended here, and whether
    others may be due for that."""

    def __init__(self, agent: Agent, started: Callable[[UUID], None], ended: Callable[[bool], None]) -> None:
        self._agent = agent
        self._started = started
        self._ended = ended
        self._live: dict[UUID, Live] = {}
        self.summarizer = Summarizer(agent)
        self.log = EventLog(agent.owner, agent.db.worker_connection, self.lost, agent.reached, agent.metrics)

    def __len__(self) -> int:
        return len(self._live)

    def get(self, run_id: UUID) -> Live | None:
        """The run, if it is being made here."""
        return self._live.get(run_id)

    def all(self) -> list[Live]:
        """Those of this moment."""
        return list(self._live.values())

    def made(self, claim: Claim, last_seq: int, ring: Ring) -> Run:
        """A run of this process that goes on after the event `last_seq`; `launch` starts it. `ring` is its user's, for
        as long as it runs."""
        return Run(self._agent, claim, self.log.open(claim, last_seq, ring))

    def launch(self, run: Run) -> None:
        """Starts making the reply."""
        claim = run.claim
        if (before := self._live.get(claim.run_id)) is not None:  # our lease ran out while we were stopped
            self.stop(before, "handover")
        self._started(claim.run_id)
        task = asyncio.create_task(self._perform(run), name=f"run-{claim.run_id}")
        self._live[claim.run_id] = Live(run, task)

    def stop(self, live: Live, reason: StopReason) -> None:
        """Stops a run that is not ending anyway. Called again (by the heartbeat), it insists, but not at once: a second
        cancellation in the middle of LangGraph's cleaning up would leave the model's stream open."""
        now = asyncio.get_running_loop().time()
        if not live.run.ending and (live.run.stop_reason is None or now - live.stopped_at > INSIST_SECONDS):
            live.run.stop_reason = live.run.stop_reason or reason
            live.stopped_at = now
            live.task.cancel()

    def lost(self, claim: Claim) -> None:
        """The database says that another process owns the run (or that it is over)."""
        live = self._live.get(claim.run_id)
        if live is not None and live.run.claim.attempt == claim.attempt:
            self.stop(live, "handover")

    async def release(self, claims: Sequence[Claim]) -> None:
        """Lets others take the runs over at once; if the database is away their leases run out instead."""
        with contextlib.suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError, PennyError):
            worker = await self._agent.db.worker_connection()
            await queue.release(worker, self._agent.owner, claims)
            await worker.close()

    async def _perform(self, run: Run) -> None:
        try:
            with self._agent.tracer.within("invoke_agent penny", about(run.claim)) as span:
                await run.perform()
                if run.code is not None:
                    span.failed(run.code)
            if run.summary_due is not None:
                self.summarizer.begin(run.claim, run.summary_due)
        except LeaseLost:
            log.info("run.lease_lost", run_id=str(run.claim.run_id), attempt=run.claim.attempt)
        except asyncio.CancelledError:
            log.info("run.handed_over", run_id=str(run.claim.run_id))
        except (DatabaseUnavailable, PoolExhausted) as away:
            log.warning("run.interrupted", run_id=str(run.claim.run_id), error=type(away).__name__)
            await self._give_back(run.claim)
        except Exception:  # not ended: its lease runs out and a fresh attempt goes on from what is stored
            log.exception("run.broke", run_id=str(run.claim.run_id))
        finally:
            run.stream.abandon()
            if (live := self._live.get(run.claim.run_id)) is not None and live.run is run:
                del self._live[run.claim.run_id]  # not the attempt that took over from this one, here
            self._ended(run.others_wait)

    async def _give_back(self, claim: Claim) -> None:
        """Lets a fresh attempt go on, here or elsewhere, when the database has had a moment."""
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(RECONNECT_SECONDS)
        await self.release([claim])


def about(claim: Claim) -> dict[str, Attribute]:
    """What a run's span says of it."""
    return {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.agent.name": "penny",
        "gen_ai.conversation.id": str(claim.session_id),
        "penny.run_id": str(claim.run_id),
        "penny.attempt": claim.attempt,
    }
