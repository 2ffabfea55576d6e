"""Other descriptions of tools reach the models that are told of tools, and the embedded one's prompt."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path

import pytest
from langchain_core.messages import AIMessageChunk, HumanMessage

from agent.model import Abilities, ModelRequest, Situation
from agent.scripted import ScriptedModel
from domain.errors import SetupError
from lab.cases import CaseError
from lab.eval.descriptions import Described, load
from penny.evaluation import variants
from prompts import library

SITUATION = Situation(date(2026, 11, 22), "en-US", "USD", "UTC", (), ())
TOOLS = ({"name": "get_spending", "description": "old"}, {"name": "set_budget", "description": "kept"})


async def test_a_model_is_told_the_others() -> None:
    """Only the descriptions that the file has; the request is otherwise as it was."""
    model = ScriptedModel([{"text": "hello"}])
    described = Described(model, {"get_spending": "new"})
    stream: AsyncIterator[AIMessageChunk] = described.stream(
        ModelRequest("system", SITUATION, [], [HumanMessage("hi")], TOOLS)
    )
    assert "".join([str(chunk.text) async for chunk in stream]) == "hello"
    assert [tool["description"] for tool in model.requests[0].tools] == ["new", "kept"]
    assert (described.name, described.abilities) == ("scripted", Abilities())


def test_a_file_of_descriptions_is_checked(tmp_path: Path) -> None:
    """A tool that there is not is told with its line; a text may go over several."""
    path = tmp_path / "better.yaml"
    path.write_text("find_recurring: >-\n  what comes back\n  every month\n")
    assert load(path) == {"find_recurring": "what comes back every month"}
    path.write_text("find_recuring: x\n")
    with pytest.raises(CaseError, match=r"line 1: has 'find_recuring'.*did you mean find_recurring"):
        load(path)


def test_each_prompt_is_tried_with_each_file(tmp_path: Path) -> None:
    """Labels say which; the code's own descriptions are tried too."""
    path = tmp_path / "better.yaml"
    path.write_text("find_recurring: x\n")
    own = library.load().version
    assert [v.label for v in variants([], [path], ["scripted:x"])] == [own, f"{own}+better"]


def test_the_embedded_model_takes_a_routing_prompt_and_others_a_system_prompt(tmp_path: Path) -> None:
    """The wrong kind is refused with the reason; so is a run of both kinds of models."""
    mine = tmp_path / "mine.yaml"
    mine.write_text(library.ROUTING.read_text().replace("Pick ONE tool", "Pick a tool"))
    [chosen] = variants([str(mine)], [], ["local"])
    assert (chosen.prompt.kind, "Pick a tool" in chosen.text) == ("routing", True)
    assert variants([], [], ["local"])[0].text == library.load_routing().text
    assert variants(["v1"], [], ["local"])[0].prompt.kind == "routing"
    assert variants(["v2"], [], ["scripted:x"])[0].prompt.kind == "system"
    with pytest.raises(SetupError, match="is a routing prompt"):
        variants([str(mine)], [], ["scripted:x"])
    with pytest.raises(SetupError, match=r"system/v2 is a system prompt.*reads no system prompt"):
        variants(["system/v2"], [], ["local"])
    with pytest.raises(SetupError, match="run it in a run of its own"):
        variants([], [], ["local", "scripted:x"])
    with pytest.raises(SetupError, match=r"There is no prompt 'v99'.*routing/v2"):
        variants(["v99"], [], ["scripted:x"])
