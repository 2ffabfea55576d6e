"""undo_change, as a proposal."""

from __future__ import annotations

import re
from typing import Any

from pydantic import Field

from domain.errors import InvalidInput, NotFound
from domain.ids import parse_id
from tools.drafts.undo import last_standing, undoing
from tools.proposals.propose import propose
from tools.result import ToolResult
from tools.tool import Args, Phrase, Tool, ToolContext

_LAST = re.compile(r"(?:the |my )?(?:last|latest|previous|most recent)?\s*(?:one|change|thing)?|that|it|this")


class UndoChangeArgs(Args):
    change: Phrase | None = Field(None, description="the id of a change from the change history; default: the last one")


async def undo_change(ctx: ToolContext, args: UndoChangeArgs) -> ToolResult:
    if args.change is None or _LAST.fullmatch(args.change.casefold()):
        async with ctx.db.read(ctx.user) as tx:
            return_to = await last_standing(tx)
    else:
        try:
            return_to = parse_id(args.change, "change")
        except NotFound:
            raise InvalidInput(
                "Name the change by its id from the change history, or leave it out for the last one."
            ) from None
    return await propose(ctx, args, undoing(return_to))


UNDO_CHANGE: Tool[Any] = Tool(
    name="undo_change",
    description="Propose to take back a change that was applied earlier: the last one, or one by its id. "
    "The user confirms it; it is not done yet.",
    args=UndoChangeArgs,
    run=undo_change,
    label=lambda args: "Preparing to undo a change",
    writes=True,
)
