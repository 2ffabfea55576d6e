"""The database's login comes from a secret that is rotated, or from IAM, and a rotation needs no restart."""

from __future__ import annotations

import json
import uuid
from collections.abc import AsyncIterator, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import asyncpg
import boto3
import pytest
from moto import mock_aws
from pydantic import SecretStr

from db.connection import DatabaseUnavailable, Endpoint, Login, open_connection
from db.embedded import Server
from db.engine import Database
from db.migrate import migrate
from domain.errors import SetupError
from penny.logins import TOKEN_SECONDS, IamLogins, SecretLogins, logins_of, parsed
from penny.settings import Settings

SETTING = "PENNY_DATABASE_SECRET"


@pytest.fixture
def manager(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Secrets Manager, by moto."""
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        yield boto3.client("secretsmanager", region_name="us-east-1")


def held(user: str, password: str) -> str:
    return json.dumps({"username": user, "password": password, "engine": "postgres", "port": 5432})


@pytest.fixture
async def service(admin_url: str) -> AsyncIterator[str]:
    """The name of a login that `penny migrate` made, with the password `first`."""
    name = f"penny_service_{uuid.uuid4().hex[:8]}"
    await migrate(admin_url, login=Login(name, "first"))
    yield name
    admin = await asyncpg.connect(admin_url)
    await admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1", name)
    await admin.execute(f"DROP ROLE {name}")
    await admin.close()


@pytest.fixture
def address(postgres: Server) -> str:
    """The database's, without user and password."""
    return f"postgresql://{postgres.admin_url.rpartition('@')[2]}"


async def change(admin_url: str, name: str, password: str) -> None:
    """What the rotation does in the database; connections that are open stay."""
    admin = await asyncpg.connect(admin_url)
    await admin.execute(f"ALTER ROLE {name} PASSWORD '{password}'")
    await admin.close()


async def test_a_rotated_password_is_fetched_when_the_database_refuses_the_old_one(
    manager: Any, admin_url: str, service: str, address: str
):
    """A new connection after the rotation needs no restart; pool and worker alike."""
    secret = manager.create_secret(Name="login", SecretString=held(service, "first"))["ARN"]
    database = await Database.connect(address, logins=SecretLogins(secret, SETTING))
    try:
        await database.ping()
        await change(admin_url, service, "second")
        manager.put_secret_value(SecretId=secret, SecretString=held(service, "second"))
        worker = await database.worker_connection()
        assert await worker.fetchval("SELECT current_user") == "penny_worker"
        await worker.close()
    finally:
        await database.close()


async def test_in_the_middle_of_a_rotation_the_pending_version_is_tried(
    manager: Any, admin_url: str, service: str, address: str
):
    """The database has the new password some seconds before the secret's current version is it."""
    secret = manager.create_secret(Name="login", SecretString=held(service, "first"))["ARN"]
    endpoint = Endpoint.parse(address, SecretLogins(secret, SETTING))
    await (await open_connection(endpoint, "penny_app", "test")).close()
    manager.put_secret_value(
        SecretId=secret, SecretString=held(service, "second"), VersionStages=["AWSPENDING"], ClientRequestToken="p" * 32
    )
    await change(admin_url, service, "second")
    await (await open_connection(endpoint, "penny_app", "test")).close()


async def test_a_password_that_is_wrong_for_good_is_an_error_and_no_loop(manager: Any, service: str, address: str):
    """No rotation is under way: the error names the setting."""
    secret = manager.create_secret(Name="login", SecretString=held(service, "wrong"))["ARN"]
    with pytest.raises(DatabaseUnavailable, match=SETTING):
        await open_connection(Endpoint.parse(address, SecretLogins(secret, SETTING)), "penny_app", "test")


async def test_the_login_that_migrate_makes_has_no_rights_of_its_own(service: str, address: str):
    """It acts as the two roles and as nothing else: what it is itself may not even see the tables."""
    own = await asyncpg.connect(address, user=service, password="first")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await own.fetchval("SELECT count(*) FROM penny.message")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await own.execute("SET ROLE penny_owner")
    for role in ("penny_app", "penny_worker"):
        await own.execute(f"SET ROLE {role}")
    await own.close()


async def test_migrate_gives_an_existing_login_the_secrets_password(admin_url: str, service: str, address: str):
    """Running it again after the secret changed brings both together."""
    await migrate(admin_url, login=Login(service, 'second\'s "quotes"'))
    own = await asyncpg.connect(address, user=service, password='second\'s "quotes"')
    await own.close()


async def test_one_of_pennys_own_roles_cannot_be_the_login(admin_url: str):
    """penny_owner must never log in."""
    with pytest.raises(SetupError, match="username"):
        await migrate(admin_url, login=Login("penny_owner", "x"))


@pytest.mark.parametrize("value", [b"hunter2", b"{}", b'{"password": ""}', b'["a"]', b'{"password": 7}'])
def test_a_secret_that_is_no_login_is_refused_without_being_quoted(value: bytes):
    """The message says what it has to look like."""
    with pytest.raises(SetupError, match="username") as caught:
        parsed(value, SETTING)
    assert "hunter2" not in caught.value.message


async def test_a_token_of_iam_is_signed_for_the_address_and_made_anew_in_time(manager: Any):
    """It names host, port and user, and is kept for ten of its fifteen minutes."""
    now = 0.0
    logins = IamLogins("postgresql://penny_service@db.example:5433/penny", lambda: now)
    first = await logins.current()
    asked = urlsplit(f"//{first.password}")
    assert first.user == "penny_service"
    assert (asked.hostname, asked.port) == ("db.example", 5433)
    assert parse_qs(asked.query)["DBUser"] == ["penny_service"]
    assert "X-Amz-Signature" in parse_qs(asked.query)
    now = TOKEN_SECONDS - 1
    assert await logins.current() is first
    now = TOKEN_SECONDS + 1
    assert await logins.current() is not first


async def test_a_token_refused_as_it_was_made_is_not_asked_for_again_and_again(manager: Any):
    """The role lacks rds-db:connect: that is an error, not a loop."""
    logins = IamLogins("postgresql://penny_service@db.example/penny", lambda: 0.0)
    assert await logins.instead_of(await logins.current()) is None


def test_a_secret_and_iam_exclude_each_other():
    """Nobody is left to guess which one counts."""
    both = Settings(database_secret="s", database_iam=True, database_url=SecretStr("postgresql://u@h/d"))
    with pytest.raises(SetupError, match="PENNY_DATABASE_IAM"):
        logins_of(both, "postgresql://u@h/d")
