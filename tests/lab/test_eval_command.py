"""`penny eval` as a developer runs it: a process of its own, the embedded database, models over real HTTP."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from log_scan import python_path

from lab.bedrock_emulator import BedrockEmulator, ToolUse, Turn
from prompts import library

ROOT = Path(__file__).parents[2]
CLAUDE = "bedrock:us.anthropic.claude-sonnet-4-5-20250929-v1:0"
KEYS = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION": "us-east-1"}
MONTHS = ("2026-10", "2026-09", "2026-08", "2026-07", "2026-06", "2026-05", "2026-04")


@dataclass
class Done:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Run = Callable[..., Awaitable[Done]]


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    """A PENNY_HOME for all of these tests, which PostgreSQL's account can reach."""
    path = Path(tempfile.mkdtemp(prefix="penny-home-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def evaluate(home: Path, tmp_path: Path) -> Run:
    """Runs `penny eval` with these arguments."""

    async def run(*arguments: str, env: Mapping[str, str] | None = None) -> Done:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("PENNY_", "AWS_"))}
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "penny", "eval", *arguments,
            env={**kept, "PENNY_HOME": str(home), "PYTHONPATH": python_path(ROOT), **(env or {})}, cwd=tmp_path,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        out, err = await process.communicate()
        assert process.returncode is not None
        return Done(process.returncode, out.decode(), err.decode())

    return run


@pytest.fixture
def cases(tmp_path: Path) -> Path:
    """Seven questions of one kind, each about another month."""
    path = tmp_path / "cases.yaml"
    path.write_text(
        "cases:\n"
        + "".join(
            f"- name: groceries-{month}\n  about: What a month's groceries came to.\n"
            f"  user: How much were groceries in {month}?\n  expect:\n"
            f"    tools: [{{get_spending: {{by: category, category: Groceries, period: {month}}}}}]\n"
            f"    figures: [{{spent: {{category: Groceries, month: {month}}}}}]\n"
            for month in MONTHS
        )
    )
    return path


def _answer(request: Mapping[str, Any]) -> Turn:
    """A model that looks things up when its prompt tells it to, and makes figures up when it does not."""
    system = " ".join(block.get("text", "") for block in request["system"])
    last = request["messages"][-1]["content"]
    if result := next((block["toolResult"] for block in last if "toolResult" in block), None):
        return Turn(json.loads(result["content"][0]["text"])["summary"])
    if "Look things up" not in system:
        return Turn("About $500.00.")
    month = next(month for month in MONTHS if month in last[0]["text"])
    return Turn(tools=(ToolUse("get_spending", {"by": "category", "category": "Groceries", "period": month}),))


async def test_a_worse_prompt_is_caught(evaluate: Run, cases: Path, tmp_path: Path) -> None:
    """Two prompts, one model over Bedrock's wire: the one that lost a sentence is worse in every case, the sign test
    says so, the page shows it, and the exit code can stop a build."""
    text = library.load().text
    for name, prompt in (("good", text), ("worse", text.replace("- Look things up before you answer;", "- Answer;"))):
        (tmp_path / f"{name}.md").write_text(prompt)
    page = tmp_path / "report.html"

    async with BedrockEmulator(_answer) as emulator:
        done = await evaluate(
            "--cases", str(cases), "--prompt", "good.md", "--prompt", "worse.md", "--model", CLAUDE, "--json",
            "--html", str(page), "--min-pass", "0.9",
            env={**KEYS, "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": emulator.url},
        )  # fmt: skip

    assert done.code == 1, done.err
    good, worse = done.json["cells"]
    assert (good["passed"], worse["passed"]) == (7, 0)
    [comparison] = done.json["comparisons"]
    assert (len(comparison["worse"]), comparison["better"], comparison["verdict"]) == (7, [], "worse")
    assert comparison["p"] < 0.05
    assert good["tokens"] > 0
    assert good["cost_usd"] > 0
    assert "0 better, 7 worse" in page.read_text()
    assert "less than 90% passed" in done.err


async def test_what_cannot_be_done_is_said_in_a_sentence(evaluate: Run) -> None:
    """On standard error, with exit code 1 and no stack trace."""
    done = await evaluate("--model", "gpt-9", "--case", "brief")
    assert (done.code, done.out) == (1, "")
    assert done.err.splitlines()[-1].startswith("penny: PENNY_MODEL: the model 'gpt-9' is not known")
    assert "Traceback" not in done.err
