"""The login that `penny migrate` makes for the service: it owns nothing and may act as Penny's two roles only."""

from __future__ import annotations

from dataclasses import dataclass

import asyncpg

from db.connection import Login
from db.schema import APP, OWNER, WORKER
from domain.errors import SetupError

TOKENS = "rds_iam"
"""The role whose members Aurora and RDS let in by tokens of IAM, and by those alone: a password is refused then."""


@dataclass(frozen=True, slots=True)
class TokenLogin:
    """A login without a password, which IAM lets in."""

    user: str


ServiceLogin = Login | TokenLogin

LOOK = """
SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1), EXISTS (SELECT FROM pg_roles WHERE rolname = $2),
       EXISTS (SELECT FROM pg_auth_members WHERE roleid = (SELECT oid FROM pg_roles WHERE rolname = $2)
                  AND member = (SELECT oid FROM pg_roles WHERE rolname = $1))
"""
"""Whether the login is there, whether the database knows tokens, whether the login comes by them."""


async def make_login(pg: asyncpg.Connection, login: ServiceLogin | None) -> None:
    """Makes it, or changes it to this way of logging in. Raises SetupError when it cannot be the service's, or when the
    database knows no tokens."""
    if login is None:
        return
    if login.user in (None, OWNER, APP, WORKER):
        where = "PENNY_DATABASE_LOGIN_" + ("IAM has" if isinstance(login, TokenLogin) else "SECRET (`username`) has")
        raise SetupError(f"{where} to name a user of the service's own, which is none of Penny's roles.")
    found = await pg.fetchrow(LOOK, login.user, TOKENS)
    exists, knows_tokens, by_token = found
    if isinstance(login, TokenLogin) and not knows_tokens:
        raise SetupError(
            f"PENNY_DATABASE_LOGIN_IAM needs a database of Aurora or RDS: this one has no role {TOKENS}. Use "
            "PENNY_DATABASE_LOGIN_SECRET."
        )
    verb = "ALTER" if exists else "CREATE"
    if isinstance(login, TokenLogin):
        statements = [f"{verb} ROLE %I LOGIN PASSWORD NULL", f"GRANT {TOKENS} TO %I"]
    else:
        statements = [f"{verb} ROLE %I LOGIN PASSWORD %2$L"]
        if by_token:
            statements.append(f"REVOKE {TOKENS} FROM %I")
    statements.append(f"GRANT {APP}, {WORKER} TO %I WITH INHERIT FALSE, SET TRUE")
    secret = login.password if isinstance(login, Login) else None
    async with pg.transaction():
        for statement in statements:
            text = statement.replace("%I", "%1$I")
            await pg.execute(await pg.fetchval("SELECT format($1, $2::text, $3::text)", text, login.user, secret))
