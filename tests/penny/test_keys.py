"""Where keys come from: an issuer over HTTP, files, Secrets Manager."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import pytest
from aiohttp import web
from joserfc.jwk import ECKey
from moto import mock_aws

from api.auth import Authenticator, mint
from api.auth_keys import PAUSE_SECONDS, LoadedKeys
from domain.clock import SystemClock
from domain.errors import SetupError, Unauthorized, Unavailable
from penny.keys import JWKS_BYTES, jwks_from, secret_from

OLD, NEW = b"o" * 32, b"n" * 32


@pytest.fixture
async def issuer() -> AsyncIterator[Any]:
    """A web server whose answer a test sets; `issuer.url` is where."""

    class Issuer:
        status, body, headers, url = 200, b"", {}, ""

    told: Any = Issuer()

    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=told.status, body=told.body, headers=told.headers)

    app = web.Application()
    app.router.add_get("/jwks", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    told.url = f"http://127.0.0.1:{runner.addresses[0][1]}/jwks"
    yield told
    await runner.cleanup()


async def test_keys_come_from_the_issuer(issuer: Any, tmp_path: Path) -> None:
    """The address gives the keys, a file with the same content does too."""
    key = ECKey.generate_key("P-256", {"kid": "one"})
    issuer.body = json.dumps({"keys": [key.as_dict(private=False)]}).encode()
    assert [v.kid for v in await jwks_from(issuer.url)()] == ["one"]
    file = tmp_path / "keys.json"
    file.write_bytes(issuer.body)
    assert [v.kid for v in await jwks_from(str(file))()] == ["one"]


@pytest.mark.parametrize(
    ("status", "body"),
    [(500, b"{}"), (302, b""), (200, b"<html>"), (200, b"{" + b" " * JWKS_BYTES), (404, b'{"keys": []}')],
)
async def test_what_is_no_key_set_is_an_outage(issuer: Any, status: int, body: bytes) -> None:
    """Errors, redirects, pages and endless answers never replace the keys that are known."""
    issuer.status, issuer.body, issuer.headers = status, body, {"Location": "/elsewhere"}
    with pytest.raises((Unavailable, ValueError)):
        await jwks_from(issuer.url)()


async def test_nobody_there_is_an_outage() -> None:
    """An address where nobody listens is an outage, not an error of the server."""
    with pytest.raises(Unavailable):
        await jwks_from("http://127.0.0.1:9/jwks")()


@pytest.mark.parametrize("where", ["http://login.example/jwks", "ftp://login.example/jwks", "/no/such/file"])
def test_places_that_cannot_be_trusted_are_said_at_start(where: str) -> None:
    """Plain http and files that are not there are set-up errors."""
    with pytest.raises(SetupError, match="PENNY_AUTH"):
        jwks_from(where)


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Secrets Manager, as moto has it."""
    for name, value in {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    with mock_aws():
        yield boto3.client("secretsmanager", region_name="eu-west-1")


async def test_a_rotated_secret_counts_without_a_restart(aws: Any) -> None:
    """The current version of the secret is the key; after a rotation a token of the new key is good."""
    aws.create_secret(Name="penny/tokens", SecretString=OLD.decode())
    clock, now = SystemClock(), [0.0]
    keys = LoadedKeys(secret_from("penny/tokens"), ("HS256",), now=lambda: now[0])

    async def resolve(*_: str) -> Any:
        return uuid4()

    check = Authenticator(keys, "host", "penny", resolve, clock)
    await check(mint(OLD, "u", 60, clock=clock, issuer="host"))
    aws.put_secret_value(SecretId="penny/tokens", SecretString=NEW.decode())
    with pytest.raises(Unauthorized):
        await check(mint(NEW, "u", 60, clock=clock, issuer="host"))
    now[0] = PAUSE_SECONDS
    await check(mint(NEW, "u", 60, clock=clock, issuer="host"))
    with pytest.raises(Unauthorized):
        await check(mint(OLD, "u", 60, clock=clock, issuer="host"))


async def test_a_secret_that_is_not_there_is_a_set_up_error(aws: Any) -> None:
    """The message names the secret and why it cannot be read; a short one says how long it must be."""
    with pytest.raises(SetupError, match=r"penny/none.*ResourceNotFound"):
        await secret_from("penny/none")()
    aws.create_secret(Name="penny/short", SecretString="short")
    with pytest.raises(SetupError, match="at least 32"):
        await secret_from("penny/short")()


async def test_a_file_is_read_again(tmp_path: Path) -> None:
    """A secret that is mounted as a file may change while the service runs."""
    file = tmp_path / "key"
    file.write_bytes(OLD)
    load = secret_from(str(file))
    before = await load()
    file.write_bytes(NEW)
    assert (await load())[0].key.as_dict() != before[0].key.as_dict()
