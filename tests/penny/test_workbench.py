"""`penny chat` as the workbench of those who write prompts."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import sys
import tomllib
from pathlib import Path

import pytest

from agent.model import ModelRequest, Situation
from agent.scripted import ScriptedModel
from domain.errors import SetupError
from lab.cases import load
from lab.cases.case import Decide, Say
from lab.cases.nodes import CaseError
from penny.settings import Settings
from penny.watching import Texts, WithDescriptions, descriptions_of
from prompts import library
from tools import catalog

ROOT = Path(__file__).parents[2]
PACKAGES = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["mypy"]["packages"]

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


async def test_saved_code_is_taken_up_and_the_conversation_goes_on(environment_of, tmp_path: Path) -> None:
    """With --watch, a tool's file that was saved is used from the next message on, in the same session; one that cannot
    be imported is said with its line, and the code from before goes on."""
    code = tmp_path / "checkout"
    for package in PACKAGES:
        shutil.copytree(ROOT / package, code / package, ignore=shutil.ignore_patterns("__pycache__", "assets"))
    script, tool = tmp_path / "script.json", code / "tools" / "reads" / "goals.py"
    script.write_text(json.dumps([{"tool_calls": [{"name": "list_goals", "args": {}}]}, {"text": "{summary}"}] * 4))
    text = tool.read_text()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "penny", "chat", "--watch",
        env=environment_of(PENNY_MODEL=f"scripted:{script}", PYTHONPATH=str(code)), cwd=code,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    told: list[str] = []

    async def say(line: str, until: str) -> str:
        """What is printed after the line, up to the one with these words."""
        assert process.stdin
        assert process.stdout
        process.stdin.write(f"{line}\n".encode())
        began = len(told)
        while read := (await asyncio.wait_for(process.stdout.readline(), 240)).decode():
            told.append(read)
            if until in read:
                break
        return "".join(told[began:])

    assert "You have no goals yet." in await say("any goals?", "no goals yet")
    tool.write_text(text.replace("You have no goals yet.", "Not one goal is set."))
    assert "read again: goals.py" in await say("and now?", "Not one goal is set.")
    tool.write_text(text.replace("return ToolResult(", "return ToolResult((", 1))
    broken = await say("and now?", "Not one goal is set.")
    assert "goals.py, line 22: SyntaxError" in broken
    assert "The code from before stays in use." in broken
    tool.write_text(text.replace("You have no goals yet.", "Still not one."))
    assert "read again: goals.py" in await say("and then?", "Still not one.")
    await say("/trace", "turn 4: finished")
    assert process.stdin
    process.stdin.close()
    assert await process.wait() == 0, "".join(told)
    assert "".join(told).count("session ") == 1


def test_the_embedded_models_prompt_is_read_again_when_it_is_saved(tmp_path: Path) -> None:
    """With PENNY_MODEL=local it is the routing prompt that is shown and used; a file that the model could not use is
    said with its line, and not taken. Other models refuse it, and of a system prompt for this one it is said."""
    path, said = tmp_path / "mine.yaml", []
    own = library.ROUTING.read_text()
    path.write_text(own)
    local = Settings(model="local")
    texts = Texts(local, path, None, said.append, watch=True)
    before = texts.shown()
    assert before.kind == "routing"
    path.write_text(own.replace("Pick ONE tool", "Pick one tool"))
    assert "Pick one tool" in texts.shown().text
    path.write_text(own.replace("set_budget:", "set_bugdet:", 1))
    assert "Pick one tool" in texts.shown().text
    assert said[0] == f"prompt {texts.shown().version}"
    assert "did you mean set_budget" in said[1]
    assert texts.prompt().version == library.load().version
    path.write_text(own)
    with pytest.raises(SetupError, match="A routing prompt is the embedded model's"):
        Texts(Settings(model="scripted:x"), path, None, said.append, watch=False)
    Texts(local, library.SYSTEM, None, said.append, watch=False)
    assert "reads no system prompt" in said[-1]
