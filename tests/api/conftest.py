"""The application over the real database, with a runner whose replies a test writes."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import orjson
import pytest
import uvicorn
from fastapi import FastAPI

from agent.intake import Along, Confirmed, try_again
from api.app import create_app
from api.auth import AUDIENCE, DEV_ISSUER, Authenticator, DevAccess, Identity, mint
from api.protocols.mcp.wire import McpWire
from api.routes.widget import Assets
from api.services import ModelStatus, Readiness
from channels.channel import Channel
from db.engine import Database
from domain.clock import Clock, FixedClock
from ledger import preferences
from memory import acceptance, cancelling, feed
from memory.acceptance import IfRunning, Terms
from memory.frames import Frame
from memory.runs import Accepted
from tools import proposals
from tools.catalog import call
from tools.tool import ToolContext

TERMS = Terms("written", 60, "fake", "1")
KEY = b"0123456789abcdef0123456789abcdef"
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


class WrittenRunner:
    """Keeps messages and runs in the database like the real one; the events of every run are those of `script`.

    Before the event that `hold_before` numbers, readers wait for `go`. `readers` counts those that read now.
    """

    def __init__(self, db: Database) -> None:
        self.db = db
        self.script: list[tuple[str, dict[str, Any]]] = [
            (
                "run.started",
                {"run_id": "r", "session_id": "s", "message_id": "m", "model": "fake", "prompt_version": "1"},
            ),
            ("text.delta", {"text": "You spent "}),
            ("text.delta", {"text": "412,30 €."}),
            ("grounding", {"figures": [{"start": 10, "end": 18, "text": "412,30 €", "verified": True}]}),
            ("usage", {"input_tokens": 3, "output_tokens": 2, "cache_read_tokens": 0, "cache_write_tokens": 0}),
            ("run.finished", {"message_id": "m", "text": "You spent 412,30 €."}),
        ]
        self.hold_before = 0
        self.go = asyncio.Event()
        self.readers = 0
        self.none_left = asyncio.Event()
        self.refuse: Exception | None = None
        self.break_off_after = 0
        self.broken_by: Exception | None = None

    async def submit(
        self,
        user: UUID,
        session_id: UUID,
        text: str,
        *,
        client_id: str | None = None,
        if_running: IfRunning = "enqueue",
        edit_of: UUID | None = None,
        along: Along | None = None,
    ) -> Accepted:
        if self.refuse is not None:
            raise self.refuse
        async with self.db.transaction(user) as tx:
            accepted = await acceptance.accept(
                tx, session_id, text, TERMS, client_id=client_id, if_running=if_running, edit_of=edit_of
            )
            if along is not None:
                await along(tx, accepted)
            return accepted

    async def retry(self, user: UUID, run_id: UUID) -> Accepted:
        async with self.db.transaction(user) as tx:
            return await try_again(tx, run_id, TERMS)

    async def confirm(
        self, user: UUID, proposal_id: UUID, hash_: str, *, approval: str, follow_up: bool = False
    ) -> Confirmed:
        return Confirmed(await proposals.confirm(self.db, user, proposal_id, hash_, approval=approval))

    async def events(self, user: UUID, run_id: UUID, after: int = 0) -> AsyncIterator[Frame]:
        self.readers += 1
        try:
            for seq, (kind, data) in enumerate(self.script, 1):
                if seq <= after:
                    continue
                if seq == self.hold_before:
                    await self.go.wait()
                yield Frame(seq, kind, orjson.dumps(data).decode())
                if seq == self.break_off_after and self.broken_by is not None:
                    raise self.broken_by
        finally:
            self.readers -= 1
            if not self.readers:
                self.none_left.set()

    async def feed(self, user: UUID, session_id: UUID, after: int = 0) -> AsyncIterator[Frame]:
        async with self.db.read(user) as tx:
            for frame in await feed.read(tx, session_id, after):
                yield frame

    async def cancel(self, user: UUID, run_id: UUID) -> None:
        async with self.db.transaction(user) as tx:
            await cancelling.cancel(tx, run_id)


@dataclass
class Parts:
    """The services of an application under test."""

    db: Database
    runner: WrittenRunner
    clock: Clock
    authenticate: Callable[[str], Awaitable[Identity]]
    model_status: Callable[[], ModelStatus] = lambda: ModelStatus("fake", small=True, status="ready", note="A test.")
    readiness: Readiness = field(default_factory=lambda: Readiness("ready"))
    dev: DevAccess | None = None
    mcp: McpWire = field(default_factory=McpWire)
    authorization_server: str | None = None
    public_url: str | None = None
    channels: dict[str, Channel] = field(default_factory=dict)
    receiver: Any = None


@pytest.fixture
async def parts(database: Database) -> AsyncIterator[Parts]:
    """The services, outside dev mode."""
    clock = FixedClock(NOW)
    authenticator = Authenticator.hs256(
        KEY, issuer=DEV_ISSUER, audience=AUDIENCE, resolve=database.resolve_user, clock=clock
    )
    made = Parts(database, WrittenRunner(database), clock, authenticator)
    yield made
    await made.mcp.close()


@pytest.fixture
def app(parts: Parts) -> FastAPI:
    """The application."""
    return create_app(parts)


@pytest.fixture
def assets(tmp_path: Path) -> Assets:
    """A page and a widget, as a build would leave them."""
    files = {
        "manifest.json": '{"widget": "widget-abcd1234.js", "digest": "0123"}',
        "widget-abcd1234.js": "/* the widget */",
        "demo-abcd1234.js": "/* the page */",
        "demo-abcd1234.css": "body {}",
        "index.html": '<script src="/page/demo-abcd1234.js"></script><link href="/page/demo-abcd1234.css">',
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    return Assets(tmp_path)


@pytest.fixture
def dev_app(parts: Parts, assets: Assets) -> FastAPI:
    """The application in dev mode."""
    parts.dev = DevAccess(KEY)
    return create_app(parts, assets=assets)


@pytest.fixture
def token() -> str:
    """A token of a user whom nobody has seen before."""
    return mint(KEY, f"user-{uuid4().hex}", 3600, clock=FixedClock(NOW))


@pytest.fixture
def make_token() -> Callable[..., str]:
    """Makes a token: `make_token(user, ttl, issuer=..., audience=..., key=..., tenant=...)`."""

    def make(user: str = "someone", ttl: int = 3600, key: bytes = KEY, **claims: str) -> str:
        return mint(key, user, ttl, clock=FixedClock(NOW), **claims)

    return make


@pytest.fixture
async def client(app: FastAPI, token: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client of that user, without a network."""
    async with _client(app, token) as opened:
        yield opened


@pytest.fixture
async def stranger(app: FastAPI, make_token: Callable[..., str]) -> AsyncIterator[httpx.AsyncClient]:
    """A client of another user."""
    async with _client(app, make_token(f"stranger-{uuid4().hex}")) as opened:
        yield opened


@pytest.fixture
async def anonymous(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A client without a token."""
    async with _client(app, None) as opened:
        yield opened


@pytest.fixture
async def dev_client(dev_app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A browser on this machine, before it has a token."""
    async with _client(dev_app, None) as opened:
        yield opened


def _client(app: FastAPI, token: str | None) -> httpx.AsyncClient:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1:8000", headers=headers)


@pytest.fixture
async def my_id(database: Database, client: httpx.AsyncClient, token: str, parts: Parts) -> UUID:
    """The internal id of `client`'s user."""
    return (await parts.authenticate(token)).user


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield  # Ctrl-C stays pytest's


@pytest.fixture
async def served(app: FastAPI, token: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client of that user, over a socket to a real server."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        server = _Server(uvicorn.Config(app, log_config=None, lifespan="off", timeout_graceful_shutdown=5))
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        async with httpx.AsyncClient(base_url=url, headers={"Authorization": f"Bearer {token}"}) as opened:
            yield opened
        server.should_exit = True
        await serving


@pytest.fixture
async def session_id(client: httpx.AsyncClient) -> str:
    """A new session of `client`'s user."""
    created = await client.post("/v1/sessions", json={})
    assert created.status_code == 201
    return str(created.json()["id"])


@pytest.fixture
async def dining(database: Database, my_id: UUID) -> UUID:
    """The id of a spending category of `client`'s user, without a budget."""
    async with database.transaction(my_id) as tx:
        found = await tx.pg.fetchval(
            "INSERT INTO category (user_id, name, group_name) VALUES ($1, 'Dining', 'Fun') RETURNING id", my_id
        )
    return UUID(str(found))


@pytest.fixture
def propose(parts: Parts, my_id: UUID, session_id: str, dining: UUID) -> Callable[[str], Awaitable[dict[str, Any]]]:
    """Makes a proposal, as the model would: `await propose("250")` for a dining budget of 250 a month."""

    async def make(amount: str) -> dict[str, Any]:
        ctx = ToolContext(
            db=parts.db,
            user=my_id,
            today=NOW.date(),
            preferences=preferences.Preferences(),
            clock=parts.clock,
            session_id=UUID(session_id),
        )
        made = await call(ctx, "set_budget", {"category": "Dining", "amount": amount})
        assert made.proposal is not None, made.summary
        return made.proposal

    return make


@pytest.fixture
async def proposal(propose: Callable[[str], Awaitable[dict[str, Any]]]) -> dict[str, Any]:
    """A pending proposal: a dining budget of 250 a month."""
    return await propose("250")
