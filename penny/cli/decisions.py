"""`penny proposals`, `penny confirm`, `penny reject`, `penny undo`: the user's decisions from the terminal."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Literal, TypeVar
from uuid import UUID

import typer

from penny import settings
from penny.cli.output import diff_lines, quiet, say, say_json
from penny.cli.talk import JsonOption, UserOption
from penny.settings import DEMO_USER

T = TypeVar("T")

Status = Literal["pending", "applied", "rejected", "expired", "superseded"]


def with_database(name: str, act: Callable[[Any, UUID], Awaitable[T]]) -> T:
    """What `act` returns, given the database of the settings and the user that development tokens for `name` mean."""
    from api.auth import DEV_ISSUER
    from penny.database import open_database

    async def run() -> T:
        async with open_database(settings.load(), quiet) as db:
            return await act(db, await db.resolve_user(DEV_ISSUER, "", name))

    return asyncio.run(run())


def proposals(
    status: Annotated[Status | None, typer.Option(help="Only these.")] = None,
    user: UserOption = DEMO_USER,
    json_: JsonOption = False,
) -> None:
    """List proposals, the newest first."""
    from tools import proposals as store

    async def act(db: Any, person: UUID) -> list[dict[str, Any]]:
        items, _ = await store.list_proposals(db, person, status)
        return list(items)

    found = with_database(user, act)
    if json_:
        for item in found:
            say_json(item)
        return
    for item in found:
        say(f"{item['id']}  {item['status']:10}  {item['text']}")
        for line in diff_lines(item):
            say(line)
    if not found:
        say("There are no proposals." if status is None else f"There are no {status} proposals.")


def confirm(
    proposal: Annotated[str, typer.Argument(metavar="ID", help="The proposal to apply.")],
    user: UserOption = DEMO_USER,
    json_: JsonOption = False,
) -> None:
    """Apply a proposal."""
    from domain.ids import parse_id
    from tools import proposals as store

    async def act(db: Any, person: UUID) -> store.Applied:
        proposal_id = parse_id(proposal, "proposal")
        shown = await store.get(db, person, proposal_id)
        return await store.confirm(db, person, proposal_id, shown["hash"], approval="cli")

    applied = with_database(user, act)
    if json_:
        say_json({"status": "applied", "journal_id": str(applied.journal_id), "proposal": applied.proposal})
    else:
        say(f"Applied: {applied.proposal['text']}")
        for line in diff_lines(applied.proposal):
            say(line)
        say(f"Take it back with: penny undo {applied.journal_id}")


def reject(
    proposal: Annotated[str, typer.Argument(metavar="ID", help="The proposal to decide against.")],
    user: UserOption = DEMO_USER,
    json_: JsonOption = False,
) -> None:
    """Decide against a proposal."""
    from domain.ids import parse_id
    from tools import proposals as store

    async def act(db: Any, person: UUID) -> dict[str, Any]:
        return await store.reject(db, person, parse_id(proposal, "proposal"))

    rejected = with_database(user, act)
    if json_:
        say_json(rejected)
    else:
        say(f"Rejected: {rejected['text']}")


def undo(
    journal: Annotated[str | None, typer.Argument(metavar="JOURNAL_ID", help="Default: the last change.")] = None,
    user: UserOption = DEMO_USER,
    json_: JsonOption = False,
) -> None:
    """Take an applied change back."""
    from domain.ids import parse_id
    from tools import proposals as store

    async def act(db: Any, person: UUID) -> store.Applied:
        entry = parse_id(journal, "journal entry") if journal else None
        return await store.undo_now(db, person, entry, approval="cli")

    applied = with_database(user, act)
    if json_:
        say_json({"status": "applied", "journal_id": str(applied.journal_id), "proposal": applied.proposal})
    else:
        say(f"Done: {applied.proposal['text']}")
        for line in diff_lines(applied.proposal):
            say(line)


def register(app: typer.Typer) -> None:
    app.command()(proposals)
    app.command()(confirm)
    app.command()(reject)
    app.command()(undo)
