"""Simulated users: a persona's state machine, or a model that plays the persona's goal."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from random import Random

from lab.cases.case import Decide, Persona, Rule
from lab.eval.outcome import StepResult

Author = Callable[[Persona, list[tuple[str, str]]], Awaitable[str]]
"""Writes a persona's next message to the exchanges so far; "" when the persona is done."""


class Playing:
    """A persona in a conversation. With an author, the states only decide on proposals, and the author writes."""

    def __init__(self, persona: Persona, seed: int, author: Author | None = None) -> None:
        self._persona, self._author = persona, author
        self._states = {state.name: state for state in persona.states}
        self._random = Random(f"{seed}:{persona.goal}")  # noqa: S311 -- wording, not a secret
        self._said: list[tuple[str, str]] = []
        self.state = persona.states[0].name if persona.states else "done"

    async def next(self, last: StepResult | None) -> str | Decide | None:
        """What the persona says or decides after the last reply (None at the start); None when they are done."""
        if last is not None:
            self._said.append((last.user, last.reply))
            self._move(last)
        state = self._states.get(self.state)
        if state is None:
            return None
        if state.act:
            return Decide(state.act)
        if self._author is not None:
            return await self._author(self._persona, self._said) or None
        return self._random.choice(state.say)

    def _move(self, last: StepResult) -> None:
        for rule in self._states[self.state].rules:
            if _holds(rule, last):
                self.state = rule.go
                return


def _holds(rule: Rule, last: StepResult) -> bool:
    match rule.when:
        case "proposal":
            return any(rule.of in ("", proposal["kind"]) for proposal in last.proposals)
        case "question":
            return "?" in last.reply
        case "words":
            return rule.of.casefold() in last.reply.casefold()
        case "tool":
            return any(rule.of in ("", call.name) for call in last.calls)
        case _:
            return True
