"""Slack's API as far as Penny uses it: its answers, errors and limits as documented."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import httpx
import pytest
from aiohttp import web
from slack_sdk.signature import SignatureVerifier

from channels.slack import SlackChannel

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
TOKEN = "xoxb-not-a-real-token"


@dataclass
class Slack:
    """A workspace with one member, who writes to the bot in its direct messages. `answers` are the next ones of the API
    instead of success: an error code, or a number of seconds for 429."""

    url: str = ""
    user: str = field(default_factory=lambda: f"U{uuid4().hex[:9].upper()}")
    dm: str = field(default_factory=lambda: f"D{uuid4().hex[:9].upper()}")
    messages: dict[str, dict[str, Any]] = field(default_factory=dict)
    edits: int = 0
    files: dict[str, bytes] = field(default_factory=dict)
    shared: dict[str, str] = field(default_factory=dict)
    scopes: tuple[str, ...] = ()
    answers: list[str | int] = field(default_factory=list)
    refused_methods: dict[str, str] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    streams: set[str] = field(default_factory=set)
    """The messages that are being streamed, by their ts."""
    appended: list[str] = field(default_factory=list)
    panes: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    """What was set in assistants' threads: the method's last word, and its arguments."""
    _clock: int = 1_700_000_000

    async def api(self, request: web.Request) -> web.Response:
        method = request.match_info["method"]
        self.calls.append(method)
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return web.json_response({"ok": False, "error": "invalid_auth"})
        wrong = self.answers.pop(0) if self.answers else self.refused_methods.get(method)
        if isinstance(wrong, int):
            return web.json_response(
                {"ok": False, "error": "ratelimited"}, status=429, headers={"Retry-After": str(wrong)}
            )
        if wrong:
            return web.json_response({"ok": False, "error": wrong})
        if method == "auth.test":
            scopes = {"X-OAuth-Scopes": ",".join(self.scopes)} if self.scopes else {}
            return web.json_response({"ok": True, "user": "penny", "team": "Example"}, headers=scopes)
        if method == "conversations.open":
            return web.json_response({"ok": True, "channel": {"id": self.dm}})
        if method == "files.getUploadURLExternal":
            form = {**request.query, **await request.post()}
            self._clock += 1
            file = {
                "ok": True,
                "upload_url": self.url.replace("/api/", f"/upload/F{self._clock}"),
                "file_id": f"F{self._clock}",
            }
            assert int(str(form["length"])) > 0
            return web.json_response(file)
        if method == "files.completeUploadExternal":
            form = {**request.query, **await request.post()}
            (done,) = json.loads(str(form["files"]))
            self.shared[done["id"]] = str(form["channel_id"])
            return web.json_response({"ok": True, "files": [{"id": done["id"], "title": done["title"]}]})
        sent = await request.json()
        if method.startswith("assistant.threads."):
            assert sent["thread_ts"]
            self.panes.append((method.rpartition(".")[2], sent))
            return web.json_response({"ok": True})
        if method.endswith("Stream"):
            return web.json_response(self._stream(method, sent))
        assert all(len(block["text"]["text"]) <= 3000 for block in sent["blocks"] if block["type"] == "section")
        if method == "chat.postMessage":
            self._clock += 1
            ts = f"{self._clock}.000100"
            channel = self.dm if sent["channel"] == self.user else sent["channel"]
            self.messages[ts] = sent | {"channel": channel}
            return web.json_response({"ok": True, "channel": channel, "ts": ts})
        assert method == "chat.update"
        if sent["ts"] not in self.messages:
            return web.json_response({"ok": False, "error": "message_not_found"})
        if sent["ts"] in self.streams:
            return web.json_response({"ok": False, "error": "streaming_state_conflict"})
        self.edits += 1
        self.messages[sent["ts"]] |= sent
        return web.json_response({"ok": True, "channel": sent["channel"], "ts": sent["ts"]})

    def _stream(self, method: str, sent: dict[str, Any]) -> dict[str, Any]:
        text = sent.get("markdown_text", "")
        assert len(text) <= 12_000
        if method == "chat.startStream":
            assert sent["thread_ts"]
            self._clock += 1
            ts = f"{self._clock}.000100"
            self.messages[ts] = {"channel": sent["channel"], "thread_ts": sent["thread_ts"], "text": text, "blocks": []}
            self.streams.add(ts)
            return {"ok": True, "channel": sent["channel"], "ts": ts}
        ts = sent["ts"]
        if ts not in self.streams:
            return {"ok": False, "error": "message_not_in_streaming_state"}
        self.messages[ts]["text"] += text
        if method == "chat.appendStream":
            self.appended.append(text)
        else:
            self.streams.discard(ts)
        return {"ok": True, "channel": sent["channel"], "ts": ts}

    async def upload(self, request: web.Request) -> web.Response:
        self.files[request.match_info["file"]] = await request.read()
        return web.Response(text="OK")

    @property
    def texts(self) -> list[str]:
        return [message["text"] for message in self.messages.values()]

    def buttons(self) -> list[tuple[str, str]]:
        """(label, value) of the buttons that are shown now."""
        return [
            (element["text"]["text"], element["value"])
            for message in self.messages.values()
            for block in message["blocks"]
            if block["type"] == "actions"
            for element in block["elements"]
        ]

    async def post(
        self,
        client: httpx.AsyncClient,
        body: bytes,
        kind: str = "application/json",
        *,
        ago: int = 0,
        secret: str = SECRET,
    ) -> httpx.Response:
        """A signed request."""
        stamp = str(int(time.time()) - ago)
        signature = SignatureVerifier(secret).generate_signature(timestamp=stamp, body=body)
        headers = {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": str(signature), "Content-Type": kind}
        return await client.post("/webhooks/slack", content=body, headers=headers)

    async def event(self, client: httpx.AsyncClient, event_id: str = "", **event: Any) -> None:
        """An event of the Events API; Penny takes it."""
        envelope = {
            "type": "event_callback",
            "team_id": "T1",
            "event_id": event_id or f"Ev{uuid4().hex[:9]}",
            "event": {"type": "message", "channel": self.dm, "channel_type": "im", "user": self.user} | event,
        }
        answer = await self.post(client, json.dumps(envelope).encode())
        assert answer.status_code == 200, answer.text

    async def say(self, client: httpx.AsyncClient, text: str, event_id: str = "", **more: Any) -> str:
        """The member writes; gives the message's ts."""
        self._clock += 1
        ts = f"{self._clock}.000200"
        await self.event(client, event_id, text=text, ts=ts, **more)
        return ts

    async def open_pane(self, client: httpx.AsyncClient) -> str:
        """The member opens the assistant's pane; gives the thread's ts."""
        self._clock += 1
        ts = f"{self._clock}.000300"
        thread = {"user_id": self.user, "channel_id": self.dm, "thread_ts": ts, "context": {"channel_id": "C1"}}
        await self.event(client, type="assistant_thread_started", assistant_thread=thread)
        return ts

    async def press(self, client: httpx.AsyncClient, value: str, action_ts: str = "") -> None:
        """The member presses a button."""
        payload = {
            "type": "block_actions",
            "team": {"id": "T1"},
            "user": {"id": self.user},
            "channel": {"id": self.dm},
            "message": {"ts": "1.1"},
            "actions": [{"action_id": "penny_apply", "value": value, "action_ts": action_ts or uuid4().hex}],
        }
        body = urlencode({"payload": json.dumps(payload)}).encode()
        assert (await self.post(client, body, "application/x-www-form-urlencoded")).status_code == 200


@pytest.fixture
async def slack(host: Any) -> Slack:
    """The workspace, its API on a free port."""
    made = Slack()
    made.url = await host(("*", "/api/{method}", made.api), ("POST", "/upload/{file}", made.upload)) + "/api/"
    return made


@pytest.fixture
def channel(slack: Slack) -> SlackChannel:
    """The channel that speaks with it."""
    return SlackChannel(SECRET, TOKEN, slack.url)
