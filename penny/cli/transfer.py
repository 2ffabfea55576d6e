"""`penny import` and `penny export`: bank files in, everything out."""

from __future__ import annotations

import asyncio
import codecs
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

import typer

from domain.errors import InvalidInput
from domain.visible import visible
from penny import settings
from penny.cli.output import progress, quiet, say, say_json
from penny.cli.talk import JsonOption, UserOption
from penny.cli.usage import IssuerOption, TenantOption, issuer_of
from penny.settings import DEMO_USER

MANY_ROWS = 5_000
"""From so many on, the steps of an import are told."""


def import_(
    file: Annotated[Path, typer.Argument(help="A CSV, OFX, QFX, QIF or CAMT.053 file.")],
    account: Annotated[str, typer.Option(help="The account it belongs to, by name.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what would be done.")] = False,
    map_: Annotated[Path | None, typer.Option("--map", help="A JSON file that says how to read the file.")] = None,
    user: UserOption = DEMO_USER,
    json_: JsonOption = False,
) -> None:
    """Import a bank's file: what is there already is left out, and it goes in whole or not at all."""
    from api.auth import DEV_ISSUER
    from ledger.imports import mapping
    from ledger.imports.run import Report, import_file
    from ledger.imports.statement import MAX_BYTES, RowsRefused
    from penny.database import open_database

    chosen = mapping.parse(_read(map_, mapping.MAX_CHARACTERS * 4).decode("utf-8", "replace")) if map_ else None
    data = _read(file, MAX_BYTES)

    async def run() -> Report:
        async with open_database(settings.load(), quiet) as db:
            return await import_file(
                db,
                await db.resolve_user(DEV_ISSUER, "", user),
                data,
                account=account,
                source=file.name,
                mapping=chosen,
                dry_run=dry_run,
                approval="cli",
                progress=_tell,
            )

    try:
        report = asyncio.run(run())
    except RowsRefused as refused:
        if json_:
            say_json({"error": refused.code, "message": refused.message, **refused.details})
        else:
            for row in refused.details["rows"][1:]:
                progress(f"line {row['line']}: {row['message']}")
        raise
    if json_:
        say_json(report.json())
        return
    would = "would be added" if dry_run else "added"
    say(f"{report.account}: {report.added} of {report.rows} transactions {would}, {report.duplicates} there already.")
    say(f"{report.first_day} to {report.last_day}; {report.categorized} with a category by rule or habit.")
    for note in report.notes:
        say(note)
    if report.journal_id:
        say(f"Take it back with: penny undo {report.journal_id}")


def export(
    format_: Annotated[Literal["csv", "json", "beancount"], typer.Option("--format", help="What to write.")],
    user: UserOption = DEMO_USER,
    issuer: IssuerOption = None,
    tenant: TenantOption = "",
) -> None:
    """Write everything of a user to standard output."""
    from domain.clock import SystemClock
    from ledger.export.stream import stream
    from memory.export import SECTIONS
    from penny.database import open_database

    chosen = settings.load()
    shown = _for_terminal() if sys.stdout.isatty() else bytes

    async def run() -> None:
        async with open_database(chosen, quiet) as db:
            person = await db.resolve_user(issuer or issuer_of(chosen), tenant, user)
            async with db.read(person) as tx:
                async for piece in stream(tx, format_, SystemClock().now(), SECTIONS):
                    sys.stdout.buffer.write(shown(piece))
            sys.stdout.buffer.flush()

    asyncio.run(run())


def _tell(doing: str, done: int, total: int) -> None:
    if max(done, total) >= MANY_ROWS:
        progress(f"{doing} {done} of {total}" if total else f"{doing} {done}")


def _for_terminal() -> Callable[[bytes], bytes]:
    """What makes each piece of a file safe to look at; a sign may be divided between two."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    return lambda piece: visible(decoder.decode(piece)).encode()


def _read(path: Path, limit: int) -> bytes:
    """The file's bytes, at most one more than `limit`. Raises InvalidInput when it cannot be read."""
    try:
        with path.open("rb") as opened:
            return opened.read(limit + 1)
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read: {(error.strerror or 'unknown error').lower()}.") from None


def register(app: typer.Typer) -> None:
    app.command("import")(import_)
    app.command()(export)
