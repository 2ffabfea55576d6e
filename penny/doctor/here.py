"""The looks at what this machine's settings name."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

import asyncpg
from langchain_core.messages import HumanMessage

from agent.model import ModelRequest, Situation
from channels.channel import Refused, TryLater
from db.compatibility import schema_of
from db.connection import Endpoint, log_in, open_connection
from db.schema import APP, HEAD, WORKER
from domain.clock import Clock
from penny.channels import make_channels
from penny.database import tls_of
from penny.doctor.finding import Look, Nothing, Wrong
from penny.encryption.setting import check, wrapper_of
from penny.keys import dev_key, jwks_from, secret_from
from penny.logins import logins_of
from penny.models import make_model
from penny.settings import Settings

SKEW_SECONDS = 30.0
"""Signatures of AWS and of webhooks bear minutes; tokens half a minute."""

LEAST_FREE = 64 * 1024 * 1024
"""Bytes under PENNY_HOME."""


@dataclass
class Here:
    """The looks, with what one of them finds out for the next."""

    settings: Settings
    clock: Clock
    _skew: float | None = field(default=None, init=False)

    def looks(self) -> Mapping[str, tuple[Look, str]]:
        """Each with what to do when its own error does not say."""
        return {
            "disk": (self._disk, "Set PENNY_HOME to a directory that can be written to; in a container, a tmpfs."),
            "database": (
                self._database,
                "Check that it runs, PENNY_DATABASE_URL, and that the network lets us through.",
            ),
            "schema": (self._schema, "Run `penny migrate`."),
            "roles": (self._roles, "Run `penny migrate` as a login that may create roles."),
            "encryption": (self._encryption, "Check PENNY_ENCRYPTION_KEY, AWS_REGION and the role's rights."),
            "clock": (self._clock, "Have the machine's clock set by NTP."),
            "authentication": (self._authentication, "Correct PENNY_AUTH; docs/authentication.md."),
            "channels": (self._channels, "`penny channels list` and `penny channels check NAME` say more."),
            "model": (self._model, "Check PENNY_MODEL, AWS_REGION, the role's rights and that the model is enabled."),
        }

    async def _disk(self) -> str:
        home = self.settings.home
        nearest = next(path for path in (home, *home.parents) if path.exists())
        if not os.access(nearest, os.W_OK | os.X_OK):
            raise Wrong(f"{nearest} cannot be written to.", "Set PENNY_HOME elsewhere; in a container, on a tmpfs.")
        free = shutil.disk_usage(nearest).free
        if free < LEAST_FREE:
            raise Wrong(f"{nearest} has {free // 2**20} MiB free.", "Make room, or set PENNY_HOME elsewhere.")
        return f"{nearest} can be written to, {free // 2**20:,} MiB free."

    def _endpoint(self) -> Endpoint:
        if self.settings.database_url is None:
            raise Nothing("The embedded one, started as it is needed.")
        url = self.settings.database_url.get_secret_value()
        return Endpoint.parse(url, logins_of(self.settings, url), tls_of(self.settings))

    async def _database(self) -> str:
        endpoint = self._endpoint()
        pg = await open_connection(endpoint, None, "penny-doctor")
        try:
            before = self.clock.now()
            theirs, reader, version = await pg.fetchrow(
                "SELECT clock_timestamp(), pg_is_in_recovery(), current_setting('server_version')"
            )
            middle = before + (self.clock.now() - before) / 2
            self._skew = (theirs - middle).total_seconds()
            if reader or await pg.fetchval("SHOW transaction_read_only") == "on":
                raise Wrong(f"{endpoint.place} takes no writes.", "Name the writer in PENNY_DATABASE_URL.")
            encrypted = await pg.fetchval("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
            how = "TLS, its certificate verified" if endpoint.tls else "TLS" if encrypted else "not encrypted"
            return f"{endpoint.place} answers: PostgreSQL {version}, {how}."
        finally:
            pg.terminate()

    async def _schema(self) -> str:
        pg = await open_connection(self._endpoint(), APP, "penny-doctor")
        try:
            found = await schema_of(pg)
        except asyncpg.InsufficientPrivilegeError:
            found = None
        finally:
            pg.terminate()
        if found is None:
            raise Wrong("There are no tables of Penny's.", "Run `penny migrate`.")
        if found.revision < HEAD or not found.serves:
            mend = "Run `penny migrate`." if found.revision < HEAD else "Update Penny."
            raise Wrong(f"It is {found.revision}, and this Penny needs {HEAD}.", mend)
        if found.revision > HEAD:
            return f"It is {found.revision}, newer than this Penny ({HEAD}), which runs on it."
        return f"It is {HEAD}, as this Penny needs it."

    async def _roles(self) -> str:
        endpoint = self._endpoint()
        (await open_connection(endpoint, WORKER, "penny-doctor")).terminate()
        own = await log_in(endpoint, {})
        try:
            if await own.fetchval("SELECT rolsuper FROM pg_roles WHERE rolname = session_user"):
                raise Wrong(
                    "The login is a superuser.",
                    "Let `penny migrate` make one (PENNY_DATABASE_LOGIN_SECRET) and serve as that.",
                )
        finally:
            own.terminate()
        return f"The login acts as {APP} and {WORKER}."

    async def _clock(self) -> str:
        if self._skew is None:
            raise Nothing("There is no other clock to compare with: the database did not tell its time.")
        if abs(self._skew) > SKEW_SECONDS:
            raise Wrong(f"It is {-self._skew:+.0f} s off the database's.", "Have the machine's clock set by NTP.")
        return f"It is within {max(abs(self._skew), 0.1):.1f} s of the database's."

    async def _encryption(self) -> str:
        """Makes a key and unwraps it."""
        where = self.settings.encryption_key
        if where is None:
            raise Nothing("PENNY_ENCRYPTION_KEY is not set: what users write is stored as it is.")
        await check(where, await wrapper_of(where))
        return f"{where}: makes keys and unwraps them{'' if self.settings.encryption == 'on' else '; only read'}."

    async def _authentication(self) -> str:
        mode, _, where = self.settings.auth.partition(":")
        if mode == "dev" and not where:
            await asyncio.to_thread(dev_key, self.settings.home)
            return "dev: tokens for whoever asks, on loopback only."
        if mode not in ("jwks", "hs256") or not where:
            raise Wrong(f"PENNY_AUTH={self.settings.auth!r} is not known.", "Use dev, jwks:<url> or hs256:<file>.")
        keys = await (jwks_from if mode == "jwks" else secret_from)(where)()
        if not keys:
            raise Wrong(f"{where} publishes no key.", "Check the address.")
        return f"{mode}: {len(keys)} key{'s' if len(keys) > 1 else ''}."

    async def _channels(self) -> str:
        made = await asyncio.to_thread(make_channels, self.settings, self.clock)
        if not made:
            raise Nothing("None is set up.")
        try:
            for name, channel in made.items():
                try:
                    await channel.check()
                except (Refused, TryLater) as error:
                    raise Wrong(f"{name} does not take our messages: {error.code}.", "Renew its token.") from None
        finally:
            for channel in made.values():
                await channel.close()
        return f"{', '.join(made)}: the app knows us."

    async def _model(self) -> str:
        """Asks it for a single token."""
        names = (self.settings.model, *self.settings.model_fallback)
        if not any(name.startswith("bedrock:") for name in names):
            raise Nothing(f"{self.settings.model}: nothing to reach.")
        for name in names:
            if name.startswith("bedrock:"):
                least = {"model": name, "model_fallback": (), "model_max_tokens": 1, "thinking_tokens": 0}
                if name != self.settings.model:
                    least["model_profiles"] = {}
                await self._one_token(self.settings.model_copy(update=least))
        tenants = ", ".join(self.settings.model_profiles)
        return f"{', '.join(names)}: answered{f', and the profiles of {tenants}' if tenants else ''}."

    async def _one_token(self, settings: Settings) -> None:
        """From the model, and from each tenant's profile of it."""
        model = await asyncio.to_thread(make_model, settings)
        try:
            for tenant in ("", *settings.model_profiles):
                situation = Situation(date(2026, 1, 1), "en-US", "USD", "UTC", (), (), tenant)
                async for _ in model.stream(ModelRequest("Say OK.", situation, (), [HumanMessage("OK?")], ())):
                    pass
        finally:
            await model.close()
