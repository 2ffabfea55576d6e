"""list_facts: what Penny knows about the user, from what they said and let it remember."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from memory import facts
from tools.result import Fact, ToolResult
from tools.tool import Args, Tool, ToolContext
from tools.wording import cell, counted, short_day


class FactsArgs(Args):
    pass


async def run(ctx: ToolContext, args: FactsArgs) -> ToolResult:
    async with ctx.db.read(ctx.user) as tx:
        known = await facts.list_(tx)
    count = Fact("facts remembered", Decimal(len(known)), "count")
    if not known:
        return ToolResult(
            "I remember nothing about you beside your accounts, categories and transactions. "
            "Tell me what to remember, for example when you are paid.",
            (count,),
        )
    lines = "\n".join(f"{n}. {_line(ctx, fact)}" for n, fact in enumerate(known, 1))
    return ToolResult(
        f"I remember {counted(len(known), 'thing')} that you told me:\n\n{lines}\n\n"
        "Each can be corrected or forgotten; just say so.",
        (count, *(Fact(f"remembered since: {cell(fact.text, facts.LONGEST)}", _since(ctx, fact)) for fact in known)),
    )


def _since(ctx: ToolContext, fact: facts.Fact) -> date:
    return fact.created_at.astimezone(ctx.preferences.zone).date()


def _line(ctx: ToolContext, fact: facts.Fact) -> str:
    since = _since(ctx, fact)
    about = "" if fact.kind == "other" else f"{fact.kind}, "
    return f"{cell(fact.text, facts.LONGEST)} ({about}since {short_day(since, ctx.preferences.locale)})"


LIST_FACTS = Tool(
    name="list_facts",
    description="What you remember about the user from what they told you: for “what do you know about me?”.",
    args=FactsArgs,
    run=run,
    label=lambda _: "Looking at what I remember about you",
)
