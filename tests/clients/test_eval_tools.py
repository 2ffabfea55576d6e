"""promptfoo and inspect-ai over the OpenAI route: the examples' requests as those tools send them."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from openai import AsyncOpenAI

PAGE = "eval-tools.md"


async def test_promptfoos_requests_pass_the_examples_own_assertions(
    penny: Any, example: Callable[[str, str], str]
) -> None:
    """What promptfoo 0.121.20 sends (seen on the wire) for each test of the configuration; every `contains` holds."""
    config = yaml.safe_load(example(PAGE, "promptfooconfig.yaml"))
    (provider,) = config["providers"]
    assert provider["id"] == "openai:chat:penny"
    path = provider["config"]["apiBaseUrl"].removeprefix("http://127.0.0.1:8000")
    person = await penny.person()
    for test in config["tests"]:
        body = {
            "model": "penny",
            "messages": [{"role": "user", "content": test["vars"]["question"]}],
            "max_tokens": 1024,
            "temperature": 0,
        }
        await person.client.post("/v1/categories", json={"name": "Groceries"})
        answer = await person.client.post(
            f"{path}/chat/completions", json=body, headers={"x-promptfoo-version": "0.121.20", "sec-fetch-mode": "cors"}
        )
        assert answer.status_code == 200, answer.text
        text = answer.json()["choices"][0]["message"]["content"]
        for wanted in test["assert"]:
            assert wanted["type"] == "contains"
            assert wanted["value"] in text


async def test_inspects_samples_find_their_targets(
    penny: Any, example: Callable[[str, str], str], tmp_path: Path
) -> None:
    """The task itself where inspect-ai is installed; else its samples by OpenAI's client, which is what it uses."""
    code = example(PAGE, "penny_task.py")
    person = await penny.person()
    await person.client.post("/v1/categories", json={"name": "Groceries"})
    if importlib.util.find_spec("inspect_ai"):
        (tmp_path / "penny_task.py").write_text(code)
        given = {"BUDGET_BASE_URL": f"{penny.url}/openai/v1", "BUDGET_API_KEY": person.token}
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "inspect_ai", "eval", "penny_task.py", "--model", "openai-api/budget/penny",
            "--display", "plain", cwd=tmp_path, env=os.environ | given, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        out, _ = await process.communicate()
        assert b"accuracy  1.000" in out
        return
    samples: list[dict[str, str]] = []
    before, _, rest = code.partition("SAMPLES = ")
    assert before
    exec(f"SAMPLES = {rest.partition('@task')[0]}", {"Sample": lambda **given: samples.append(given)})  # noqa: S102
    assert len(samples) == 2
    async with AsyncOpenAI(base_url=f"{penny.url}/openai/v1", api_key=person.token) as client:
        for sample in samples:
            said = await client.chat.completions.create(
                model="penny", messages=[{"role": "user", "content": sample["input"]}]
            )
            assert sample["target"] in (said.choices[0].message.content or "")


@pytest.mark.parametrize("title", ["promptfooconfig.yaml", "penny_task.py"])
def test_the_examples_name_no_setting_of_pennys(example: Callable[[str, str], str], title: str) -> None:
    """An unknown PENNY_ name in the environment would stop the command that makes the token."""
    assert "PENNY_" not in example(PAGE, title)
