"""`penny chat`: a conversation in the terminal, with decisions, facts behind replies, and what prompt work needs."""

from __future__ import annotations

import asyncio
import inspect
import sys
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any
from uuid import UUID

from domain.errors import InvalidInput, PennyError, SetupError
from domain.ids import parse_id
from domain.visible import visible
from memory.messages import Message
from penny import conversation, workbench
from penny.bootstrap import Services, bootstrap, warm_up
from penny.cli.output import diff_lines, progress, say
from penny.figures import why
from penny.reloading import Code
from penny.settings import Settings
from penny.watching import Texts
from tools import proposals

SAVED = "cases/saved.yaml"

HELP = """/undo takes the last change back, /why shows the facts behind the last reply, /prompt the system prompt
/trace shows how the last reply came about: steps, calls, facts, tokens, cost, times
/rewind N goes back to the turn N: what you say next takes the place of what came after; alone, before the last turn
/fork goes on in a new session with the conversation so far; /new starts an empty one
/save case NAME [FILE] keeps the conversation as a case for penny eval; /help shows this, /quit leaves"""


@dataclass
class Talk:
    """What a conversation is beside the stored one: it goes on with new code. `line` was read and is not handled."""

    session: str | None = None
    last_run: str | None = None
    replacing: Message | None = None
    facts: list[dict[str, Any]] = field(default_factory=list)
    figures: list[dict[str, Any]] = field(default_factory=list)
    seen: dict[str, dict[str, Any]] = field(default_factory=dict)
    line: str | None = None


class Chat:
    """Reads a line, sends it, asks about proposals. The event loop turns only while something is under way."""

    def __init__(
        self,
        settings: Settings,
        runner: asyncio.Runner,
        *,
        user: str,
        talk: Talk,
        prompt: Path | None,
        tools: Path | None = None,
        watch: bool,
    ) -> None:
        self._settings, self._runner = settings, runner
        self._name = user
        self._talk = talk
        self._texts = Texts(settings, prompt, tools, progress, watch=watch)
        self._code = Code() if watch else None
        self._services: Services
        self._user: UUID
        self._session: UUID

    def run(self) -> ModuleType | None:
        """Talks until the end of input or /quit. When Penny's code was saved, it is this module made of the new code,
        to go on with the same talk."""
        stack = AsyncExitStack()
        try:
            self._runner.run(self._open(stack))
            if self._talk.session is None:
                progress(f"session {self._session}; /help lists what you can do beside talking")
            while (line := self._next_line()) is not None:
                if line.strip() and (fresh := self._saved_code()):
                    self._talk.session, self._talk.line = str(self._session), line
                    return fresh
                if line.strip() and not self._handled(line.strip()):
                    break
            return None
        finally:
            self._runner.run(stack.aclose())

    def _next_line(self) -> str | None:
        kept, self._talk.line = self._talk.line, None
        return self._read("you> ") if kept is None else kept

    def _saved_code(self) -> ModuleType | None:
        """This module of the new code, if some was saved and can be imported; what stands in the way is said."""
        if self._code is None or not (files := self._code.saved()):
            return None
        try:
            fresh = self._code.anew(__name__)
        except SetupError as error:
            progress(f"{error.message} The code from before stays in use.")
            return None
        progress(f"read again: {', '.join(file.name for file in files)}")
        return fresh

    async def _open(self, stack: AsyncExitStack) -> None:
        self._services = await stack.enter_async_context(
            bootstrap(
                self._settings,
                progress=conversation.quiet_unless_slow(progress),
                prompt=self._texts.prompt,
                model=self._texts.model(),
            )
        )
        self._user = await self._services.user(self._name)
        self._session = (
            parse_id(self._talk.session, "session")
            if self._talk.session
            else await conversation.new_session(self._services, self._user)
        )
        if self._services.model_status().status != "ready":
            await warm_up(self._services.model, progress)

    def _read(self, prompt: str) -> str | None:
        try:
            return input(visible(prompt) if sys.stdin.isatty() else "")
        except EOFError:
            return None
        except KeyboardInterrupt:
            return None

    def _handled(self, line: str) -> bool:
        """False when the conversation is over."""
        if line in ("/quit", "/exit"):
            return False
        name, *words = line.split()
        command: Callable[..., None] | None = {
            "/undo": self._undo,
            "/why": self._why,
            "/prompt": self._show_prompt,
            "/trace": self._trace,
            "/rewind": self._rewind,
            "/fork": self._fork,
            "/save": self._save,
            "/new": self._new,
            "/help": lambda: say(HELP),
        }.get(name)
        try:
            if command is not None:
                command(*words)
            elif line.startswith("/"):
                say(f"{name} is not known.\n{HELP}")
            else:
                self._say(line)
        except PennyError as error:
            progress(error.message)
        except TypeError:
            if command is None or _takes(command, words):
                raise
            progress(f"{name} is not used so.\n{HELP}")
        except KeyboardInterrupt:
            progress("stopped")
        return True

    def _say(self, text: str) -> None:
        printer = conversation.TextPrinter(hints=False)
        edit_of, self._talk.replacing = self._talk.replacing.id if self._talk.replacing else None, None
        self._runner.run(
            conversation.say_and_print(self._services, self._user, self._session, text, printer, edit_of=edit_of)
        )
        self._talk.last_run = printer.run_id
        self._talk.facts, self._talk.figures = printer.facts, printer.figures
        self._talk.seen |= {fact["id"]: fact for fact in printer.facts}
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
        if self._talk.last_run is None:  # what a session that was opened ends with may be a notice
            found = self._runner.run(workbench.notice_behind(self._services, self._user, self._session))
            self._talk.figures, self._talk.facts = found
            self._talk.seen |= {fact["id"]: fact for fact in self._talk.facts}
        for line in why(self._talk.figures, self._talk.seen):
            say(line)
        if self._talk.figures and self._talk.facts:
            say("All facts of the last reply:")
        for fact in self._talk.facts:
            say(f"  {fact['label']}: {fact['value']} {fact['unit']}  ({fact['tool']})")
        if not self._talk.facts and not self._talk.figures:
            say("No facts stand behind the last reply.")

    def _show_prompt(self) -> None:
        prompt = self._texts.shown()
        say(f"{prompt.version}\n\n{prompt.text}")

    def _trace(self) -> None:
        if self._talk.last_run is None:
            say("There is no reply yet.")
            return
        for line in self._runner.run(workbench.trace_lines(self._services, self._user, self._talk.last_run)):
            say(line)

    def _rewind(self, turn: str = "") -> None:
        """Nothing is deleted, and nothing happens before something is said."""
        if turn and not turn.isdecimal():
            raise InvalidInput(f"{turn!r} is no turn; say a number, like /rewind 2.")
        left, next_ = self._runner.run(
            workbench.turn_after(self._services, self._user, self._session, int(turn) if turn else None)
        )
        self._talk.replacing = next_
        for number, message in enumerate(left, 1):
            say(f"{number:3} {message.text}")
        say(f"What you say now takes the place of {next_.text!r} and all that followed.")

    def _fork(self) -> None:
        before = self._talk.replacing.turn if self._talk.replacing else None
        self._session = self._runner.run(workbench.fork(self._services, self._user, self._session, before))
        self._talk.replacing = None
        say(f"session {self._session}, with the conversation so far")

    def _save(self, what: str = "", name: str = "", file: str = SAVED) -> None:
        if what != "case" or not name:
            raise InvalidInput(f"Say /save case NAME, and a file if it is not to be {SAVED}.")
        case = self._runner.run(workbench.case(self._services, self._user, self._session, name))
        path = workbench.keep(case, Path(file))
        say(f"Saved in {path}; read what it expects, then: penny eval --cases {path} --case {name}")

    def _new(self) -> None:
        self._session = self._runner.run(conversation.new_session(self._services, self._user))
        self._talk.replacing = self._talk.last_run = None
        say(f"session {self._session}")


def _takes(command: Callable[..., None], words: list[str]) -> bool:
    """Whether so many words can be given with the command."""
    try:
        inspect.signature(command).bind(*words)
    except TypeError:
        return False
    return True
