"""`penny usage` and `penny erase`: what users took of the models, and users who leave."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from penny import settings
from penny.cli.output import quiet, say, say_json
from penny.cli.talk import JsonOption

if TYPE_CHECKING:
    from penny.settings import Settings

By = Literal["user", "day", "model"]

_COUNTS = ("calls", "input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "unpriced_calls")

IssuerOption = Annotated[
    str | None, typer.Option(help="The `iss` of the user's tokens; default: as tokens are set up.")
]
TenantOption = Annotated[str, typer.Option(help="The `tenant` of the user's tokens, if they have one.")]


def usage(
    by: Annotated[By, typer.Option(help="What to add up by.")] = "day",
    days: Annotated[int, typer.Option(min=1, max=3660, help="So many days up to today (UTC).")] = 30,
    user: Annotated[str | None, typer.Option("--user", help="Only this user's: the subject of their tokens.")] = None,
    json_: JsonOption = False,
) -> None:
    """Show what replies and summaries took, of all users: tokens, calls and US dollars."""
    from memory import usage as store
    from penny.database import open_database

    async def run() -> list[dict[str, Any]]:
        async with open_database(settings.load(), quiet) as db:
            worker = await db.worker_connection()
            try:
                return await store.overview(worker, datetime.now(UTC).date() - timedelta(days=days - 1))
            finally:
                await worker.close()

    found = [row for row in asyncio.run(run()) if user is None or row["subject"] == user]
    sums = added_up(found, by)
    for name, row in sums.items():
        if json_:
            say_json({by: name, **row, "cost_usd": f"{row['cost_usd']:f}"})
            continue
        tokens = sum(row[each] for each in _COUNTS if each.endswith("_tokens"))
        unknown = f"  and {row['unpriced_calls']:,} calls without a price" if row["unpriced_calls"] else ""
        say(f"{name:40}  {row['calls']:>9,} calls  {tokens:>14,} tokens  ${row['cost_usd']:,.4f}{unknown}")
    if not sums and not json_:
        say("Nothing was used in that time.")


def added_up(rows: Iterable[dict[str, Any]], by: By) -> dict[str, dict[str, Any]]:
    """The rows' sums by user, day or model, in the order in which these come."""
    sums: dict[str, dict[str, Any]] = {}
    for row in rows:
        name = _user(row) if by == "user" else str(row[by])
        total = sums.setdefault(name, {**dict.fromkeys(_COUNTS, 0), "cost_usd": Decimal()})
        for each in (*_COUNTS, "cost_usd"):
            total[each] += row[each]
    return sums


def _user(row: dict[str, Any]) -> str:
    return "/".join(filter(None, (row["tenant"], row["subject"]))) or str(row["user_id"])


def erase(
    user: Annotated[str, typer.Option("--user", help="Who leaves: the subject of their tokens.")],
    issuer: IssuerOption = None,
    tenant: TenantOption = "",
    json_: JsonOption = False,
) -> None:
    """Delete a user and everything of theirs, everywhere, for good; running replies are stopped first."""
    from memory.erase import erase as erase_user
    from penny.database import open_database

    chosen = settings.load()

    async def run() -> None:
        async with open_database(chosen, quiet) as db:
            await erase_user(db, await db.resolve_user(issuer or issuer_of(chosen), tenant, user))

    asyncio.run(run())
    if json_:
        say_json({"erased": user})
    else:
        say(f"{user} is erased: nothing of theirs is left.")


def issuer_of(chosen: Settings) -> str:
    """The `iss` of tokens here."""
    from api.auth import DEV_ISSUER

    return DEV_ISSUER if chosen.auth == "dev" else chosen.auth_issuer


def register(app: typer.Typer) -> None:
    app.command()(usage)
    app.command()(erase)
