"""What a run works with and starts from: the history before its turn, the turn as it is stored, the prompt."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from langgraph.graph.state import CompiledStateGraph

from agent.graph import TurnContext, TurnState
from agent.history import WINDOW_TURNS, earlier, said, with_notes
from agent.model import Model, Situation
from db.engine import Database, Transaction
from domain.clock import Clock, today
from domain.failpoints import Reached, inert
from ledger import profile
from memory import messages
from memory.frames import Frame
from memory.messages import Message
from memory.runs import Claim, Tokens
from prompts.library import Prompt
from tools.tool import ToolContext


@dataclass(frozen=True)
class Agent:
    """What every run of this process works with. `owner` names the process in leases."""

    db: Database
    model: Model
    prompt: Callable[[], Prompt]
    clock: Clock
    graph: CompiledStateGraph[TurnState, TurnContext, TurnState, TurnState]
    owner: str
    reached: Reached = inert


@dataclass(frozen=True)
class Start:
    """What a run starts from."""

    context: TurnContext
    turn: list[Message]
    logged: list[Frame]
    cancelled: bool


async def starting(
    tx: Transaction,
    agent: Agent,
    claim: Claim,
    *,
    logged: list[Frame],
    cancelled: bool,
    keep: Callable[[Sequence[Message]], Awaitable[list[Message]]],
    count: Callable[[Tokens, str], None],
) -> Start:
    """Reads what the run starts from. `logged` is what earlier attempts told; `keep` and `count` are its own."""
    stored = await messages.turns(tx, claim.session_id, claim.turn - WINDOW_TURNS, claim.turn)
    person = await profile.get(tx)
    turn = [m for m in stored if m.turn == claim.turn]
    past, notes = earlier(m for m in stored if m.turn < claim.turn)
    prefs = person.preferences
    day = today(agent.clock, prefs.time_zone)
    situation = Situation(day, prefs.locale, prefs.currency, prefs.time_zone, person.categories, person.accounts)
    prompt = agent.prompt()
    context = TurnContext(
        model=agent.model,
        system=prompt.render(_variables(situation)),
        situation=situation,
        earlier=past,
        opening=with_notes(notes, turn[0].text),
        tools=ToolContext(
            db=agent.db,
            user=claim.user,
            today=day,
            preferences=prefs,
            clock=agent.clock,
            session_id=claim.session_id,
            run_id=claim.run_id,
            prompt_version=prompt.version,
            said=said(stored),
        ),
        keep=keep,
        count=count,
    )
    return Start(context, turn, logged, cancelled)


def _variables(at: Situation) -> dict[str, str]:
    return {
        "today": at.today.isoformat(),
        "weekday": at.today.strftime("%A"),
        "locale": at.locale,
        "currency": at.currency,
        "time_zone": ZoneInfo(at.time_zone).key,
        "categories": ", ".join(at.categories) or "none yet",
        "accounts": ", ".join(at.accounts) or "none yet",
    }
