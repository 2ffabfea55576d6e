"""An app that is away for ten minutes, counted in tries: nothing is lost, and nobody else waits."""

from __future__ import annotations

from typing import Any

import pytest

from channels.channel import Answer, Parsed, Part, Reply, TryLater
from memory import outbox

APPS = ("standard", "slack", "telegram", "whatsapp", "twilio")


class App:
    """An app's channel as the sender sees it; it is away while `away` says so."""

    edit_seconds: float | None = None
    window_hours: float | None = None
    templates = False

    def __init__(self, name: str) -> None:
        self.name, self.away, self.tries, self.sent = name, False, 0, list[str]()

    def home(self, chat: str) -> str:
        return chat

    def render(self, reply: Reply, locale: str) -> list[Part]:
        return [Part({"text": reply.text})]

    async def send(self, chat: str, payload: dict[str, Any], key: str) -> str:
        self.tries += 1
        if self.away:
            raise TryLater("http_503")
        self.sent.append(payload["text"])
        return key

    async def typing(self, chat: str, doing: str) -> None:
        return

    def parse(self, hook: Any) -> Parsed:
        return Parsed((), Answer())

    async def close(self) -> None:
        return


@pytest.mark.parametrize("away", APPS)
async def test_an_app_that_is_away_holds_up_nobody_else(serve: Any, until: Any, outage: int, away: str) -> None:
    """Two messages to each app while one is away for ten minutes: the others have theirs meanwhile; when it is back it
    gets both once, in order."""
    apps = {name: App(name) for name in APPS}
    service: Any = await serve(apps)
    apps[away].away = True
    async with service.db.transaction(service.user) as tx:
        for name in APPS:
            for text in ("one", "two"):
                await outbox.add(tx, name, str(tx.user), "note", text, body={"text": text, "proposals": []})
    service.sender.wake()
    await until(lambda: [app for app in apps.values() if len(app.sent) == 2], len(APPS) - 1)
    await until(lambda: [None] * apps[away].tries, outage)
    assert apps[away].sent == []
    apps[away].away = False
    await until(lambda: apps[away].sent, 2)
    for app in apps.values():
        assert app.sent == ["one", "two"], app.name
    await until(lambda: service.outbox(status="sent"), 2 * len(APPS))
