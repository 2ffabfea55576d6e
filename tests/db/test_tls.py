"""Whom Penny takes for its database: TLS, and a certificate of the named authority for the host that is asked."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from importlib.resources import files
from pathlib import Path
from urllib.parse import urlsplit

import own_database
import pytest
from tls_door import Authority, TlsDoor

from db.connection import DatabaseUntrusted, Endpoint
from db.embedded import Server
from db.engine import Database
from db.migrate import head, migrate
from db.tls import SHIPPED, trusting
from domain.errors import SetupError

Door = Callable[[ssl.SSLContext | None], AbstractAsyncContextManager[TlsDoor]]


@pytest.fixture
def ours(tmp_path: Path) -> Authority:
    """The authority that PENNY_DATABASE_CA names."""
    return Authority(tmp_path, "ours")


@pytest.fixture
def door(postgres: Server) -> Door:
    """A door to the session's server, with this side of TLS."""
    address = urlsplit(postgres.admin_url)
    return lambda context: TlsDoor(str(address.hostname), address.port or 5432, context)


@pytest.fixture
async def name(admin_url: str) -> AsyncIterator[str]:
    """A new, empty database."""
    async with own_database.empty(admin_url, "tls") as made:
        yield made


def at(postgres: Server, door: TlsDoor, name: str, user: str = "penny_admin", host: str = "localhost") -> str:
    password = postgres.credentials.admin if user == "penny_admin" else postgres.credentials.app
    return f"postgresql://{user}:{password}@{host}:{door.port}/{name}"


async def test_the_right_authority_and_host_are_trusted(
    postgres: Server, door: Door, ours: Authority, name: str
) -> None:
    """Migrating and serving go by TLS, which the address need not ask for."""
    trusted = trusting(str(ours.pem))
    async with door(ours.serves("localhost")) as through:
        url = at(postgres, through, name)
        assert (await migrate(Endpoint.parse(url, tls=trusted)))[-1] == head()
        database = await Database.connect(at(postgres, through, name, "penny_app"), tls=trusted)
        await database.ping()
        await database.close()
        assert through.encrypted >= 2


@pytest.mark.parametrize("mode", ["", "?sslmode=disable", "?sslmode=require"])
async def test_another_authority_is_refused_whatever_sslmode_says(
    postgres: Server, door: Door, ours: Authority, tmp_path: Path, name: str, mode: str
) -> None:
    """Somebody between us and the database is let in neither by the service nor by `penny migrate`."""
    theirs = Authority(tmp_path, "theirs")
    trusted = trusting(str(ours.pem))
    async with door(theirs.serves("localhost")) as through:
        url = at(postgres, through, name) + mode
        with pytest.raises(DatabaseUntrusted, match="PENNY_DATABASE_CA") as caught:
            await Database.connect(url, tls=trusted)
        with pytest.raises(DatabaseUntrusted, match="PENNY_DATABASE_CA"):
            await migrate(Endpoint.parse(url, tls=trusted))
    assert postgres.credentials.admin not in str(caught.value)


async def test_the_certificate_of_another_host_is_refused(
    postgres: Server, door: Door, ours: Authority, name: str
) -> None:
    """The message says that the name does not match, and which setting holds it."""
    async with door(ours.serves("another.example")) as through:
        with pytest.raises(DatabaseUntrusted, match=r"(?i)hostname mismatch.*PENNY_DATABASE_URL"):
            await Database.connect(at(postgres, through, name), tls=trusting(str(ours.pem)))


async def test_a_server_without_tls_is_refused(postgres: Server, door: Door, ours: Authority, name: str) -> None:
    """Nothing goes to it in the clear, not even the login."""
    async with door(None) as through:
        with pytest.raises(DatabaseUntrusted, match="speaks no TLS"):
            await Database.connect(at(postgres, through, name), tls=trusting(str(ours.pem)))


@pytest.mark.parametrize("shipped", SHIPPED)
def test_what_is_shipped_are_authorities_that_last(shipped: str) -> None:
    """Each is a root, signed by itself, and good for ten more years."""
    text = files("db").joinpath("certificates", SHIPPED[shipped]).read_text()
    roots = trusting(shipped).get_ca_certs()
    assert len(roots) == text.count("BEGIN CERTIFICATE") > 4
    for root in roots:
        assert root["subject"] == root["issuer"]
        assert int(str(root["notAfter"]).split()[3]) > 2036


async def test_the_authorities_of_rds_vouch_for_nobody_else(
    postgres: Server, door: Door, ours: Authority, name: str
) -> None:
    """They are trusted alone, without those of the machine."""
    async with door(ours.serves("localhost")) as through:
        with pytest.raises(DatabaseUntrusted):
            await Database.connect(at(postgres, through, name), tls=trusting("rds"))


def test_a_file_that_is_none_or_holds_none_is_refused(tmp_path: Path) -> None:
    """The message names the setting."""
    with pytest.raises(SetupError, match=r"PENNY_DATABASE_CA=.*there is no such file.*rds"):
        trusting(str(tmp_path / "absent.pem"))
    (tmp_path / "empty.pem").write_text("no certificate\n")
    with pytest.raises(SetupError, match="no certificates in PEM"):
        trusting(str(tmp_path / "empty.pem"))
