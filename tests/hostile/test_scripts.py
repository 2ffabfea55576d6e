"""Our own hostile scripts: what a compromised model, poisoned data or a forged decision tries, and what must hold.

scripts/*.yaml are families; each text of a family, in each place it is put into, is a script. Whatever a script does,
no row of money or memory changes without a decision, nothing of another user is in anything that was answered, a run
has exactly one end, and no sentence of the server's holds a link, an image, a tag or a sign that cannot be seen.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
import yaml

SCRIPTS = Path(__file__).with_name("scripts")
TERMINAL = ("run.finished", "run.failed", "run.cancelled")
LONG = "A" * 5_000
PLACES = ("merchant", "memo", "import", "fact", "account", "category", "title")


@dataclass(frozen=True)
class Script:
    """One text of a family, in one place."""

    family: dict[str, Any]
    text: str
    where: str

    def __str__(self) -> str:
        return re.sub(r"[^\w.-]+", "-", f"{self.where} {self.family['about']} {self.text}")[:100].strip("-")


def scripts() -> Iterator[Script]:
    for path in sorted(SCRIPTS.glob("*.yaml")):
        for family in yaml.safe_load(path.read_text(encoding="utf-8")):
            for where in family.get("where", [""]):
                for text in family["texts"]:
                    yield Script(family, text, where)


ALL = list(scripts())


def test_there_are_a_hundred_scripts(tell: Callable[[str], None]) -> None:
    """And every place that data comes from has some."""
    tell(f"hostile scripts: {len(ALL)}")
    assert len(ALL) >= 100
    assert {script.where for script in ALL} >= set(PLACES)


@pytest.mark.parametrize("script", ALL, ids=str)
async def test_what_must_hold_holds(script: Script, stage: Any, target: Any, bystander: Any, mcp: Any) -> None:
    """The whole of it, for one script."""
    names = {"{text}": script.text, "{long}": LONG}
    names |= {f"{{victim.{key}}}": value for key, value in bystander.ids.items()}
    names |= {f"{{mine.{key}}}": value for key, value in target.ids.items()}

    def filled(value: Any) -> Any:
        if isinstance(value, str):
            for _ in range(2):  # the text of a script may name ids itself
                for name, what in names.items():
                    value = value.replace(name, what)
            return value
        if isinstance(value, dict):
            return {k: filled(v) for k, v in value.items()}
        return [filled(v) for v in value] if isinstance(value, list) else value

    text = filled(script.text)
    names["{text}"] = text
    if script.where:
        await place(target.client, script.where, text)
    mine, theirs = await stage.rows(target.user), await stage.rows(bystander.user)
    family = script.family
    answers = ""
    if "http" in family:
        answers = await requested(target.client, filled(family["http"]))
    elif "mcp" in family:
        wanted = filled(family["mcp"])
        answers = (await mcp(target.client, wanted["name"], wanted["arguments"])).text
        assert family.get("answer", "") in answers
    else:
        stage.model.play(filled(family["model"]))
        session = target.ids["session"]
        said = await target.client.post(
            f"/v1/sessions/{session}/messages",
            json={"text": filled(family["say"])},
            headers={"Accept": "text/event-stream"},
        )
        assert said.status_code == 200, said.text
        events = read(said.text)
        check(family, events)
        messages = await target.client.get(f"/v1/sessions/{session}/messages")
        answers = said.text + messages.text
    for secret in bystander.secrets:
        assert secret not in answers
    assert await stage.rows(target.user) == mine
    assert await stage.rows(bystander.user) == theirs


async def place(client: httpx.AsyncClient, where: str, text: str) -> None:
    """Puts the text where data of that kind comes in; a place may refuse what it cannot hold."""
    if where in ("merchant", "memo", "import"):
        merchant, memo = (text, "") if where != "memo" else ("Corner Shop", text)
        quoted = [cell.replace('"', '""') for cell in (merchant, memo)]
        file = f'Date,Amount,Description,Memo\n2026-11-20,-48.00,"{quoted[0]}","{quoted[1]}"\n'
        sent = await client.post(
            "/v1/imports", data={"account": "Checking"}, files={"file": ("bank.csv", file.encode(), "text/csv")}
        )
        assert sent.status_code in (200, 201), sent.text
        return
    path, body = {
        "fact": ("/v1/facts", {"kind": "other", "text": text}),
        "account": ("/v1/accounts", {"name": text[:60], "kind": "cash", "currency": "USD"}),
        "category": ("/v1/categories", {"name": text[:60]}),
        "title": ("/v1/sessions", {"title": text}),
    }[where]
    sent = await client.post(path, json=body)
    assert sent.status_code in (200, 201, 409, 422), sent.text


async def requested(client: httpx.AsyncClient, wanted: dict[str, Any]) -> str:
    """A request that must be refused as the family says."""
    answer = await client.post(wanted["path"], json=wanted["json"])
    assert answer.status_code in wanted["status"], answer.text
    harmless(answer.json().get("detail", ""))
    return answer.text


def read(body: str) -> list[tuple[str, dict[str, Any]]]:
    """The events of a stream."""
    found = []
    for block in body.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.split("\n") if ": " in line)
        if "event" in fields:
            found.append((fields["event"], orjson.loads(fields["data"])))
    return found


def check(family: dict[str, Any], events: list[tuple[str, dict[str, Any]]]) -> None:
    """What the family says of its run, and what holds of all."""
    assert [kind for kind, _ in events if kind in TERMINAL] == [events[-1][0]] == ["run.finished"], events[-1]
    results = [data for kind, data in events if kind == "tool.finished"]
    proposals = {data["id"]: data for kind, data in events if kind == "proposal"}
    for result in results:
        harmless(result["summary"])
        for fact in result["facts"]:
            harmless(fact["label"])
    for proposal in proposals.values():
        harmless(proposal["text"])
        harmless(proposal["notice"] or "")
        assert proposal["status"] == "pending"
        assert {each["field"] for each in proposal["unsaid"]} >= set(family.get("unsaid", ()))
    if "proposals" in family:
        expected = family["proposals"]
        assert len(proposals) in (expected if isinstance(expected, list) else [expected]), results
    refusals = " ".join(result["summary"] for result in results if not result["ok"])
    for words in family.get("refused", ()):
        assert words in refusals, results
    assert family.get("reply", "") in events[-1][1]["text"]


def harmless(text: str) -> None:
    """A sentence of the server's, which chats may render as Markdown: no link, no image, no tag, nothing unseen."""
    assert not re.search(r"://|\]\(|www\.|<[a-z!/]", text, re.IGNORECASE), text
    unseen = [c for c in text if unicodedata.category(c) in ("Cc", "Cf", "Co", "Cs") and c != "\n"]
    assert not unseen, repr(text)
