"""Asks the judge, and holds its marks against people's: agreement, and kappa, which is agreement beyond chance."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final, cast

import orjson
from langchain_core.messages import HumanMessage

from agent.model import Model, ModelRequest, Situation
from domain.errors import SetupError
from domain.nodes import Node
from lab.cases.nodes import read
from lab.eval.outcome import EvalError

HERE: Final = Path(__file__).parent
RUBRIC: Final = HERE / "rubric.md"
EXAMPLES: Final = HERE / "examples.yaml"
MARKS: Final = ("tone", "helpful")

_NOBODY: Final = Situation(date(2026, 11, 22), "en-US", "USD", "UTC", (), ())


@dataclass(frozen=True, slots=True)
class Example:
    """An exchange with the marks that people gave it."""

    user: str
    reply: str
    marks: dict[str, int]


@dataclass(frozen=True, slots=True)
class Agreement:
    """How a judge's marks and people's go together: the share of equal ones, and Cohen's kappa (1: always, 0: no more
    than chance)."""

    mark: str
    examples: int
    equal: float
    kappa: float


class Judge:
    """A model with the rubric. Raises SetupError for one that writes no prose."""

    def __init__(self, model: Model, rubric: Path = RUBRIC) -> None:
        if not model.abilities.prose:
            raise SetupError(f"{model.name} cannot be a judge: it writes no text of its own. Use a model on Bedrock.")
        self._model, self._rubric = model, rubric.read_text(encoding="utf-8").strip()

    async def marks(self, user: str, reply: str) -> dict[str, int]:
        """The marks of one exchange. Raises EvalError when the judge answers with none, and what models raise."""
        asked = HumanMessage(orjson.dumps({"user": user, "reply": reply}).decode())
        request = ModelRequest(self._rubric, _NOBODY, [], [asked], ())
        said = ""
        async with aclosing(cast(Any, self._model.stream(request))) as chunks:
            async for chunk in chunks:
                said += str(chunk.text)
        return _read(said)


def _read(said: str) -> dict[str, int]:
    found = re.search(r"\{[^{}]*\}", said)
    try:
        marks = orjson.loads(found[0]) if found else {}
        return {name: {0: 0, 1: 1}[marks[name]] for name in MARKS}
    except (orjson.JSONDecodeError, KeyError, TypeError):
        raise EvalError(f"The judge gave no marks but {said[:80]!r}; try another model or rubric.") from None


def examples(path: Path = EXAMPLES) -> tuple[Example, ...]:
    """The marked examples. Raises CaseError."""
    return read(path).keys(("examples",), ("examples",))["examples"].each(_example)


def _example(node: Node) -> Example:
    keys = node.keys(("user", "reply", *MARKS), ("user", "reply", *MARKS))
    return Example(keys["user"].text(), keys["reply"].text(), {m: int(keys[m].one_of(("0", "1"))) for m in MARKS})


async def calibrate(judge: Judge, marked: Sequence[Example]) -> list[Agreement]:
    """The judge's agreement with people, by mark."""
    given = [await judge.marks(example.user, example.reply) for example in marked]
    return [agreement(name, [e.marks[name] for e in marked], [own[name] for own in given]) for name in MARKS]


def agreement(mark: str, people: Sequence[int], judge: Sequence[int]) -> Agreement:
    """Of two lists of 0 and 1. Kappa is 0 where chance alone would always agree."""
    n = len(people)
    equal = sum(a == b for a, b in zip(people, judge, strict=True)) / n
    chance = sum((people.count(value) / n) * (judge.count(value) / n) for value in (0, 1))
    return Agreement(mark, n, equal, (equal - chance) / (1 - chance) if chance < 1 else 0.0)
