"""What `penny chat` offers those who work on prompts: how the last reply came about, going back, going on elsewhere,
and keeping a conversation as a case."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from uuid import UUID

from domain.clock import today
from domain.errors import InvalidInput
from domain.ids import parse_id
from lab.cases.case import Case
from lab.cases.saved import case_of, given_of
from ledger import preferences
from memory import facts, forking, messages, sessions, traces
from memory.messages import Message
from penny.bootstrap import Services
from tools import proposals

Json = dict[str, Any]

LAST_TURN = 2**31 - 1
_BAR = 40


async def standing(services: Services, user: UUID, session: UUID) -> list[Message]:
    """The session's messages as they stand. Raises NotFound."""
    async with services.db.read(user) as tx:
        await sessions.get(tx, session)
        return await messages.standing(tx, session, LAST_TURN, LAST_TURN - 1)


async def notice_behind(services: Services, user: UUID, session: UUID) -> tuple[list[Json], list[Json]]:
    """The figures of the notice that the session ends with, and its facts; none where it ends with something else."""
    async with services.db.read(user) as tx:
        items, _ = await messages.page(tx, session, 1)
    if not items or "notice" not in items[-1]:
        return [], []
    return items[-1]["figures"], [fact | {"tool": "notice"} for fact in items[-1]["tools"][0]["facts"]]


async def turn_after(services: Services, user: UUID, session: UUID, turn: int | None) -> tuple[list[Message], Message]:
    """What the user said that stands, and of it what comes after the `turn`-th; without `turn` the last. Raises
    InvalidInput."""
    said = [m for m in await standing(services, user, session) if m.role == "user"]
    if not said:
        raise InvalidInput("Nothing was said in this session yet.")
    at = len(said) - 1 if turn is None else turn
    if not 0 <= at < len(said):
        raise InvalidInput(f"Go back to a turn from 0 to {len(said) - 1}: there are {len(said)}.")
    return said[:at], said[at]


async def fork(services: Services, user: UUID, session: UUID, before: int | None) -> UUID:
    """A new session with the conversation so far, up to the turn before `before`. Raises NotFound."""
    async with services.db.transaction(user) as tx:
        return await forking.fork(tx, session, None if before is None else before - 1)


async def case(services: Services, user: UUID, session: UUID, name: str) -> Case:
    """The conversation as a case. Raises InvalidInput when there is none, or the name is no name."""
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]*", name):
        raise InvalidInput(f"{name!r} is no name for a case; use small letters, digits and hyphens: dining-too-high.")
    log = await standing(services, user, session)
    if not log:
        raise InvalidInput("Nothing was said in this session yet.")
    ids = [UUID(m.body["proposal_id"]) for m in log if m.role == "tool" and m.body.get("proposal_id")]
    made = await proposals.get_all(services.db, user, ids)
    async with services.db.read(user) as tx:
        prefs = await preferences.get(tx)
        known = [fact.text for fact in await facts.list_(tx)]
    return case_of(name, log, made, given_of(today(services.clock, prefs.time_zone), prefs, known))


def keep(case: Case, path: Path) -> Path:
    """Adds the case to a file of cases, which is made if it is not there. Raises CaseError when the file is none,
    InvalidInput when it has a case of that name."""
    from lab import cases

    if path.exists():
        if any(known.name == case.name for known in cases.load(path)):
            raise InvalidInput(f"{path} has a case {case.name} already; give another name.")
        text = path.read_text(encoding="utf-8").rstrip() + "\n\n"
    else:
        path.parent.mkdir(parents=True, exist_ok=True)
        text = "# Cases saved from conversations: read what they expect before you keep them.\ncases:\n"
    body = "".join(f"  {line}\n" if line else "\n" for line in case.to_yaml().splitlines())
    path.write_text(text + body, encoding="utf-8")
    return path


async def trace_lines(services: Services, user: UUID, run_id: str) -> list[str]:
    """How a reply came about, in lines for a terminal."""
    async with services.db.read(user) as tx:
        told = await traces.trace(tx, parse_id(run_id, "run"))
    run, total = told["run"], told["seconds"] or max([step["end"] for step in told["steps"]], default=0.0)
    used = run["usage"]
    cost = "price not known" if run["cost"] is None else f"${run['cost']}"
    lines = [
        f"run {run['id']}, turn {told['turn']}: {run['status']}, prompt {run['prompt_version']}, model {run['model']}",
        f"{used['input_tokens']:,} tokens read, {used['cache_read_tokens']:,} from the cache, "
        f"{used['cache_write_tokens']:,} written to it, {used['output_tokens']:,} answered; {cost}",
        f"{total:.2f} s in all; the first event after {told['first_event'] or 0:.2f} s",
        f"user: {told['user']['text']}",
    ]
    for step in told["steps"]:
        lines.append(f"{_bar(step['start'], step['end'], total)} {step['end'] - step['start']:6.2f} s  {step['kind']}")
        if step["kind"] == "model":
            lines += [f"    calls {call['name']} {_short(call['args'])}" for call in step["calls"]]
            lines += [f"    says {_short(step['text'])}"] if step["text"] else []
        else:
            for result in step["results"]:
                lines.append(f"    {result['name']}: {'' if result['ok'] else 'refused: '}{_short(result['summary'])}")
                lines += [f"      {f['label']}: {f['value']} {f['unit']}" for f in result["facts"] or ()]
    return lines


def _bar(start: float, end: float, total: float) -> str:
    """The span on a line of the whole time."""
    scale = _BAR / total if total else 0
    first, last = int(start * scale), max(int(start * scale) + 1, round(end * scale))
    return ("·" * first + "█" * (last - first)).ljust(_BAR, "·")[:_BAR]


def _short(value: Any) -> str:
    text = " ".join(str(value).split())
    return text if len(text) <= 200 else text[:199] + "…"
