"""Routing prompts as files: what is checked when they are read; they are no copy of what they are measured by."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from rapidfuzz.fuzz import token_sort_ratio

from agent.local import grammar, prompt, routing
from agent.local.routing import Example, Said, routing_of
from lab import cases
from lab.cases.case import Persona, Say
from prompts import library
from prompts.library import Prompt, PromptError
from tools import catalog
from tools.names import plain

FILES = library.files("routing")

TEXT = """\
text: |
  Pick a tool.
  {{tools}}
tools:
  set_budget: changes a budget
  none: anything else
examples:
  - user: travel 300
    call: {set_budget: {category: travel, amount: 300}}
  - earlier:
      - user: travel 300
      - app: "Travel: $300.00. Confirm?"
    user: no, 7.50
    call: {set_budget: {category: travel, amount: 7.50}}
"""


def test_a_file_becomes_the_constant_beginning() -> None:
    """Its text with a line a tool, whose arguments are the grammar's; then the examples as if they had been had."""
    found = routing_of(Prompt("mine", TEXT, "routing"))
    system, *shown = prompt.prefix(found)
    assert system["content"] == (
        "Pick a tool.\nset_budget(category, amount, month?) - changes a budget\nnone() - anything else"
    )
    assert [role["content"] for role in shown] == [
        "Message: travel 300",
        '{"set_budget":{"category":"travel","amount":300}}',
        "Earlier:\nUser: travel 300\nApp: Travel: $300.00. Confirm?\nMessage: no, 7.50",
        '{"set_budget":{"category":"travel","amount":7.5}}',
    ]
    assert found.examples[1] == Example(
        "no, 7.50",
        "set_budget",
        {"category": "travel", "amount": 7.5},
        (Said("User", "travel 300"), Said("App", "Travel: $300.00. Confirm?")),
    )


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("{{tools}}", "", "{{tools}}"),
        ("amount: 300}", "amount: lots}", r"line 9: examples\[1\].call.set_budget.amount is 'lots'"),
        ("{category: travel, amount: 300}", "{category: travel}", r"line 9: .*needs amount"),
        ("amount: 300}", "amount: 300, until: May}", r"line 9: .*has 'until'.*allowed: category, amount, month"),
        ("call: {set_budget:", "call: {set_buget:", "did you mean set_budget"),
        ("  set_budget: changes", "  list_goals: goals\n  set_bugdet: changes", "line 6: tools has 'set_bugdet'"),
        ("call: {set_budget: {category: travel, amount: 300}}", "call: {move_money: {}}", "has 'move_money'"),
        ("  none: anything else\n", "", "needs none"),
        ("- app: ", "- bot: ", "allowed: user, app"),
        ("examples:", "examples: [", "this is no YAML"),
    ],
)
def test_what_is_wrong_in_a_file_is_told_with_its_place(old: str, new: str, said: str, tmp_path: Path) -> None:
    """A call that the tool could not be given, a tool that is unknown or not described in the file, a place that is
    missing: an error with the line, when the file is read."""
    path = tmp_path / "mine.yaml"
    assert TEXT.count(old) >= 1
    path.write_text(TEXT.replace(old, new, 1))
    with pytest.raises(PromptError, match=said):
        routing.load(path)


def test_descriptions_take_the_place_of_those_in_the_file() -> None:
    """Only of the tools that it has; the examples stay."""
    own = routing_of(Prompt("mine", TEXT, "routing"))
    other = own.described({"set_budget": "alters a limit", "list_goals": "goals"})
    assert other.system == own.system.replace("changes a budget", "alters a limit")
    assert other.examples == own.examples


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_each_file_can_be_used_and_shows_each_tool_that_has_arguments_to_fill(path: Path) -> None:
    """Each is read without an error; every tool with an argument that a call needs has an example of it."""
    found = routing.load(path)
    shown = {example.tool for example in found.examples}
    assert {tool for tool in found.tools if grammar.arguments(tool)[0]} <= shown


def test_the_model_writes_only_arguments_that_the_tools_take() -> None:
    """What the grammar lets it fill in stands in the catalog's schema of the tool."""
    taken = {tool["name"]: tool["input_schema"]["properties"].keys() for tool in catalog.specs()}
    for tool in grammar.KNOWN:
        assert grammar.arguments(tool)[1].keys() <= taken[tool], tool


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_no_example_is_a_sentence_of_a_case(path: Path) -> None:
    """Neither what a case says nor the like with other names or amounts: a prompt that repeats what it is measured by
    would show nothing."""
    steps = [(case.name, step) for case in cases.load() for step in case.steps]
    measured = {step.text: name for name, step in steps if isinstance(step, Say)}
    personas = [(name, step) for name, step in steps if isinstance(step, Persona)]
    measured |= {said: name for name, persona in personas for state in persona.states for said in state.say}
    tuned = Path(__file__).with_name("cases.jsonl").read_text("utf-8").splitlines()
    measured |= {json.loads(line)["text"]: "cases.jsonl" for line in tuned}
    alike = [
        (example.text, text, name)
        for example in routing.load(path).examples
        for text, name in measured.items()
        if len(plain(text).split()) > 2 and token_sort_ratio(_bare(example.text), _bare(text)) > 90
    ]
    assert alike == []


def _bare(text: str) -> str:
    """Without what makes a sentence look like another one: case, signs, amounts."""
    return re.sub(r"\d+", "", plain(text))
