"""One message and its reply in a terminal: what happens is printed as it happens."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Protocol
from uuid import UUID

import orjson

from memory import sessions
from penny.bootstrap import Services
from penny.cli.output import diff_lines, progress, say
from penny.database import Progress
from penny.figures import marks

SLOW_SECONDS = 1.5


class Printer(Protocol):
    """Shows one event after the other."""

    def show(self, seq: int, kind: str, data: str) -> None: ...


class JsonPrinter:
    """One line of JSON an event: `{"seq", "type", "data"}`."""

    def show(self, seq: int, kind: str, data: str) -> None:
        say(f'{{"seq":{seq},"type":"{kind}","data":{data}}}')


class TextPrinter:
    """The reply as text; tools, proposals and errors in words. Collects the facts, figures and proposals it has seen;
    with `hints` it says how to decide."""

    def __init__(self, *, hints: bool = True) -> None:
        self._hints = hints
        self.facts: list[dict[str, Any]] = []
        self.figures: list[dict[str, Any]] = []
        self.proposals: list[dict[str, Any]] = []
        self.run_id: str | None = None
        self._middle = False

    def show(self, seq: int, kind: str, data: str) -> None:
        if kind == "text.delta":
            text = orjson.loads(data)["text"]
            say(text, end="")
            self._middle = not text.endswith("\n")
            return
        said = getattr(self, "_" + kind.replace(".", "_"), None)
        if said is not None:
            self._end_line()
            said(orjson.loads(data))

    def _end_line(self) -> None:
        if self._middle:
            say()
            self._middle = False

    def _run_started(self, data: dict[str, Any]) -> None:
        self.run_id = data["run_id"]

    def _run_resumed(self, data: dict[str, Any]) -> None:
        progress("the reply goes on after an interruption")

    def _text_retracted(self, data: dict[str, Any]) -> None:
        progress("the last part of the answer starts over:")

    def _tool_started(self, data: dict[str, Any]) -> None:
        progress(f"{data['label']} …")

    def _tool_finished(self, data: dict[str, Any]) -> None:
        self.facts += [{**fact, "tool": data["name"]} for fact in data["facts"]]

    def _proposal(self, data: dict[str, Any]) -> None:
        self.proposals.append(data)
        say(f"\nProposal {data['id']}: {data['text']}")
        for line in diff_lines(data):
            say(line)

    def _grounding(self, data: dict[str, Any]) -> None:
        self.figures = data["figures"]
        if told := marks(self.figures):
            progress(told)

    def _run_finished(self, data: dict[str, Any]) -> None:
        for proposal in self.proposals:
            if self._hints and proposal["status"] == "pending":
                say(f"Apply it with: penny confirm {proposal['id']}")

    def _run_failed(self, data: dict[str, Any]) -> None:
        progress(data["message"])

    def _run_cancelled(self, data: dict[str, Any]) -> None:
        progress("stopped")


async def new_session(services: Services, user: UUID) -> UUID:
    """An empty session of the user."""
    async with services.db.transaction(user) as tx:
        return (await sessions.create(tx)).id


async def say_and_print(
    services: Services, user: UUID, session: UUID, text: str, printer: Printer, *, edit_of: UUID | None = None
) -> bool:
    """Sends the message and prints the reply's events until it ended; True when it ended well. Ctrl-C stops it."""
    accepted = await services.runner.submit(user, session, text, edit_of=edit_of)
    hint = asyncio.create_task(_say_what_it_waits_for(services))
    kind = ""
    try:
        async for seq, kind, data in services.runner.events(user, accepted.run_id):
            if kind != "run.started":
                hint.cancel()
            printer.show(seq, kind, data)
    except asyncio.CancelledError:
        await services.runner.cancel(user, accepted.run_id)
        raise
    finally:
        hint.cancel()
    return kind == "run.finished"


async def _say_what_it_waits_for(services: Services) -> None:
    """While nothing is heard from a model that is still warming up: what it is doing."""
    told = ""
    while True:
        await asyncio.sleep(0.5)
        status = services.model_status()
        if status.status == "loading" and status.note != told:
            told = status.note
            progress(told)


def quiet_unless_slow(report: Progress) -> Callable[[str], None]:
    """Reports only steps that take a while to come to; a quick start says nothing."""
    import time

    started = time.monotonic()

    def step(text: str) -> None:
        if time.monotonic() - started > SLOW_SECONDS:
            report(text)

    return step
