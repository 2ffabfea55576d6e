"""`penny chat` as the workbench of those who write prompts."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from agent.model import ModelRequest, Situation
from agent.scripted import ScriptedModel
from lab.cases import load
from lab.cases.case import Decide, Say
from lab.cases.nodes import CaseError
from penny.workbench import WithDescriptions, descriptions_of
from tools import catalog

SCRIPT = [
    {"tool_calls": [{"name": "get_budget_status", "args": {"category": "Dining"}}]},
    {"text": "{summary}"},
    {"tool_calls": [{"name": "set_budget", "args": {"category": "Dining", "amount": "250"}}]},
    {"text": "I have proposed it."},
    {"text": "Said instead."},
    {"text": "In the fork."},
    {"text": "After the last."},
]


async def test_a_conversation_is_looked_into_rewound_forked_and_saved(penny, tmp_path: Path) -> None:
    """/trace tells steps, calls, facts, tokens and times; /rewind and what is said then take the place of a turn;
    /fork goes on in another session; /save case gives a case that `penny eval` reads."""
    script = tmp_path / "script.json"
    script.write_text(json.dumps(SCRIPT))
    lines = [
        "/trace", "how is dining?", "/trace", "set dining to 250", "y", "/save case dining-cut my/cases.yaml",
        "/rewind 7", "/rewind 1", "something else", "/fork", "and here?", "/save case dining-cut my/cases.yaml",
        "/save it", "/fork now", "/nonsense", "/quit",
    ]  # fmt: skip
    await penny("seed")
    done = await penny("chat", stdin="\n".join(lines) + "\n", PENNY_MODEL=f"scripted:{script}")
    assert done.code == 0, done.err
    assert "There is no reply yet." in done.out
    assert "calls get_budget_status {'category': 'Dining'}" in done.out
    assert "20 tokens read, 0 from the cache" in done.out
    assert "turn 1: finished, prompt v2-" in done.out
    assert "█" in done.out
    assert "from 0 to 1: there are 2" in done.err
    assert "  1 how is dining?\nWhat you say now takes the place of 'set dining to 250'" in done.out
    assert "has a case dining-cut already" in done.err
    assert "Say /save case NAME" in done.err
    assert "/fork is not used so." in done.err
    assert "/nonsense is not known." in done.out

    (case,) = load(tmp_path / "my" / "cases.yaml")
    first, second, third = case.steps
    assert isinstance(first, Say)
    assert isinstance(second, Say)
    assert (first.text, second.text, third) == ("how is dining?", "set dining to 250", Decide("confirm", which="last"))
    assert first.expect.tools is not None
    assert second.expect.proposals is not None
    assert [call.tool for choice in first.expect.tools for call in choice] == ["get_budget_status"]
    assert first.expect.figures
    assert all(re.fullmatch(r"-?[\d.]+ USD", figure.text) for figure in first.expect.figures)
    assert second.expect.proposals[0].kind == "set_budget"
    assert second.expect.proposals[0].diff[0]["after"] == "250.00"


async def test_descriptions_are_read_again_when_they_are_saved(tmp_path: Path) -> None:
    """The model is told the file's words from the next call on; a file that is broken is said, and not taken."""
    path, said = tmp_path / "tools.yaml", []
    path.write_text("get_spending: First words.\n")
    descriptions = descriptions_of(path, said.append, watch=True)
    model = ScriptedModel([{"text": "Hi."}])
    watched = WithDescriptions(model, descriptions)

    async def told() -> str:
        request = ModelRequest("", Situation.__new__(Situation), [], [], catalog.specs())
        _ = [chunk async for chunk in watched.stream(request)]
        return next(t["description"] for t in model.requests[-1].tools if t["name"] == "get_spending")

    assert await told() == "First words."
    for text, expected in (("get_spending: Other words.\n", "Other words."), ("no_such_tool: x\n", "Other words.")):
        path.write_text(text)
        assert await told() == expected
    assert said[0] == "descriptions of get_spending"
    assert said[1].endswith("The one before stays in use.")


def test_descriptions_that_cannot_be_read_are_said_at_once(tmp_path: Path) -> None:
    """A tool that there is not is an error before anything is asked."""
    path = tmp_path / "tools.yaml"
    path.write_text("no_such_tool: x\n")
    with pytest.raises(CaseError, match="no_such_tool"):
        descriptions_of(path, print, watch=False)
