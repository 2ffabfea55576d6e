"""One import from bytes to journal entry: read, compared with what is there, stored; or, as a dry run, only told."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from db.engine import Database, Transaction
from domain.errors import NotFound
from ledger import accounts
from ledger.accounts import Account
from ledger.imports import formats
from ledger.imports.dedupe import keys, new_lines
from ledger.imports.known import known
from ledger.imports.mapping import Mapping
from ledger.imports.statement import Format, Progress, Statement
from ledger.imports.store import Origin, categories_for, store
from ledger.imports.text import clean

SOURCE_LENGTH = 80


@dataclass(frozen=True, slots=True)
class Report:
    """What an import did, or as a dry run would do. `rows` are the file's postings, of which `duplicates` were there
    already; `skipped` rows of the file carry none. `journal_id` is None for a dry run and when nothing was new."""

    account: str
    format: Format
    rows: int
    added: int
    duplicates: int
    skipped: int
    categorized: int
    first_day: date
    last_day: date
    notes: tuple[str, ...]
    dry_run: bool
    journal_id: UUID | None

    def json(self) -> dict[str, Any]:
        """As `POST /v1/imports` answers."""
        return {
            "account": self.account,
            "format": self.format,
            "rows": self.rows,
            "added": self.added,
            "duplicates": self.duplicates,
            "skipped": self.skipped,
            "categorized": self.categorized,
            "first_day": self.first_day.isoformat(),
            "last_day": self.last_day.isoformat(),
            "notes": list(self.notes),
            "dry_run": self.dry_run,
            "journal_id": str(self.journal_id) if self.journal_id else None,
        }


async def import_file(
    db: Database,
    user: UUID,
    data: bytes,
    *,
    account: str,
    source: str = "",
    mapping: Mapping | None = None,
    dry_run: bool = False,
    approval: str = "http",
    progress: Progress = formats.silent,
) -> Report:
    """Imports the file into the account of that name or id: in whole, or not at all when it raises.

    `source` is what the file is called, `approval` says over which channel the user asked ("http", "cli"). The file is
    read in a thread, which `progress` is called from too. Raises NotFound, Conflict, and as `formats.read` does.
    """
    async with db.read(user) as tx:
        found = await _account(tx, account)
    statement = await asyncio.to_thread(formats.read, data, found.currency, found.kind, mapping, progress)
    prints = await asyncio.to_thread(keys, statement.lines)
    async with db.read(user) if dry_run else db.transaction(user) as tx:
        if not dry_run:  # of two imports at once the second waits, and sees what the first has added
            await tx.pg.execute("SELECT FROM app_user WHERE id = $1 FOR NO KEY UPDATE", tx.user)
        return await take_in(tx, found, statement, prints, source, approval, dry_run=dry_run, progress=progress)


async def take_in(
    tx: Transaction,
    account: Account,
    statement: Statement,
    prints: Sequence[UUID],
    source: str,
    approval: str,
    *,
    dry_run: bool = False,
    progress: Progress = formats.silent,
) -> Report:
    """Adds what of the statement the account does not have; `prints` are its lines' fingerprints. As a dry run it only
    looks. Raises Conflict."""
    progress("comparing", 0, len(statement.lines))
    there = await known(tx, account.id, statement.lines, prints)
    new = new_lines(statement.lines, prints, there)
    categories = await categories_for(tx, new)
    entry = None
    if new and not dry_run:
        origin = Origin(account.id, account.currency, *_named(source, statement, len(new), account), approval)
        entry = await store(tx, new, categories, origin, progress)
    days = [line.day for line in statement.lines]
    return Report(
        account=account.name,
        format=statement.format,
        rows=len(statement.lines),
        added=len(new),
        duplicates=len(statement.lines) - len(new),
        skipped=statement.skipped,
        categorized=sum(any(filed) for filed in categories),
        first_day=min(days),
        last_day=max(days),
        notes=statement.notes,
        dry_run=dry_run,
        journal_id=entry,
    )


def _named(source: str, statement: Statement, added: int, account: Account) -> tuple[str, str, str]:
    """The source's name, the format, and what the journal says."""
    name = clean(source.replace("\\", "/").rpartition("/")[2], SOURCE_LENGTH) or "a file"
    what = "1 transaction" if added == 1 else f"{added} transactions"
    return name, statement.format, f"Import {what} from {name} into {account.name}."


async def _account(tx: Transaction, name: str) -> Account:
    """The account by its name, in any case, or its id. Raises NotFound."""
    wanted = name.strip().casefold()
    found = await accounts.list_(tx)
    for one in found:
        if wanted in (one.name.casefold(), str(one.id)):
            return one
    names = ", ".join(one.name for one in found[:20])
    hint = f"There is: {names}." if names else "There is no account yet."
    raise NotFound(f"There is no account called “{clean(name, 40)}”. {hint}")
