"""PENNY_GROUNDING=strict from outside: a model on Bedrock's wire says a wrong figure, and nobody gets to see it."""

from __future__ import annotations

import json
from typing import Any

from agent.grounding.voice import LEFT_OUT
from lab.bedrock_emulator import BedrockEmulator, ToolUse, Turn

BEDROCK = {
    "PENNY_MODEL": "bedrock:us.anthropic.claude-sonnet-4-5-20250929-v1:0",
    "PENNY_GROUNDING": "strict",
    "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "AWS_REGION": "us-east-1",
}
WRONG = "In all that is 9,876.54 dollars in 77 shops."


def claude(request: dict[str, Any]) -> Turn:
    """Looks dining up, says the tool's own sentence token by token, then a figure of its own."""
    results = [b["toolResult"] for b in request["messages"][-1]["content"] if "toolResult" in b]
    if not results:
        return Turn("", (ToolUse("get_budget_status", {"category": "Dining"}),))
    summary = json.loads(results[0]["content"][0]["text"])["summary"]
    return Turn(f"{summary} {WRONG} Anything else?", token_delay=0.005)


async def test_a_wrong_figure_is_never_on_a_wire_and_the_model_is_told_what_was_said(serve):
    """The sentence is left out of every frame, of the stored reply and of the next request; the rest comes whole."""
    async with BedrockEmulator(claude) as emulator:
        server = await serve(**BEDROCK, AWS_ENDPOINT_URL_BEDROCK_RUNTIME=emulator.url)
        session = await server.new_session()
        events = await server.stream(session, "how is dining?")
        text = events[-1][1]["text"]
        assert "9,876" not in json.dumps(events)
        assert "".join(data["text"] for kind, data in events if kind == "text.delta") == text
        assert text.endswith(f"{LEFT_OUT} Anything else?")
        [figures] = [data["figures"] for kind, data in events if kind == "grounding"]
        assert figures
        assert all(figure["verified"] for figure in figures)

        await server.ask(session, "and again?")
        past = json.dumps(emulator.state.bodies[-1]["messages"][:-3])
        assert json.dumps(text) in past
        assert "9,876" not in past


async def test_other_wires_get_the_mended_text_too(serve):
    """A client of OpenAI's wire sees the same words and no others."""
    async with BedrockEmulator(claude) as emulator:
        server = await serve(**BEDROCK, AWS_ENDPOINT_URL_BEDROCK_RUNTIME=emulator.url)
        asked = {"model": "penny", "stream": True, "messages": [{"role": "user", "content": "how is dining?"}]}
        answer = await server.client.post("/openai/v1/chat/completions", json=asked)
        frames = [json.loads(line[6:]) for line in answer.text.splitlines() if line.startswith("data: {")]
        said = "".join(choice["delta"].get("content") or "" for frame in frames for choice in frame["choices"])
        assert "9,876" not in answer.text
        assert said.endswith(f"{LEFT_OUT} Anything else?")
