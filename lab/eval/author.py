"""A model that plays simulated users: it writes what a persona says, towards the persona's goal."""

from __future__ import annotations

from contextlib import aclosing
from datetime import date
from typing import Any, Final, cast

from langchain_core.messages import HumanMessage

from agent.model import Model, ModelRequest, Situation
from domain.errors import SetupError
from lab.cases.case import Persona
from lab.eval.personas import Author

RULES: Final = """\
You play a person who writes to a budget assistant. You are not the assistant. Write the person's next message and \
nothing else: one or two short sentences, as people write in a chat. Stay with what the person wants; do not thank at \
length. Whether proposals are applied is decided elsewhere. When the person has what they want, write DONE and nothing \
else."""

DONE: Final = "DONE"
_NOBODY: Final = Situation(date(2026, 11, 22), "en-US", "USD", "UTC", (), ())


def author_of(model: Model) -> Author:
    """Writes with the model. Raises SetupError for one that writes no prose, and what models raise."""
    if not model.abilities.prose:
        raise SetupError(f"{model.name} cannot play users: it writes no text of its own. Use a model on Bedrock.")

    async def write(persona: Persona, said: list[tuple[str, str]]) -> str:
        lines = [f"What the person wants: {persona.goal}", *_told(said), "The person's next message:"]
        request = ModelRequest(RULES, _NOBODY, [], [HumanMessage("\n".join(lines))], ())
        text = ""
        async with aclosing(cast(Any, model.stream(request))) as chunks:
            async for chunk in chunks:
                text += str(chunk.text)
        return "" if text.strip().strip(".").upper() == DONE else text.strip()

    return write


def _told(said: list[tuple[str, str]]) -> list[str]:
    return [line for user, reply in said for line in (f"Person: {user}", f"Assistant: {reply}")] or ["(Nothing yet.)"]
