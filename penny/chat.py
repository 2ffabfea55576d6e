"""`penny chat`: a conversation in the terminal, with decisions, the facts behind a reply, and prompts that reload."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any
from uuid import UUID

from domain.errors import PennyError
from domain.ids import parse_id
from penny import conversation
from penny.bootstrap import Services, bootstrap, warm_up
from penny.cli.output import diff_lines, progress, say
from penny.figures import why
from penny.settings import Settings
from prompts import library
from prompts.library import Prompt
from tools import proposals

HELP = "/undo takes the last change back, /why shows the facts behind the last reply, /prompt the system prompt, /new \
starts another session, /quit leaves."


class PromptFile:
    """The prompt of a file; with `watch` it is loaded again when the file changed, and a broken one is not taken."""

    def __init__(self, path: Path, *, watch: bool) -> None:
        self._path, self._watch = path, watch
        self._saved = self._stamp()
        self._prompt = library.load(path)

    def __call__(self) -> Prompt:
        if self._watch and (now := self._stamp()) != self._saved:
            self._saved = now
            try:
                self._prompt = library.load(self._path)
                progress(f"prompt {self._prompt.version}")
            except PennyError as error:
                progress(f"{error.message} The one before stays in use.")
        return self._prompt

    def _stamp(self) -> int:
        try:
            return self._path.stat().st_mtime_ns
        except OSError:
            return 0


class Chat:
    """Reads a line, sends it, asks about proposals. The event loop turns only while something is under way."""

    def __init__(
        self,
        settings: Settings,
        runner: asyncio.Runner,
        *,
        user: str,
        session: str | None,
        prompt: Path | None,
        watch: bool,
    ) -> None:
        self._settings, self._runner = settings, runner
        self._name = user
        self._given = session
        self._prompt = PromptFile(prompt or library.SYSTEM, watch=watch)
        self._facts: list[dict[str, Any]] = []
        self._figures: list[dict[str, Any]] = []
        self._seen: dict[str, dict[str, Any]] = {}
        self._services: Services
        self._user: UUID
        self._session: UUID

    def run(self) -> None:
        """Talks until the end of input or /quit."""
        stack = AsyncExitStack()
        try:
            self._runner.run(self._open(stack))
            progress(f"session {self._session}; {HELP}")
            while (line := self._read("you> ")) is not None:
                if line.strip() and not self._handled(line.strip()):
                    break
        finally:
            self._runner.run(stack.aclose())

    async def _open(self, stack: AsyncExitStack) -> None:
        self._services = await stack.enter_async_context(
            bootstrap(self._settings, progress=conversation.quiet_unless_slow(progress), prompt=self._prompt)
        )
        self._user = await self._services.user(self._name)
        self._session = (
            parse_id(self._given, "session")
            if self._given
            else await conversation.new_session(self._services, self._user)
        )
        if self._services.model_status().status != "ready":
            await warm_up(self._services.model, progress)

    def _read(self, prompt: str) -> str | None:
        try:
            return input(prompt if sys.stdin.isatty() else "")
        except EOFError:
            return None
        except KeyboardInterrupt:
            return None

    def _handled(self, line: str) -> bool:
        """False when the conversation is over."""
        command: Callable[[], None] | None = {
            "/undo": self._undo,
            "/why": self._why,
            "/prompt": self._show_prompt,
            "/new": self._new,
            "/help": lambda: say(HELP),
        }.get(line)
        if line in ("/quit", "/exit"):
            return False
        try:
            if command is not None:
                command()
            elif line.startswith("/"):
                say(f"{line.split()[0]} is not known. {HELP}")
            else:
                self._say(line)
        except PennyError as error:
            progress(error.message)
        except KeyboardInterrupt:
            progress("stopped")
        return True

    def _say(self, text: str) -> None:
        printer = conversation.TextPrinter(hints=False)
        self._runner.run(conversation.say_and_print(self._services, self._user, self._session, text, printer))
        self._facts, self._figures = printer.facts, printer.figures
        self._seen |= {fact["id"]: fact for fact in printer.facts}
        for proposal in printer.proposals:
            self._decide(proposal)

    def _decide(self, proposal: dict[str, Any]) -> None:
        answer = self._read(f"{proposal['text']} Apply? [y/N] ")
        db, user, which = self._services.db, self._user, UUID(proposal["id"])
        if answer is not None and answer.strip().lower() in ("y", "yes"):
            try:
                applied = self._runner.run(proposals.confirm(db, user, which, proposal["hash"], approval="cli"))
                say(f"Applied. {applied.proposal['text']}")
            except proposals.ProposalStale as stale:
                say(stale.message)
                if fresh := stale.details.get("proposal"):
                    for line in diff_lines(fresh):
                        say(line)
                    self._decide(fresh)
        else:
            self._runner.run(proposals.reject(db, user, which))
            say("Rejected.")

    def _undo(self) -> None:
        applied = self._runner.run(proposals.undo_now(self._services.db, self._user, None, approval="cli"))
        say(f"Done: {applied.proposal['text']}")
        for line in diff_lines(applied.proposal):
            say(line)

    def _why(self) -> None:
        for line in why(self._figures, self._seen):
            say(line)
        if self._figures and self._facts:
            say("All facts of the last reply:")
        for fact in self._facts:
            say(f"  {fact['label']}: {fact['value']} {fact['unit']}  ({fact['tool']})")
        if not self._facts and not self._figures:
            say("No facts stand behind the last reply.")

    def _show_prompt(self) -> None:
        prompt = self._prompt()
        say(f"{prompt.version}\n\n{prompt.text}")

    def _new(self) -> None:
        self._session = self._runner.run(conversation.new_session(self._services, self._user))
        say(f"session {self._session}")
