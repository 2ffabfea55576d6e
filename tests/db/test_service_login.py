"""The login that `penny migrate` makes for the service: by a password, or by tokens of IAM as in Aurora."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator

import asyncpg
import pytest

from db.connection import Login
from db.migrate import migrate
from db.service_login import TokenLogin
from domain.errors import SetupError

MAY = """
SELECT pg_has_role($1, 'penny_app', 'SET') AND pg_has_role($1, 'penny_worker', 'SET') AS acts,
       EXISTS (SELECT FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.roleid
                WHERE r.rolname = 'rds_iam' AND member = to_regrole($1::text)) AS by_token,
       (SELECT rolpassword IS NOT NULL FROM pg_authid WHERE rolname = $1) AS by_password,
       (SELECT rolcanlogin FROM pg_roles WHERE rolname = $1) AS may_log_in
"""


@pytest.fixture
async def aurora(admin_url: str) -> AsyncIterator[asyncpg.Connection]:
    """The database with the role that Aurora has; a superuser's connection."""
    admin = await asyncpg.connect(admin_url)
    await admin.execute("CREATE ROLE rds_iam NOLOGIN")
    yield admin
    await admin.execute("DROP ROLE rds_iam")
    await admin.close()


@pytest.fixture
async def user(admin_url: str) -> AsyncIterator[str]:
    """A name that no role has."""
    name = f"penny_tokens_{uuid.uuid4().hex[:8]}"
    yield name
    admin = await asyncpg.connect(admin_url)
    await admin.execute(f"DROP ROLE IF EXISTS {name}")
    await admin.close()


async def test_a_login_by_tokens_is_granted_them_and_has_no_password(
    aurora: asyncpg.Connection, admin_url: str, user: str
) -> None:
    """The first migration makes it, a second one changes nothing."""
    for _ in range(2):
        await migrate(admin_url, login=TokenLogin(user))
        assert dict(await aurora.fetchrow(MAY, user)) == {
            "acts": True,
            "by_token": True,
            "by_password": False,
            "may_log_in": True,
        }


async def test_a_login_changes_from_a_password_to_tokens_and_back(
    aurora: asyncpg.Connection, admin_url: str, user: str
) -> None:
    """Aurora refuses the password of whoever has rds_iam, so it is taken away with the change."""
    await migrate(admin_url, login=Login(user, "first"))
    await migrate(admin_url, login=TokenLogin(user))
    assert (await aurora.fetchrow(MAY, user))["by_password"] is False
    await migrate(admin_url, login=Login(user, "second"))
    after = await aurora.fetchrow(MAY, user)
    assert (after["by_token"], after["by_password"], after["acts"]) == (False, True, True)


async def test_a_database_that_knows_no_tokens_is_refused(admin_url: str, user: str) -> None:
    """The message names the setting and the other one that works."""
    with pytest.raises(SetupError, match=r"PENNY_DATABASE_LOGIN_IAM.*rds_iam.*PENNY_DATABASE_LOGIN_SECRET"):
        await migrate(admin_url, login=TokenLogin(user))


async def test_one_of_pennys_own_roles_cannot_log_in_by_tokens(admin_url: str) -> None:
    """penny_owner must never log in."""
    with pytest.raises(SetupError, match="PENNY_DATABASE_LOGIN_IAM"):
        await migrate(admin_url, login=TokenLogin("penny_owner"))
