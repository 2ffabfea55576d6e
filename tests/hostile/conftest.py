"""The real service, a model that plays what a script says, and two people: one who is attacked and one who must stay
out of it."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest
from fastapi import FastAPI
from own_database import create

from agent.scripted import ScriptedModel
from api.app import create_app
from api.auth import AUDIENCE, mint
from domain.clock import FixedClock
from domain.ids import new_id
from domain.money import Money
from ledger.transactions import NewTxn, insert
from penny.bootstrap import Services, bootstrap
from penny.settings import Settings

KEY = b"0123456789abcdef0123456789abcdef"
ISSUER = "https://issuer.example"
TODAY = date(2026, 11, 22)
CLOCK = FixedClock(datetime(2026, 11, 22, 12, 0, tzinfo=UTC))


class Played(ScriptedModel):
    """A model that plays the script it was given last, from its beginning."""

    def play(self, turns: list[dict[str, Any]]) -> None:
        self._turns, self._at = turns, 0


@dataclass
class Person:
    """Somebody with a token and a small ledger; `secrets` are words that only theirs has."""

    user: UUID
    client: httpx.AsyncClient
    ids: dict[str, str]
    secrets: tuple[str, ...] = ()


@dataclass
class Stage:
    """The service with its model, and what is in the database."""

    services: Services
    model: Played
    admin: asyncpg.Connection
    app: FastAPI
    people: list[Person] = field(default_factory=list)

    async def person(self, name: str = "Acme") -> Person:
        """A new user with accounts, budgets, purchases and what comes from `name`, a session and a proposal in it."""
        subject = uuid.uuid4().hex
        user = await self.services.db.resolve_user(ISSUER, "", subject)
        token = mint(KEY, subject, 3600, clock=CLOCK, issuer=ISSUER, audience=AUDIENCE)
        client = httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app),
            base_url="http://penny.example",
            headers={"Authorization": f"Bearer {token}"},
            timeout=120,
        )
        ids = {"user": str(user), **await self._settle(user, name)}
        session = (await client.post("/v1/sessions", json={"title": f"{name} money"})).json()["id"]
        self.model.play([{"tool_calls": [{"name": "set_budget", "args": {"category": "Gifts", "amount": 80}}]}, {}])
        said = await client.post(f"/v1/sessions/{session}/messages", json={"text": "set gifts to 80"})
        proposal = said.json()["proposals"][0]
        ids |= {"session": session, "run": said.json()["run_id"], "proposal": proposal["id"], "hash": proposal["hash"]}
        made = Person(user, client, ids)
        self.people.append(made)
        return made

    async def _settle(self, user: UUID, name: str) -> dict[str, str]:
        ids = {each: new_id() for each in ("Checking", "Card", "Dining", "Groceries", "Gifts")}
        async with self.services.db.transaction(user) as tx:
            await tx.pg.executemany(
                "INSERT INTO account (user_id, id, name, kind, currency) VALUES ($1, $2, $3, $4, 'USD')",
                [
                    (user, ids["Checking"], "Checking", "checking"),
                    (user, ids["Card"], f"{name} Card" if name != "Acme" else "Card", "credit"),
                ],
            )
            await tx.pg.executemany(
                "INSERT INTO category (user_id, id, name) VALUES ($1, $2, $3)",
                [(user, ids[each], each) for each in ("Dining", "Groceries", "Gifts")],
            )
            await tx.pg.execute(
                """
                INSERT INTO budget (user_id, month, category_id, amount_minor, currency)
                VALUES ($1, $2, $3, 30000, 'USD')
                """,
                user,
                TODAY.replace(day=1),
                ids["Dining"],
            )
            txn = new_id()
            await insert(
                tx,
                [
                    NewTxn(ids["Checking"], TODAY, Money(-1234, "USD"), f"{name} Shop", f"{name} memo", ids["Dining"]),
                    NewTxn(ids["Checking"], TODAY - timedelta(9), Money(300_000, "USD"), name, "salary"),
                ],
                [txn, new_id()],
            )
        return {"account": str(ids["Checking"]), "category": str(ids["Dining"]), "txn": str(txn)}

    async def rows(self, user: UUID, more: tuple[str, ...] = ()) -> dict[str, list[str]]:
        """Every row of the user's in the tables of money and memory, and in `more`, as text."""
        return {
            table: sorted(
                str(dict(row))
                for row in await self.admin.fetch(f"SELECT * FROM {table} WHERE user_id = $1", user)  # noqa: S608
            )
            for table in (*MONEY, *more)
        }


MONEY = (
    *("account", "budget", "category", "goal", "hold", "import_batch", "journal", "preference", "rate", "rule"),
    *("txn", "user_fact", "month_rollup", "channel_link"),
)


@pytest.fixture(scope="session")
async def own_database(admin_url: str) -> str:
    """A database of these tests' own, whose queue no other runner looks at."""
    return await create(admin_url, "hostile")


@pytest.fixture(scope="module")
async def stage(own_database: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    """The real service over the real database, with tokens by a shared key."""
    key = tmp_path_factory.mktemp("keys") / "shared.key"
    key.write_bytes(KEY)
    settings = Settings(
        _env_file=None,  # type: ignore[call-arg]
        database_url=own_database,
        home=tmp_path_factory.mktemp("home"),
        auth=f"hs256:{key}",
        auth_issuer=ISSUER,
        limits_requests_per_user=0,
        limits_requests_per_address=0,
        limits_requests_per_tenant=0,
    )
    model = Played([{"text": "Nothing."}])
    admin = await asyncpg.connect(own_database, server_settings={"search_path": "penny"})
    async with bootstrap(settings, model=model, clock=CLOCK) as services:
        made = Stage(services, model, admin, create_app(services))
        yield made
        for person in made.people:
            await person.client.aclose()
    await admin.close()


@pytest.fixture(scope="module")
async def bystander(stage: Stage) -> Person:
    """Somebody else, whose words nobody else may ever see; one change of theirs is in the journal."""
    name = "Zq" + uuid.uuid4().hex[:12].translate(str.maketrans("0123456789", "ghijklmnop"))  # no number of a card
    person = await stage.person(name)
    done = await person.client.post(
        f"/v1/proposals/{person.ids['proposal']}/confirm", json={"hash": person.ids["hash"]}
    )
    person.ids["journal"] = done.json()["journal_id"]
    stage.model.play([{"tool_calls": [{"name": "set_budget", "args": {"category": "Gifts", "amount": 90}}]}, {}])
    said = await person.client.post(f"/v1/sessions/{person.ids['session']}/messages", json={"text": "90 for gifts"})
    proposal = said.json()["proposals"][0]
    person.ids |= {"proposal": proposal["id"], "hash": proposal["hash"]}
    fact = await person.client.post("/v1/facts", json={"kind": "other", "text": f"My dog is {name}"})
    person.ids["fact"] = fact.json()["id"]
    person.secrets = (name,)
    return person


@pytest.fixture
async def target(stage: Stage) -> Person:
    """A new user, on whom the script is tried."""
    return await stage.person()


Post = Callable[..., Awaitable[httpx.Response]]


@pytest.fixture
def mcp() -> Post:
    """Posts a call of a tool to /mcp: `await mcp(client, name, arguments)`."""

    async def post(client: httpx.AsyncClient, name: str, arguments: dict[str, Any]) -> httpx.Response:
        envelope = {
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": {},
        }
        params = {"name": name, "arguments": arguments, "_meta": envelope}
        return await client.post(
            "/mcp",
            json={"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params},
            headers={
                "Accept": "application/json",
                "MCP-Protocol-Version": "2026-07-28",
                "Mcp-Method": "tools/call",
                "Mcp-Name": name,
            },
        )

    return post
