"""What the stand-in for the service knows, and what every part of it does."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

WIDGET = "<penny-chat token-url='/dev/token' mode='page'></penny-chat><script type='module' src='/widget.js'></script>"
TERMINAL = ("run.finished", "run.failed", "run.cancelled")


def usd(minor: int) -> dict[str, Any]:
    """An amount in US cents."""
    return {"minor": minor, "currency": "USD"}


Step = tuple[str, dict[str, Any]] | asyncio.Event
"""An event of a run (type, data), or something the run waits for before it goes on."""


@dataclass
class Run:
    """A run whose events appear as its script is played; every stream of it reads from the same list."""

    id: str
    session_id: str
    text: str
    status: str = "running"
    events: list[tuple[int, str, str]] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    cancelled: asyncio.Event = field(default_factory=asyncio.Event)

    def emit(self, kind: str, data: dict[str, Any]) -> None:
        self.events.append((len(self.events) + 1, kind, json.dumps(data, ensure_ascii=False)))
        if kind in TERMINAL:
            self.status = kind.removeprefix("run.")
        self.changed.set()
        self.changed = asyncio.Event()


class State:
    """Sessions, runs and proposals in memory. What a test wants to happen goes into `script`, what happened is in
    `posts`, `confirms` and `requests`."""

    def __init__(self) -> None:
        self.sessions: dict[str, dict[str, Any]] = {}
        self.messages: dict[str, list[dict[str, Any]]] = {}
        self.runs: dict[str, Run] = {}
        self.proposals: dict[str, dict[str, Any]] = {}
        self.scripts: list[list[Step]] = []
        self.posts: list[dict[str, Any]] = []
        self.confirms: list[dict[str, Any]] = []
        self.undone: list[str] = []
        self.retries: list[str] = []
        self.reads: list[tuple[str, int]] = []
        self.model = {"name": "local", "small": True, "status": "ready", "note": "It makes mistakes."}
        self.cut_after: list[int] = []
        self.refusals: list[tuple[int, dict[str, Any]]] = []
        self.chunk = 7
        self.body = WIDGET
        self.host_script = ""
        self.host_style = ""
        self.feeds: dict[str, list[tuple[int, str, str]]] = {}
        self.told = asyncio.Event()
        self.channels = ["slack", "telegram"]
        self.links: list[dict[str, str]] = []
        self.code_seconds = 900.0
        self.preferences: dict[str, Any] = {
            "locale": "en-US",
            "time_zone": "Europe/Berlin",
            "weekly_summary": True,
            "budget_alerts": False,
            "unusual_charges": False,
            "upcoming_bills": False,
            "quiet_from": "22:00",
            "quiet_until": "08:00",
        }
        self.facts = [{"id": "f1", "kind": "payday", "text": "Salary comes on the 25th."}]
        self.accounts = [{"id": "a1", "name": "Everyday Checking", "kind": "checking", "balance": usd(204978)}]
        self.budgets: dict[str, Any] = {"items": [], "totals": []}
        self.imports: list[tuple[str, bool]] = []
        self.import_refusal: dict[str, Any] | None = None
        self.tokens = 0
        self.url = ""
        self._tasks: set[asyncio.Task[None]] = set()
        self._open: set[asyncio.BaseTransport] = set()
        self._readers: set[asyncio.Task[Any]] = set()

    def routes(self) -> list[web.RouteDef]:
        """What is answered; each part adds its own."""
        return []

    def tell(self, session_id: str, kind: str, data: dict[str, Any]) -> None:
        """Adds an event to the session's feed."""
        feed = self.feeds.setdefault(session_id, [])
        feed.append((len(feed) + 1, kind, json.dumps(data)))
        self.told.set()
        self.told = asyncio.Event()

    def authorized(self, request: web.Request) -> None:
        if request.headers.get("Authorization") != "Bearer test-token":
            raise web.HTTPUnauthorized


def refusal(status: int, code: str, detail: str, **members: Any) -> web.Response:
    body = {"type": "about:blank", "title": "", "status": status, "detail": detail, "code": code} | members
    return web.json_response(body, status=status, content_type="application/problem+json")
