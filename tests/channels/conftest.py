"""The service with messaging apps that a test stands in for: the real runner, database, receiver and sender."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from aiohttp import web
from own_database import create, named

from agent.graph import build_graph
from agent.runner import Runner
from agent.scripted import ScriptedModel
from agent.start import Agent
from api.app import create_app
from api.auth import AUDIENCE, DEV_ISSUER, Authenticator, mint
from api.protocols.mcp.wire import McpWire
from api.services import ModelStatus, Readiness
from channels.channel import Channel
from channels.receive import Receiver
from channels.sender import Sender
from channels.watcher import Watcher
from db.embedded import Server
from db.engine import Database
from domain.clock import SystemClock
from ledger import preferences
from memory import links, outbox
from memory.outbox import Backoff
from prompts import library

KEY = b"0123456789abcdef0123456789abcdef"


@dataclass
class Service:
    """The parts of a service with `channels`, and a client of `user`'s own app."""

    db: Database
    runner: Runner
    model: ScriptedModel
    channels: dict[str, Channel]
    receiver: Receiver
    sender: Sender
    user: UUID
    clock: SystemClock = field(default_factory=SystemClock)
    authenticate: Any = None
    dev: None = None
    public_url: str | None = "https://penny.example"
    mcp: McpWire = field(default_factory=McpWire)
    readiness: Readiness = field(default_factory=lambda: Readiness("ready"))
    client: httpx.AsyncClient = None  # type: ignore[assignment]
    outside: httpx.AsyncClient = None  # type: ignore[assignment]

    def model_status(self) -> ModelStatus:
        return ModelStatus("fake", small=False, status="ready")

    async def link_text(self, channel: str) -> str:
        """What the user sends in that app to be linked."""
        made = await self.client.post("/v1/links", json={"channel": channel})
        assert made.status_code == 201, made.text
        return str(made.json()["text"])

    async def spend(self) -> None:
        """The user has spent something in two categories this month, so that there is a chart to show."""
        async with self.db.transaction(self.user) as tx:
            account = await tx.pg.fetchval(
                "INSERT INTO account (user_id, name, kind, currency) VALUES ($1, 'Checking', 'checking', 'USD') "
                "RETURNING id",
                tx.user,
            )
            for no, (category, minor) in enumerate((("Groceries", -4250), ("Travel", -12000)), 1):
                await tx.pg.execute(
                    """
                    WITH c AS (INSERT INTO category (user_id, name) VALUES ($1, $2) RETURNING id)
                    INSERT INTO txn (user_id, no, account_id, day, amount_minor, currency, merchant, category_id)
                    SELECT $1, $3, $4, current_date, $5, 'USD', 'Shop', id FROM c
                    """,
                    tx.user,
                    category,
                    no,
                    account,
                    minor,
                )

    async def overspend(self) -> None:
        """The user has spent $349.60 of $380.00 on Dining this month, and wants to be told at any hour."""
        async with self.db.transaction(self.user) as tx:
            own = replace(await preferences.get(tx), budget_alerts=True, quiet_from=None, quiet_until=None)
            await preferences.put(tx, own)
            await tx.pg.execute(
                """
                WITH c AS (INSERT INTO category (user_id, name) VALUES ($1, 'Dining')
                           ON CONFLICT DO NOTHING RETURNING id),
                     d AS (SELECT id FROM c UNION ALL SELECT id FROM category WHERE user_id = $1 AND name = 'Dining'),
                     b AS (INSERT INTO budget (user_id, month, category_id, amount_minor, currency)
                           SELECT $1, date_trunc('month', current_date)::date, id, 38000, 'USD' FROM d),
                     a AS (INSERT INTO account (user_id, name, kind, currency)
                           VALUES ($1, 'Checking', 'checking', 'USD') RETURNING id)
                INSERT INTO txn (user_id, no, account_id, day, amount_minor, currency, merchant, category_id)
                SELECT $1, 1, a.id, current_date, -34960, 'USD', 'Trattoria', d.id FROM a, d
                """,
                tx.user,
            )

    async def look(self) -> None:
        """The watcher's time has come."""
        await Watcher(self.db, self.channels, SystemClock(), self.sender.wake).look(self.user)

    async def said(self) -> list[dict[str, Any]]:
        """What was said in the user's latest session."""
        (session, *_) = (await self.client.get("/v1/sessions")).json()["items"]
        items: list[dict[str, Any]] = (await self.client.get(f"/v1/sessions/{session['id']}/messages")).json()["items"]
        return items

    async def notify(self, channel: str, text: str = "**Head**\n\n- Line") -> None:
        """The user wants weekly summaries at any hour, and there is one for the chat that they wrote in."""
        async with self.db.transaction(self.user) as tx:
            own = replace(await preferences.get(tx), weekly_summary=True, quiet_from=None, quiet_until=None)
            await preferences.put(tx, own)
            (link,) = await links.list_(tx)
            await outbox.add(tx, channel, link.chat, "notice", text, body={"text": text, "kind": "weekly"})
        self.sender.wake()

    async def preferences(self) -> preferences.Preferences:
        """The user's, as they are now."""
        async with self.db.read(self.user) as tx:
            return await preferences.get(tx)

    async def outbox(self, **where: Any) -> list[dict[str, Any]]:
        """The user's rows of the outbox, in order."""
        async with self.db.read(self.user) as tx:
            rows = await tx.pg.fetch("SELECT * FROM outbox ORDER BY no")
        return [dict(row) for row in rows if all(row[key] == value for key, value in where.items())]


@pytest.fixture(scope="session")
async def database(postgres: Server, admin_url: str) -> AsyncIterator[Database]:
    """A migrated database of these tests' own: their services would take over runs that others lost on purpose."""
    await create(admin_url, "channels")
    app, worker = named(postgres.app_url, "channels"), named(postgres.worker_url, "channels")
    opened = await Database.connect(app, worker_url=worker, pool_size=10, application="test")
    yield opened
    await opened.close()


CHARTS = (
    {"tool_calls": [{"name": "get_spending", "args": {"by": "category", "period": "this month"}}]},
    {"text": "See the chart."},
)


@pytest.fixture
def charts() -> Sequence[dict[str, Any]]:
    """What the model says to answer with a chart."""
    return CHARTS


@pytest.fixture
async def serve(database: Database) -> AsyncIterator[Callable[..., Any]]:
    """Starts a service: `await serve(channels, turns, owner="a")`, for a new user unless one is given."""

    async def forget(user: UUID) -> None:
        """What is still to be said or sent is not for the next test's service."""
        async with database.transaction(user) as tx:
            await tx.pg.execute("DELETE FROM outbox")
            await tx.pg.execute("DELETE FROM session")

    async with contextlib.AsyncExitStack() as stack:

        async def start(
            channels: dict[str, Channel],
            turns: Sequence[dict[str, Any]] = ({"text": "Hello."},),
            *,
            delay: float = 0.0,
            subject: str = "",
        ) -> Service:
            model, prompt, clock = ScriptedModel(turns, delay=delay), library.load(), SystemClock()
            owner = f"test-{uuid4().hex}"
            runner = Runner(Agent(database, model, lambda: prompt, clock, build_graph(), owner), lease_seconds=30)
            await runner.start()
            stack.push_async_callback(runner.stop)
            subject = subject or f"user-{uuid4().hex}"
            user = await database.resolve_user(DEV_ISSUER, "", subject)
            stack.push_async_callback(forget, user)
            sender = Sender(database, runner, channels, owner, backoff=Backoff(0.01, 0.05))
            await sender.start()
            stack.push_async_callback(sender.stop)
            authenticate = Authenticator.hs256(
                KEY, issuer=DEV_ISSUER, audience=AUDIENCE, resolve=database.resolve_user, clock=clock
            )
            service = Service(
                database, runner, model, channels, Receiver(database, runner, sender.wake, sender.tell), sender, user
            )
            service.authenticate = authenticate
            transport = httpx.ASGITransport(create_app(service))
            headers = {"Authorization": f"Bearer {mint(KEY, subject, 3600, clock=clock)}"}
            for name, sent in (("client", headers), ("outside", {})):
                client = httpx.AsyncClient(transport=transport, base_url="https://penny.example", headers=sent)
                setattr(service, name, await stack.enter_async_context(client))
            return service

        yield start


@pytest.fixture
async def host() -> AsyncIterator[Callable[..., Any]]:
    """Serves what stands in for an app: `await host(("POST", "/path", handler), ...)` gives its URL, on a free port."""
    async with contextlib.AsyncExitStack() as stack:

        async def start(*routes: tuple[str, str, Any]) -> str:
            app = web.Application()
            for method, path, handler in routes:
                app.router.add_route(method, path, handler)
            runner = web.AppRunner(app)
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            address, port = runner.addresses[0][:2]
            return f"http://{address}:{port}"

        yield start


@pytest.fixture
def outage() -> int:
    """How many tries fall into ten minutes, at the service's own pauses when they are as short as chance makes them;
    those of these tests are hundredths of a second."""
    tries, seconds, shortest = 0, 0.0, random.Random(0)
    shortest.uniform = lambda low, high: low  # type: ignore[method-assign]
    while seconds < 600.0:
        tries += 1
        seconds += Backoff().seconds(tries, shortest)
    return tries


@pytest.fixture
def until() -> Callable[..., Any]:
    """Waits for something to be true: `await until(lambda: listener.got, 3)` for three of them."""

    async def wait(look: Callable[[], Any], count: int = 1, seconds: float = 60.0) -> Any:
        async with asyncio.timeout(seconds):
            while True:
                found = look()
                found = await found if asyncio.iscoroutine(found) else found
                if (len(found) if hasattr(found, "__len__") else int(bool(found))) >= count:
                    return found
                await asyncio.sleep(0.01)

    return wait
