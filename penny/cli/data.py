"""`penny seed`, `penny migrate`, `penny db`, `penny token`: what stands behind the conversation."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Annotated

import typer

from domain.errors import SetupError
from penny import settings
from penny.cli.output import progress, say, say_json
from penny.cli.talk import JsonOption, UserOption
from penny.settings import DEMO_USER

db = typer.Typer(help="The embedded database.", no_args_is_help=True, rich_markup_mode=None)


def seed(
    reset: Annotated[bool, typer.Option("--reset", help="Throw away what the user has first.")] = False,
    user: UserOption = DEMO_USER,
    json_: JsonOption = False,
) -> None:
    """Give a user the sample household: 18 months up to today."""
    from penny.household import seeded

    with_database = settings.load()
    count = asyncio.run(seeded(with_database, user, reset=reset, progress=progress))
    if json_:
        say_json({"user": user, "transactions": count})
    elif count:
        say(f"{user} has the sample household: {count:,} transactions.")
    else:
        say(f"{user} has accounts already; `penny seed --reset` replaces everything they have.")


def migrate(json_: JsonOption = False) -> None:
    """Bring the database's schema to what this version needs."""
    from db.migrate import head
    from penny.database import open_database

    applied: list[str] = []

    def note(step: str) -> None:
        applied.append(step) if step.startswith("database schema") else progress(step)

    async def run() -> None:
        async with open_database(settings.load(), note, migrated=True):
            pass

    asyncio.run(run())
    if json_:
        say_json({"schema": head(), "changed": bool(applied)})
    else:
        say("\n".join(applied) or f"The schema is current ({head()}).")


def token(
    user: UserOption,
    ttl: Annotated[int, typer.Option(help="How long it is good for, in seconds.", min=1)] = 3600,
    json_: JsonOption = False,
) -> None:
    """Print a development token for a user."""
    from api.auth import mint
    from domain.clock import SystemClock
    from penny.keys import dev_key

    chosen = settings.load()
    if chosen.auth != "dev":
        raise SetupError(f"Development tokens count with PENNY_AUTH=dev only; it is {chosen.auth.partition(':')[0]!r}.")
    made = mint(dev_key(chosen.home), user, ttl, clock=SystemClock(), audience=chosen.auth_audience)
    if json_:
        say_json({"token": made, "user": user, "expires_in": ttl})
    else:
        say(made)


@db.command("url")
def url() -> None:
    """Print the superuser's URL of the running embedded database; it holds a password."""
    from db import embedded

    say(embedded.url(_home()))


@db.command("psql")
def psql(arguments: Annotated[list[str] | None, typer.Argument(help="Given to psql.")] = None) -> None:
    """Open psql on the embedded database, started if need be."""
    import subprocess

    from db.embedded import embedded

    async def run() -> int:
        async with embedded(_home()) as server:
            argv, environment = server.psql()
            done = await asyncio.to_thread(
                subprocess.run, [*argv, *(arguments or [])], env={**os.environ, **environment}, check=False
            )
            return done.returncode

    raise typer.Exit(asyncio.run(run()))


@db.command("stop")
def stop() -> None:
    """Stop the embedded database, even while processes use it."""
    from db import embedded

    stopped = asyncio.run(embedded.stop(_home()))
    say("The embedded database was stopped." if stopped else "The embedded database was not running.")


def _home() -> Path:
    chosen = settings.load()
    if chosen.database_url is not None:
        raise SetupError("PENNY_DATABASE_URL is set, so there is no embedded database to speak of.")
    return chosen.home


def register(app: typer.Typer) -> None:
    app.command()(seed)
    app.command()(migrate)
    app.command()(token)
    app.add_typer(db, name="db")
