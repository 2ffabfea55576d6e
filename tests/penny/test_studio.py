"""langgraph.json, read as `langgraph dev` reads it: a file and a name in it, a factory that is a context manager."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
READ = """
import asyncio, importlib.util, inspect, json, os, sys
from pathlib import Path

root = Path(os.environ["CHECKOUT"])
spec = json.loads((root / "langgraph.json").read_text())["graphs"]["penny"]
path, _, name = spec.partition(":")
module_spec = importlib.util.spec_from_file_location("graph_" + name, root / path)
module = importlib.util.module_from_spec(module_spec)
sys.modules["graph_" + name] = module
module_spec.loader.exec_module(module)
factory = getattr(module, name)
assert len(inspect.signature(factory).parameters) == 0

async def main():
    async with factory() as graph:
        drawn = graph.get_graph().to_json()
        done = await graph.ainvoke({"text": sys.argv[1]}) if len(sys.argv) > 1 else None
        schema = graph.get_input_jsonschema()
    print(json.dumps({
        "nodes": [node["id"] for node in drawn["nodes"]],
        "asks": "text" in schema["properties"],
        "turn": [[m.role, m.text[:60]] for m in done["messages"]] if done else None,
    }))

asyncio.run(main())
"""


async def read(env: dict[str, str], folder: Path, *arguments: str) -> dict[str, Any]:
    """What the reader in a process of its own found."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", READ, *arguments, env={**env, "CHECKOUT": str(ROOT)}, cwd=folder,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    found: dict[str, Any] = json.loads(out.decode().splitlines()[-1])
    return found


async def test_the_graph_is_drawn_without_database_or_model(home: Path, tmp_path: Path, environment_of: Any):
    """Opening Studio starts nothing, and needs no AWS keys."""
    env = environment_of(PENNY_MODEL="bedrock:us.anthropic.claude-sonnet-4-5-20250929-v1:0")
    found = await read(env, tmp_path)
    assert found == {"nodes": ["__start__", "begin", "model", "tools", "__end__"], "asks": True, "turn": None}
    assert os.listdir(home) == []


async def test_the_graph_answers_with_tools(tmp_path: Path, environment_of: Any, penny: Callable[..., Awaitable[Any]]):
    """A turn through the same nodes as the service's, on the settings' database and model."""
    script = tmp_path / "script.json"
    turns = [{"tool_calls": [{"name": "list_accounts", "args": {}}]}, {"text": "{summary}"}]
    script.write_text(json.dumps(turns))
    found = await read(environment_of(PENNY_MODEL=f"scripted:{script}"), tmp_path, "my accounts?")
    assert [role for role, _ in found["turn"]] == ["user", "assistant", "tool", "assistant"]
    assert found["turn"][-1][1] == "You have no accounts yet."
    await penny("db", "stop")
