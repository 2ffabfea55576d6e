"""get_change_history: what was changed with the user's approval, newest first, and what of it was undone."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from pydantic import Field

from ledger import journal
from ledger.journal import Entry
from tools.result import Fact, ToolResult
from tools.tool import Args, Tool, ToolContext
from tools.wording import cell, short_day

DEFAULT_LIMIT = 10


class HistoryArgs(Args):
    limit: int = Field(DEFAULT_LIMIT, ge=1, le=50, description="how many")


async def run(ctx: ToolContext, args: HistoryArgs) -> ToolResult:
    async with ctx.db.read(ctx.user) as tx:
        entries, older = await journal.list_(tx, args.limit)
    if not entries:
        return ToolResult("Nothing has been changed yet.")
    lines = "\n".join(f"- {_day(ctx, entry)}: {cell(entry.text)}{_state(entry)}" for entry in entries)
    head = "The latest changes:" if older else f"All changes so far ({len(entries)}):"
    return ToolResult(
        f"{head}\n\n{lines}",
        (
            Fact("changes shown", Decimal(len(entries)), "count"),
            *(Fact(f"day of the change: {cell(entry.text)}", _local(ctx, entry)) for entry in entries),
        ),
        rows=tuple(
            {
                "change": str(entry.id),
                "at": entry.at.isoformat(),
                "text": cell(entry.text),
                "undone": entry.undone_by is not None,
            }
            for entry in entries
        ),
    )


def _day(ctx: ToolContext, entry: Entry) -> str:
    return short_day(_local(ctx, entry), ctx.preferences.locale)


def _local(ctx: ToolContext, entry: Entry) -> date:
    return entry.at.astimezone(ctx.preferences.zone).date()


def _state(entry: Entry) -> str:
    return " (undone since)" if entry.undone_by else ""


def label(args: HistoryArgs) -> str:
    return "Looking at your latest changes"


GET_CHANGE_HISTORY = Tool(
    name="get_change_history",
    description="The changes that were made with the user's approval, newest first, and which were undone.",
    args=HistoryArgs,
    run=run,
    label=label,
)
