"""A running Penny for the clients that others wrote: the real service on Bedrock's wire, and Node with packages."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import re
import socket
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any
from uuid import uuid4

import httpx
import pytest
import uvicorn
from own_database import create

from agent.bedrock import AwsKeys, BedrockModel
from api.app import create_app
from api.auth import mint
from domain.clock import SystemClock
from lab.bedrock_emulator import BedrockEmulator, Turn
from lab.bedrock_emulator.conversation import conversation
from penny.bootstrap import Services, bootstrap
from penny.settings import Settings

DOCS = Path(__file__).parents[2] / "docs" / "clients"
MODEL = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
ISSUER = "https://host.example"
KEY = b"a key that only the host app and Penny have"


def _beside(name: str) -> ModuleType:
    """A module of this folder, which is no package (pytest's importlib mode)."""
    known = f"tests_clients_{name}"
    if known not in sys.modules:
        spec = importlib.util.spec_from_file_location(known, Path(__file__).with_name(f"{name}.py"))
        assert spec is not None
        assert spec.loader is not None
        sys.modules[known] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[known])
    return sys.modules[known]


@pytest.fixture(scope="session")
def node() -> Callable[..., Any]:
    """Runs Node scripts: `await node(path_or_text, *arguments, seconds=120, **env)` gives what they wrote; a script
    that fails fails the test. `node.version("ai-v7")` is what is installed."""
    npm = _beside("npm")
    try:
        made: Callable[..., Any] = npm.Node(npm.installed())
    except npm.NpmUnreachable as error:
        pytest.fail(str(error))
    return made


@pytest.fixture(scope="session")
def example() -> Callable[[str, str], str]:
    """The code of an example in docs/clients/: `example("openai.md", "ask.py")` is the fenced block whose info string
    ends in `title=ask.py`."""

    def found(page: str, title: str) -> str:
        text = (DOCS / page).read_text()
        block = re.search(rf"^```\w+ title={re.escape(title)}\n(.*?)^```$", text, re.M | re.S)
        assert block is not None, f"docs/clients/{page} has no example {title}"
        return block[1]

    return found


def answer(asked: Mapping[str, Any]) -> Turn:
    """Claude: "say 20 0.01" is twenty words ten milliseconds apart, "fail" a model that breaks, else the emulator's
    small budget conversation, which calls the tools."""
    last = [block["text"] for block in asked["messages"][-1]["content"] if "text" in block]
    said = (last or [""])[-1]
    if paced := re.search(r"\bsay (\d+) ([\d.]+)", said):
        return Turn(" ".join(f"word{n}" for n in range(int(paced[1]))), token_delay=float(paced[2]))
    return conversation(0)(asked)


@dataclass
class Person:
    """A user of the running service, with the token that a host app made for them."""

    token: str
    client: httpx.AsyncClient
    name: str


@dataclass
class Penny:
    """The running service. `url` has no slash at its end."""

    url: str
    services: Services
    emulator: BedrockEmulator
    key: bytes = KEY
    issuer: str = ISSUER
    _open: list[httpx.AsyncClient] = field(default_factory=list)

    def token(self, user: str, *, ttl: int = 3600, tenant: str = "") -> str:
        """A token for `user`, signed as a host app would."""
        return mint(self.key, user, ttl, clock=SystemClock(), issuer=self.issuer, tenant=tenant)

    async def person(self) -> Person:
        """A new user who has a checking account, the categories Dining and Travel, and nothing else."""
        name = f"person-{uuid4().hex[:12]}"
        token = self.token(name)
        client = httpx.AsyncClient(base_url=self.url, headers={"Authorization": f"Bearer {token}"}, timeout=60)
        self._open.append(client)
        for path, body in (
            ("/v1/accounts", {"name": "Checking", "kind": "checking", "currency": "USD"}),
            ("/v1/categories", {"name": "Dining"}),
            ("/v1/categories", {"name": "Travel"}),
        ):
            made = await client.post(path, json=body)
            assert made.status_code == 201, made.text
        return Person(token, client, name)

    async def close(self) -> None:
        for client in self._open:
            await client.aclose()


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield  # Ctrl-C stays pytest's


@pytest.fixture(scope="session")
async def emulator() -> AsyncIterator[BedrockEmulator]:
    """Bedrock's wire."""
    async with BedrockEmulator(answer) as running:
        yield running


@pytest.fixture(scope="session")
async def own_database(admin_url: str) -> str:
    """The superuser's URL of a migrated database of these tests' own: the service runs to the session's end, and would
    take over runs that other tests have lost on purpose."""
    return await create(admin_url, "clients")


@pytest.fixture(scope="session")
async def penny(
    own_database: str, emulator: BedrockEmulator, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Penny]:
    """Penny as a host app would run it: the real service on a free port, tokens by a shared key, Bedrock behind it."""
    key = tmp_path_factory.mktemp("keys") / "shared.key"
    key.write_bytes(KEY)
    settings = Settings(
        _env_file=None,  # type: ignore[call-arg]
        database_url=own_database,
        home=tmp_path_factory.mktemp("home"),
        auth=f"hs256:{key}",
        auth_issuer=ISSUER,
        cors_origins=("http://app.example", "http://localhost:4321"),
    )
    model = BedrockModel(
        MODEL, region="us-east-1", keys=AwsKeys("AKIDEXAMPLE", "test-secret"), endpoint_url=emulator.url
    )
    async with bootstrap(settings, model=model) as services:
        app = create_app(services, cors_origins=settings.cors_origins)
        with socket.socket() as listening:
            listening.bind(("127.0.0.1", 0))
            listening.listen()
            server = _Server(uvicorn.Config(app, log_config=None, lifespan="off", timeout_graceful_shutdown=2))
            serving = asyncio.create_task(server.serve(sockets=[listening]))
            running = Penny(f"http://127.0.0.1:{listening.getsockname()[1]}", services, emulator)
            yield running
            await running.close()
            server.should_exit = True
            await serving
