"""Bank files in, everything out."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date
from tempfile import SpooledTemporaryFile
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Form, Query, UploadFile
from fastapi.responses import StreamingResponse
from pydantic import Field

from api.caller import CallerDep
from api.problems import documented
from api.shapes import Input, Output, Text
from ledger.export.stream import MEDIA_TYPES, Format, stream
from ledger.imports import mapping
from ledger.imports.run import import_file
from ledger.imports.statement import MAX_BYTES
from memory.export import SECTIONS

_IN_MEMORY = 4 * 1024 * 1024
_PIECE = 256 * 1024

router = APIRouter(prefix="/v1", tags=["transfer"])


class ImportForm(Input):
    """A bank's file (CSV, OFX, QFX, QIF or CAMT.053; 10 MB at most) for an account."""

    file: UploadFile
    account: Text = Field(max_length=200, description="The account's name or id.")
    dry_run: bool = Field(False, description="Only tell what would be done.")
    map: Text | None = Field(None, max_length=mapping.MAX_CHARACTERS, description="JSON: how to read the file.")


class ImportView(Output):
    """What was imported. `rows` are the file's transactions, of which `duplicates` were there already; `skipped` rows
    carry none. `journal_id` undoes it; null for a dry run and when nothing was new."""

    account: str
    format: str
    rows: int
    added: int
    duplicates: int
    skipped: int
    categorized: int
    first_day: date
    last_day: date
    notes: list[str] = Field(description="How the file was read.")
    dry_run: bool
    journal_id: UUID | None


@router.post("/imports", summary="Import a bank's file", responses=documented(400, 404, 409, 413, 415))
async def create(caller: CallerDep, form: Annotated[ImportForm, Form(media_type="multipart/form-data")]) -> ImportView:
    """Adds what the account does not have yet, in whole or not at all. Rows that cannot be taken are 422 with code
    `rows_refused` and `rows`: `[{line, message}]`; a file that can be read in two ways is `ambiguous_file`."""
    chosen = mapping.parse(form.map) if form.map else None
    report = await import_file(
        caller.services.db,
        caller.user,
        await form.file.read(MAX_BYTES + 1),
        account=form.account,
        source=form.file.filename or "",
        mapping=chosen,
        dry_run=form.dry_run,
        approval="http",
    )
    return ImportView(**report.json())


@router.get(
    "/export",
    summary="Export everything",
    response_class=StreamingResponse,
    responses={
        200: {"description": "The export.", "content": {kind.partition(";")[0]: {} for kind in MEDIA_TYPES.values()}}
    },
)
async def export(
    caller: CallerDep, format_: Annotated[Format, Query(alias="format", description="json, csv or beancount.")] = "json"
) -> StreamingResponse:
    """Everything of the user as of one instant: all as JSON, the transactions as CSV, the ledger as beancount."""
    made: Any = SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 -- the response closes it
    try:
        async with caller.report() as tx:
            async for piece in stream(tx, format_, caller.services.clock.now(), SECTIONS):
                made.write(piece)
    except BaseException:
        made.close()
        raise
    made.seek(0)
    name = f"penny.{'beancount' if format_ == 'beancount' else format_}"
    return StreamingResponse(
        _pieces(made),
        media_type=MEDIA_TYPES[format_],
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


async def _pieces(made: Any) -> AsyncIterator[bytes]:
    """The file, which no database connection waits for: a slow client holds up nobody."""
    with made:
        while piece := made.read(_PIECE):
            yield piece
