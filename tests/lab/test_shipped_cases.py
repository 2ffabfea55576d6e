"""The cases that come with Penny can be passed, and none is passed for nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from lab.cases import Case, load
from lab.cases.answers import Books
from lab.cases.case import Decide, Persona
from lab.cassettes import read_all
from lab.eval.checks import check
from lab.eval.matrix import Plan, play, tools_of
from lab.eval.outcome import Result, StepResult
from penny.evaluating import CASSETTES
from penny.evaluation import stages, variants
from penny.settings import Settings
from tools.catalog import CATALOG

CASES = load()


def test_there_are_many_and_every_tool_has_some() -> None:
    """At least 150; no tool of the catalog is left out."""
    assert len(CASES) >= 150
    wanted = {call.tool for case in CASES for step in case.steps if not isinstance(step, Decide)
              for choice in step.expect.tools or () for call in choice}  # fmt: skip
    assert wanted == {tool.name for tool in CATALOG}


@pytest.mark.parametrize(
    ("tag", "least"),
    [("multi-turn", 15), ("ambiguity", 10), ("refusals", 12), ("hostile", 10), ("currencies", 8), ("empty", 6),
     ("long", 6), ("languages", 12), ("personas", 4), ("changes", 40), ("dates", 12)],
)  # fmt: skip
def test_what_is_hard_is_among_them(tag: str, least: int) -> None:
    """So many cases of each kind."""
    assert sum(tag in case.tags for case in CASES) >= least


def test_each_says_what_it_asks_and_why() -> None:
    """A sentence that is more than the name, once for each case."""
    told = [case.about for case in CASES]
    assert all(len(about.split()) >= 4 for about in told)
    assert len(set(told)) > len(told) * 0.95


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_none_is_passed_by_saying_ok(case: Case) -> None:
    """A model that calls nothing and says "OK." fails some step, by what it said or did not call, whatever the rows."""
    books = Books.of(case.given)
    wrong = [
        failure
        for step in case.steps
        if not isinstance(step, Decide)
        for failure in check(
            replace(step.expect, has=(), lacks=()),
            [StepResult("" if isinstance(step, Persona) else step.text, "OK.")],
            case.given,
            books,
            {"categories": [], "accounts": []},
        )
    ]
    assert wrong


async def test_all_are_passed_by_doing_what_they_say(lab_settings: Settings) -> None:
    """A stand-in that makes the wanted calls and repeats what the tools say passes every case: through the composition
    root, graph, tools, proposals and row security. The known answers were worked out without the tools."""
    found: list[Result] = []
    texts = variants([], [], ["ideal"])
    plan = Plan("test", [(texts[0].label, "ideal")], CASES, {"ideal": 4})

    await play(plan, stages(lab_settings, texts, lambda _: None), found.append)

    assert {result.case: result.failures for result in found if not result.passed} == {}
    assert len(found) == len(CASES)
    assert {tool for case in CASES for tool in tools_of(case)} <= {
        c.name for r in found for s in r.steps for c in s.calls
    }


def test_no_recorded_answer_says_the_day_it_was_recorded_on() -> None:
    """Cases happen on days of their own, but the database's clock is the real one: an answer that repeats its date is
    wrong from the next day on. Such a case has an `example` to answer with."""
    for cassette in read_all(CASSETTES):
        day = date.fromisoformat(cassette.header.recorded)
        said = [str(exchange.turn.get("text", "")) for exchange in cassette.exchanges]
        for written in (day.isoformat(), f"{day:%b} {day.day}, {day.year}", f"{day:%B} {day.day}"):
            assert not [text for text in said if written in text], written
