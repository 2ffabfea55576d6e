"""What a run works with and starts from: the history before its turn, the turn as it is stored, the prompt."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

from langgraph.graph.state import CompiledStateGraph

from agent.events import Event
from agent.graph import TurnContext, TurnState
from agent.grounding.turn import Grounding, Mode
from agent.history import MOST_TURNS, earlier, opening, said
from agent.limits import Allowance
from agent.metering import Metered
from agent.model import Model, ModelRequest, Situation
from agent.spending import Spending
from db.engine import Database, Transaction
from domain.clock import Clock, today
from domain.failpoints import Reached, inert
from domain.metrics import UNTOLD, Metrics
from domain.tracing import UNTRACED, Tracer
from ledger import profile
from memory import usage
from memory.beginnings import Beginning, Reading
from memory.frames import Frame
from memory.messages import Message
from memory.runs import Claim
from memory.usage import Cap
from prompts import store
from prompts.library import Prompt
from prompts.rollout import Rollouts
from tools import catalog
from tools.tool import ToolContext

FOLLOW_UP_ROUNDS = 2
"""A reply to a decision is short."""

READING = Reading(MOST_TURNS, profile.QUERY)
"""What is read for a run."""


@dataclass(frozen=True)
class Agent:
    """What every run of this process works with. `owner` names the process in leases; `prompt` is the base, which
    `rollouts` may replace for a user."""

    db: Database
    model: Model
    prompt: Callable[[], Prompt]
    clock: Clock
    graph: CompiledStateGraph[TurnState, TurnContext, TurnState, TurnState]
    owner: str
    reached: Reached = inert
    grounding: Mode = "annotate"
    allowance: Allowance = field(default_factory=Allowance)
    rollouts: Rollouts = field(default_factory=Rollouts)
    metrics: Metrics = UNTOLD
    tracer: Tracer = UNTRACED

    def prompt_of(self, user: UUID) -> Prompt:
        """What a reply to this user that begins now is made with."""
        return self.rollouts.choose(user, self.prompt())


@dataclass(frozen=True)
class Start:
    """What a run starts from. `due`: after it, older turns are to be summarized."""

    context: TurnContext
    grounding: Grounding
    turn: list[Message]
    logged: list[Frame]
    cancelled: bool
    due: bool = False


async def starting(
    tx: Transaction,
    agent: Agent,
    claim: Claim,
    *,
    prompt: Prompt,
    beginning: Beginning,
    logged: list[Frame],
    cancelled: bool,
    keep: Callable[[Sequence[Message]], Awaitable[list[Message]]],
    tell: Callable[[Event], None],
    spending: Spending,
) -> Start:
    """The run's start from what was read for it, and the prompt that it is made with. `logged` is what earlier attempts
    told; `keep`, `tell` and `spending` are its own."""
    if beginning.prompt_text is not None:
        prompt = Prompt(beginning.prompt_version.rpartition("-")[0], beginning.prompt_text)
    elif not agent.rollouts.is_kept(prompt.version):
        await store.keep(tx.pg, prompt)
    told, stored, person = beginning.summary, beginning.messages, profile.of(beginning.person)
    turn = [m for m in stored if m.turn == claim.turn]
    past = earlier((m for m in stored if m.turn < claim.turn), told.text if told else "")
    prefs = person.preferences
    day = today(agent.clock, prefs.time_zone)
    where = prefs.locale, prefs.currency, prefs.time_zone
    situation = Situation(day, *where, person.categories, person.accounts, person.tenant)
    rendered = prompt.render(variables(situation, beginning.facts))
    own_words = (*beginning.facts, *said(stored))
    grounding = Grounding(agent.grounding, situation, own_words, [m for m in stored if m.turn < claim.turn])
    context = TurnContext(
        model=Metered(agent.model, spending.add),
        system=rendered.constant,
        aside=rendered.aside,
        outside=told is not None or any(m.role == "notice" for m in stored),
        situation=situation,
        earlier=past.told,
        opening=opening(past.notes, turn[0]),
        tracer=agent.tracer,
        tools=ToolContext(
            db=agent.db,
            user=claim.user,
            today=day,
            preferences=prefs,
            clock=agent.clock,
            session_id=claim.session_id,
            run_id=claim.run_id,
            prompt_version=prompt.version,
            said=said(stored) if turn[0].role == "user" else (),
            proposals=agent.allowance.proposals,
            records_begin=person.records_begin,
        ),
        keep=keep,
        tell=tell,
        count=spending.add,
        voice=grounding.voice,
        rounds=agent.allowance.tool_rounds if turn[0].role == "user" else FOLLOW_UP_ROUNDS,
    )
    if agent.allowance.caps.any:
        context = replace(context, model=await _within_caps(tx, agent, claim, context, spending))
    return Start(context, grounding, turn, logged, cancelled, past.due)


async def _within_caps(
    tx: Transaction, agent: Agent, claim: Claim, context: TurnContext, spending: Spending
) -> Metered:
    """The run's model, with what its first calls may take set aside in this transaction."""
    caps = agent.allowance.caps

    async def now(tx: Transaction, tokens: int, usd: Decimal) -> Cap | None:
        unstored, price = usage.sums(spending.unstored())
        return await usage.reserve(tx, claim.run_id, tokens + unstored.weight, usd + (price or 0), caps)

    async def later(tokens: int, usd: Decimal) -> Cap | None:
        async with agent.db.transaction(claim.user) as own:
            return await now(own, tokens, usd)

    metered = Metered(agent.model, spending.add, later)
    specs = catalog.specs() if agent.model.abilities.tools else ()
    first = ModelRequest(context.system, context.situation, context.earlier, [context.opening], specs, context.aside)
    await metered.ask_for(first, lambda tokens, usd: now(tx, tokens, usd))
    return metered


def variables(at: Situation, facts: Sequence[str]) -> dict[str, str]:
    """What prompts are rendered with."""
    return {
        "today": at.today.isoformat(),
        "weekday": at.today.strftime("%A"),
        "locale": at.locale,
        "currency": at.currency,
        "time_zone": ZoneInfo(at.time_zone).key,
        "categories": ", ".join(at.categories) or "none yet",
        "accounts": ", ".join(at.accounts) or "none yet",
        "facts": "".join(f"\n- {fact}" for fact in facts) or "nothing yet.",
    }
