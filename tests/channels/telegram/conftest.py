"""Telegram's Bot API as far as Penny uses it: its answers, errors and limits as documented."""

from __future__ import annotations

import html
import itertools
import re
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx
import orjson
import pytest
from aiohttp import web

from channels.telegram import TelegramChannel

TOKEN = "42:TEST-not-a-real-token"
SECRET = "not-a-real-secret"
MARKS = re.compile(r"</?(?:b|i|code|pre)>")


@dataclass
class Telegram:
    """One person who writes to the bot. `answers` are the next ones of the API instead of success: (status,
    description, parameters)."""

    url: str = ""
    person: int = field(default_factory=lambda: uuid4().int % 10**9)
    messages: dict[int, dict[str, Any]] = field(default_factory=dict)
    edits: int = 0
    photos: list[bytes] = field(default_factory=list)
    typing: int = 0
    webhook: dict[str, Any] = field(default_factory=dict)
    """What getWebhookInfo says beside that there is none."""
    answers: list[tuple[int, str, dict[str, Any]]] = field(default_factory=list)
    _ids: Any = field(default_factory=lambda: itertools.count(1000))
    _updates: Any = field(default_factory=lambda: itertools.count(uuid4().int % 10**9))

    async def api(self, request: web.Request) -> web.Response:
        if request.match_info["token"] != TOKEN:
            return self._refusal(401, "Unauthorized", {})
        method, form = request.match_info["method"], dict(await request.post())
        if method == "sendChatAction":
            self.typing += 1
            return web.json_response({"ok": True, "result": True})
        if method == "getMe":
            me = {"id": 42, "is_bot": True, "first_name": "Penny", "username": "penny_bot"}
            return web.json_response({"ok": True, "result": me})
        if method == "getWebhookInfo":
            info = {"url": "", "has_custom_certificate": False, "pending_update_count": 0}
            return web.json_response({"ok": True, "result": info | self.webhook})
        if self.answers:
            return self._refusal(*self.answers.pop(0))
        if method == "sendPhoto":
            (photo,) = [part for part in form.values() if isinstance(part, web.FileField)]
            number = next(self._ids)
            self.photos.append(photo.file.read())
            chat = {"id": int(str(form["chat_id"])), "type": "private", "first_name": "Kim"}
            result = {"message_id": number, "date": 1_700_000_000, "chat": chat}
            return web.json_response({"ok": True, "result": result})
        plain = html.unescape(MARKS.sub("", str(form["text"])))
        if not 0 < len(plain) <= 4096 or "<" in MARKS.sub("", str(form["text"])):
            return self._refusal(400, "Bad Request: can't parse entities", {})
        if method == "editMessageText":
            number = int(str(form["message_id"]))
            if number not in self.messages:
                return self._refusal(400, "Bad Request: message to edit not found", {})
            if self.messages[number].get("text") == form["text"] and "reply_markup" not in self.messages[number]:
                return self._refusal(400, "Bad Request: message is not modified", {})
            self.edits += 1
        else:
            assert method == "sendMessage"
            number = next(self._ids)
        self.messages[number] = form
        result = {
            "message_id": number,
            "date": 1_700_000_000,
            "chat": {"id": int(str(form["chat_id"])), "type": "private", "first_name": "Kim"},
            "text": plain,
        }
        return web.json_response({"ok": True, "result": result})

    def _refusal(self, status: int, description: str, parameters: dict[str, Any]) -> web.Response:
        body = {"ok": False, "error_code": status, "description": description, "parameters": parameters}
        return web.json_response(body, status=status)

    @property
    def texts(self) -> list[str]:
        return [str(message["text"]) for message in self.messages.values()]

    def buttons(self) -> list[dict[str, str]]:
        """The buttons that are shown now."""
        keyboards = [orjson.loads(str(m["reply_markup"])) for m in self.messages.values() if m.get("reply_markup")]
        return [button for keyboard in keyboards for row in keyboard["inline_keyboard"] for button in row]

    async def update(self, client: httpx.AsyncClient, secret: str = SECRET, **update: Any) -> httpx.Response:
        """An update; the same `update_id` is the same one again."""
        body = {"update_id": next(self._updates)} | update
        headers = {"X-Telegram-Bot-Api-Secret-Token": secret}
        return await client.post("/webhooks/telegram", json=body, headers=headers)

    async def say(self, client: httpx.AsyncClient, text: str, **more: Any) -> None:
        """The person writes; Penny takes it."""
        message = {
            "message_id": next(self._ids),
            "date": 1_700_000_000,
            "chat": {"id": self.person, "type": "private", "first_name": "Kim"},
            "from": {"id": self.person, "is_bot": False, "first_name": "Kim"},
            "text": text,
        }
        answer = await self.update(client, message=message, **more)
        assert answer.status_code == 200, answer.text

    async def press(self, client: httpx.AsyncClient, data: str) -> httpx.Response:
        """The person presses a button."""
        person = {"id": self.person, "is_bot": False, "first_name": "Kim"}
        chat = {"id": self.person, "type": "private", "first_name": "Kim"}
        message = {"message_id": 1, "date": 1_700_000_000, "chat": chat}
        query = {"id": uuid4().hex, "chat_instance": "1", "from": person, "data": data, "message": message}
        return await self.update(client, callback_query=query)


@pytest.fixture
async def telegram(host: Any) -> Telegram:
    """Telegram, its API on a free port."""
    made = Telegram()
    made.url = await host(("POST", "/bot{token}/{method}", made.api))
    return made


@pytest.fixture
def channel(telegram: Telegram) -> TelegramChannel:
    """The channel that speaks with it."""
    return TelegramChannel(TOKEN, SECRET, telegram.url)
