"""`penny keys`: the keys that encrypt what users write, and encrypting what is stored already."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from domain.errors import SetupError
from penny import settings
from penny.cli.output import progress, quiet, say, say_json
from penny.cli.talk import JsonOption

if TYPE_CHECKING:
    import asyncpg

    from db.engine import Database
    from db.sealing.keys import Wrapper

T = TypeVar("T")

keys = typer.Typer(help="The keys that encrypt what users write.", no_args_is_help=True, rich_markup_mode=None)

EVERY = 1000
"""Rows between two words about how far it has come."""

OFF = "Encryption is off; set PENNY_ENCRYPTION_KEY."


@keys.command()
def status(json_: JsonOption = False) -> None:
    """Say how many keys there are, and what wraps them."""
    from penny.encryption.work import overview

    async def act(_: Database, worker: asyncpg.Connection) -> list[dict[str, Any]]:
        return await overview(worker)

    found = _with(act)
    loaded = settings.load()
    where = loaded.encryption_key
    if json_:
        say_json({"key": where, "encryption": loaded.encryption if where else "off", "keys": found})
        return
    say(OFF if where is None else f"{where}, PENNY_ENCRYPTION={loaded.encryption}")
    for row in found:
        waiting = f", {row['waiting']} not yet in use" if row["waiting"] else ""
        say(
            f"{row['keys']:,} keys of {row['users']:,} users by {row['wrapped_by']},"
            f" {row['oldest']:%Y-%m-%d} to {row['newest']:%Y-%m-%d}{waiting}"
        )


@keys.command()
def rotate(json_: JsonOption = False) -> None:
    """Give every user a new key; what is written in a while is encrypted with it."""
    from penny.encryption.work import everybody
    from penny.encryption.work import rotate as rotate_one

    async def act(db: Database, worker: asyncpg.Connection) -> int:
        wrapper = _wrapper(db)
        return sum([await rotate_one(db, wrapper, user) async for user in everybody(worker)])

    made = _with(act)
    if json_:
        say_json({"made": made})
    else:
        say(f"{made:,} keys made. In 20 minutes they are in use; `penny keys encrypt` then brings older texts to them.")


@keys.command()
def rewrap(
    old: Annotated[
        str | None, typer.Option("--from", help="What wraps them now, if the key in use may not unwrap it.")
    ] = None,
    json_: JsonOption = False,
) -> None:
    """Wrap users' keys by the key that PENNY_ENCRYPTION_KEY names now, after it was changed."""
    from penny.encryption.setting import nobodys_key, wrapper_of
    from penny.encryption.work import everybody
    from penny.encryption.work import rewrap as rewrap_one

    async def act(db: Database, worker: asyncpg.Connection) -> int:
        new = _wrapper(db)
        before = new if old is None else await wrapper_of(old)
        by = await nobodys_key(new)
        return sum([await rewrap_one(db, user, before, new, by) async for user in everybody(worker)])

    count = _with(act)
    say_json({"wrapped": count}) if json_ else say(f"{count:,} keys wrapped anew.")


@keys.command()
def encrypt(json_: JsonOption = False) -> None:
    """Encrypt what was stored before encryption was on, and what an older key encrypts. May be stopped and begun
    again."""
    _seal(plain=False, json_=json_)


@keys.command()
def decrypt(json_: JsonOption = False) -> None:
    """Store everything plain again, to leave encryption: set PENNY_ENCRYPTION=read first, everywhere."""
    if settings.load().encryption == "on":
        raise SetupError("Set PENNY_ENCRYPTION=read first, on every server: now they go on encrypting.")
    _seal(plain=True, json_=json_)


def _seal(*, plain: bool, json_: bool) -> None:
    from penny.encryption.work import everybody, seal_all

    users = rows = 0

    def done(changed: int) -> None:
        nonlocal rows
        if (rows + changed) // EVERY > rows // EVERY:
            progress(f"{rows + changed:,} texts of {users + 1:,} users")
        rows += changed

    async def act(db: Database, worker: asyncpg.Connection) -> None:
        nonlocal users
        _wrapper(db)
        async for user in everybody(worker):
            await seal_all(db, user, plain=plain, done=done)
            users += 1

    _with(act)
    if json_:
        say_json({"users": users, "changed": rows})
    else:
        say(f"{rows:,} texts of {users:,} users are {'plain' if plain else 'encrypted'} now.")


def _wrapper(db: Database) -> Wrapper:
    if db.keys.wrapper is None:
        raise SetupError(OFF)
    return db.keys.wrapper


def _with(act: Callable[[Database, asyncpg.Connection], Awaitable[T]]) -> T:
    from penny.database import open_database

    async def run() -> T:
        async with open_database(settings.load(), quiet) as db:
            worker = await db.worker_connection()
            try:
                return await act(db, worker)
            finally:
                await worker.close()

    return asyncio.run(run())


def register(app: typer.Typer) -> None:
    app.add_typer(keys, name="keys")
