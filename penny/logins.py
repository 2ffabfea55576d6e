"""Logins of the database that change: from a secret that is rotated, or by tokens of IAM."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import orjson

from db.connection import Login, Logins
from domain.errors import SetupError, Unavailable
from penny import aws
from penny.secrets_manager import secret_value
from penny.settings import Settings

TOKEN_SECONDS = 600.0
"""A token of IAM is good for 15 minutes."""


def logins_of(settings: Settings, url: str) -> Logins | None:
    """Where the login for the database at `url` comes from; None: from the address itself. Raises SetupError."""
    if settings.database_secret is not None and settings.database_iam:
        raise SetupError("PENNY_DATABASE_SECRET and PENNY_DATABASE_IAM exclude each other; set one of them.")
    if settings.database_secret is not None:
        return SecretLogins(settings.database_secret, "PENNY_DATABASE_SECRET")
    return IamLogins(url) if settings.database_iam else None


@dataclass
class SecretLogins:
    """A secret that holds `{"username", "password"}` as JSON, fetched once and again when the database refuses it.

    While a rotation is under way the database may have the new password already and the secret not yet as its current
    version: then the pending one is it.
    """

    secret_id: str
    setting: str
    fetch: Callable[[str, str, str], bytes] = secret_value
    _known: Login | None = None
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def current(self) -> Login:
        async with self._lock:
            if self._known is None:
                self._known = await self._fetched("AWSCURRENT")
            return self._known

    async def instead_of(self, refused: Login) -> Login | None:
        async with self._lock:
            if self._known is not None and self._known != refused:
                return self._known  # another connection has looked meanwhile
            found = await self._fetched("AWSCURRENT")
            if found == refused:
                try:
                    found = await self._fetched("AWSPENDING")
                except (SetupError, Unavailable):  # no rotation is under way
                    return None
                if found == refused:
                    return None
            self._known = found
            return found

    async def _fetched(self, stage: str) -> Login:
        held = await asyncio.to_thread(self.fetch, self.secret_id, self.setting, stage)
        return parsed(held, self.setting)


def parsed(held: bytes, setting: str) -> Login:
    """The login that a secret holds. Raises SetupError."""
    try:
        found = orjson.loads(held)
        user, password = found.get("username"), found["password"]
    except (orjson.JSONDecodeError, AttributeError, KeyError, TypeError):
        user, password = None, None
    if not isinstance(password, str) or not password or not (user is None or isinstance(user, str)):
        raise SetupError(f'The secret of {setting} has to be JSON like {{"username": "...", "password": "..."}}.')
    return Login(user, password)


@dataclass
class IamLogins:
    """Tokens that AWS signs for the user, host and port of the address (`rds-db:connect`), made without asking AWS."""

    url: str
    clock: Callable[[], float] = time.monotonic
    _made: tuple[Login, float] | None = None

    async def current(self) -> Login:
        if self._made is None or self.clock() - self._made[1] > TOKEN_SECONDS:
            self._made = await asyncio.to_thread(self._token), self.clock()
        return self._made[0]

    async def instead_of(self, refused: Login) -> Login | None:
        if self._made is not None and self._made[0] != refused:
            return self._made[0]
        if self._made is None or self.clock() - self._made[1] < 1.0:
            return None  # refused as it was made: not too old
        self._made = None
        return await self.current()

    def _token(self) -> Login:
        from botocore.exceptions import BotoCoreError, ClientError

        address = urlsplit(self.url)
        if not address.hostname or not address.username:
            raise SetupError("PENNY_DATABASE_IAM needs a PENNY_DATABASE_URL with one host and a user.")
        try:
            token: str = aws.client("rds").generate_db_auth_token(
                DBHostname=address.hostname, Port=address.port or 5432, DBUsername=address.username
            )
        except (BotoCoreError, ClientError) as error:
            raise SetupError(
                f"No IAM token can be made for the database ({type(error).__name__}): check AWS_REGION and the role."
            ) from None
        return Login(address.username, token)
