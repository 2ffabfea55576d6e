"""Summaries of older turns, made in the background after a run has ended: no reply waits for one, and none depends on
one. When making it fails, everything stays as it is, and a later run brings it about again.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from decimal import Decimal
from typing import cast

import asyncpg
import structlog
from langchain_core.messages import AIMessageChunk, HumanMessage

from agent.asking import priced_as, tokens_of
from agent.capabilities import cost
from agent.history import HIGH_TOKENS, HIGH_TURNS, LOW_TOKENS, LOW_TURNS, as_told, by_turn, clean, newest, tokens
from agent.metering import OUTPUT_TOKENS
from agent.minutes import by_code, tidy, transcript
from agent.model import ModelRequest, ModelUnavailable, Situation
from agent.spending import priced
from agent.start import Agent
from db.engine import Transaction
from domain.errors import PennyError
from memory import messages, summaries, usage
from memory.messages import Message
from memory.runs import Claim, Tokens
from memory.summaries import Summary
from memory.usage import Spent
from prompts.library import load_summary

log = structlog.get_logger(__name__)

AT_ONCE = 4
"""Summaries that one process makes at once."""

MOST_TURNS_READ = 300
MODEL_SECONDS = 60.0
BY_CODE = "code"


@dataclass(frozen=True, slots=True)
class Made:
    """A summary, who made it, and what that took."""

    text: str
    by: str
    spent: tuple[Spent, ...] = ()


class Summarizer:
    """Makes the summaries that runs of this process leave due."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        self._prompt = load_summary()
        self._room = asyncio.Semaphore(AT_ONCE)
        self._under_way: set[asyncio.Task[None]] = set()

    def begin(self, claim: Claim, situation: Situation) -> None:
        """Has the older turns of the run's session summarized, in its own time."""
        task = asyncio.create_task(self._make(claim, situation), name=f"summary-{claim.session_id}")
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def stop(self) -> None:
        """Gives up what is under way; a later run begins it again."""
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)

    async def settled(self) -> None:
        """Returns when nothing is under way."""
        while self._under_way:
            await asyncio.gather(*self._under_way, return_exceptions=True)

    async def _make(self, claim: Claim, situation: Situation) -> None:
        try:
            async with self._room, asyncio.timeout(MODEL_SECONDS):
                await self._renew(claim, situation)
        except (PennyError, TimeoutError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            log.warning("summary.failed", session_id=str(claim.session_id), error=type(error).__name__)
        except Exception:
            log.exception("summary.broke", session_id=str(claim.session_id))

    async def _renew(self, claim: Claim, situation: Situation) -> None:
        async with self._agent.db.transaction(claim.user) as tx:
            mine, before = await summaries.begin(tx, claim.session_id)
            if not mine:
                return
            covered = before.through_turn if before else 0
            turns = by_turn(await messages.standing(tx, claim.session_id, claim.turn, MOST_TURNS_READ, after=covered))
            sizes = [tokens(as_told(turn)) for turn in turns]
            if not newest(sizes, HIGH_TURNS, HIGH_TOKENS):  # a summary was made since the run was told its history
                await summaries.give_up(tx, claim.session_id)
                return
            allowed = await self._allowed(tx, claim)
        older = turns[: newest(sizes, LOW_TURNS, LOW_TOKENS)]
        made = await self._write(before, older, situation, by_model=allowed)
        async with self._agent.db.transaction(claim.user) as tx:
            kept = await summaries.add(
                tx,
                claim.session_id,
                older[-1][0].turn,
                made.text,
                model=made.by,
                prompt_version=self._prompt.version,
                spent=made.spent,
            )
        log.info("summary.made", session_id=str(claim.session_id), by=made.by, turns=len(older), kept=kept)

    async def _allowed(self, tx: Transaction, claim: Claim) -> bool:
        """Whether a model may be asked: it can write, and the day's caps leave room for it."""
        model, caps = self._agent.model, self._agent.allowance.caps
        if not model.abilities.prose or not caps.any:
            return model.abilities.prose
        need = Tokens(input=HIGH_TOKENS, output=OUTPUT_TOKENS)
        price = cost(model.name, need) or Decimal()
        return await usage.reserve(tx, claim.run_id, need.weight, price, caps) is None

    async def _write(
        self, before: Summary | None, older: Sequence[Sequence[Message]], situation: Situation, *, by_model: bool
    ) -> Made:
        """The text that takes the place of the summary before and of these turns. Raises ModelUnavailable when what
        the model wrote is not whole."""
        old = before.text if before else ""
        model = self._agent.model
        if not by_model:
            return Made(by_code(old, older), BY_CODE)
        asked = HumanMessage(transcript(old, older))
        request = ModelRequest(self._prompt.text, situation, (), (asked,), (), minutes=True)
        whole: AIMessageChunk | None = None
        async with aclosing(cast("AsyncGenerator[AIMessageChunk, None]", model.stream(request))) as chunks:
            async for chunk in chunks:
                whole = chunk if whole is None else whole + chunk
        text = tidy(clean(str(whole.text))) if whole is not None else ""
        if whole is None or not text or whole.response_metadata.get("stopReason", "end_turn") != "end_turn":
            raise ModelUnavailable("The model gave no summary.")
        return Made(text, model.name, (priced(tokens_of(whole), priced_as(whole, model)),))
