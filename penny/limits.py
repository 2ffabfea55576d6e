"""The limits on requests that the settings name, for the service."""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from api.limits import Gate, Limit, Limits
from db.engine import Database
from penny.settings import Settings

USER, TENANT, ADDRESS = Limit(600, 100), Limit(), Limit(6000)
"""Where nothing is set; with `dev` authentication, which is one person's machine, nothing is limited then."""


def limits_of(settings: Settings) -> Limits:
    """What is limited, with what is not set as it is by default."""
    dev = settings.auth == "dev"

    def limit(per_minute: int | None, at_once: int | None, default: Limit) -> Limit:
        usual = Limit() if dev else default
        return Limit(
            usual.per_minute if per_minute is None else per_minute,
            usual.at_once if at_once is None else at_once,
        )

    return Limits(
        limit(settings.limits_requests_per_user, settings.limits_open_per_user, USER),
        limit(settings.limits_requests_per_tenant, settings.limits_open_per_tenant, TENANT),
        limit(settings.limits_requests_per_address, settings.limits_open_per_address, ADDRESS),
    )


@asynccontextmanager
async def open_gate(settings: Settings, db: Database) -> AsyncIterator[Gate]:
    """A gate that holds the limits together with those of all servers on the same database."""
    owner = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
    gate = Gate(limits_of(settings), owner, db.worker_connection)
    await gate.start()
    try:
        yield gate
    finally:
        await gate.stop()
