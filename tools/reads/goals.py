"""list_goals: what the user saves for, how far it is, and what each month has to bring."""

from __future__ import annotations

from decimal import Decimal

from ledger import goals
from ledger.goals import Progress
from tools.result import Fact, ToolResult
from tools.tool import Args, Tool, ToolContext
from tools.wording import cell, counted, percent, short_day


class GoalsArgs(Args):
    pass


async def run(ctx: ToolContext, args: GoalsArgs) -> ToolResult:
    async with ctx.db.read(ctx.user) as tx:
        found = await goals.progress(tx, ctx.today, ctx.preferences.currency)
    if not found:
        return ToolResult("You have no goals yet.", (Fact("goals", Decimal(0), "count"),))
    lines = "\n".join(f"- {_line(ctx, each)}" for each in found)
    facts = (Fact("goals", Decimal(len(found)), "count"), *(fact for each in found for fact in _facts(each)))
    return ToolResult(f"You have {counted(len(found), 'goal')}:\n\n{lines}", facts, rows=tuple(map(_row, found)))


def _line(ctx: ToolContext, each: Progress) -> str:
    goal = each.goal
    by = f" by {short_day(goal.due, ctx.preferences.locale)}" if goal.due else ""
    head = f"{cell(goal.name)}: {ctx.show(goal.amount)}{by}."
    if each.saved is None:
        told = "It is linked to no account or category, so I do not know what is saved."
    elif each.done:
        return f"{head} All of it is there."
    else:
        share = percent(each.saved.minor, goal.amount.minor)
        place = cell(goal.account or f"the {goal.category} envelope")
        told = f"{ctx.show(each.saved)} ({share}%) is there, on {place}; {ctx.show(each.missing)} is missing."
    if each.monthly is None or goal.due is None:
        return f"{head} {told}"
    if not each.months:
        return f"{head} {told} The day is over."
    pace = {True: " You are on track.", False: " You are behind.", None: ""}[each.on_track]
    behind = ""
    if each.on_track is False and each.expected and each.saved:
        behind = f" An even pace would have {ctx.show(each.expected)} by now."
    months = counted(each.months, "month")
    return f"{head} {told} That is {ctx.show(each.monthly)} a month for {months}, this one included.{pace}{behind}"


def _facts(each: Progress) -> list[Fact]:
    name = cell(each.goal.name)
    facts = [Fact(f"goal {name}", each.goal.amount), Fact(f"missing for {name}", each.missing)]
    if each.saved is not None:
        facts.append(Fact(f"saved for {name}", each.saved))
        facts.append(Fact(f"saved for {name}", percent(each.saved.minor, each.goal.amount.minor), "percent"))
    if each.goal.due is not None:
        facts.append(Fact(f"{name} is due", each.goal.due))
    if each.monthly is not None:
        facts.append(Fact(f"needed for {name} a month", each.monthly))
    if each.expected is not None:
        facts.append(Fact(f"an even pace for {name} by now", each.expected))
    if each.months is not None:
        facts.append(Fact(f"months left for {name}", Decimal(each.months), "count"))
    return facts


def _row(each: Progress) -> dict[str, object]:
    goal = each.goal
    return {
        "goal": goal.name,
        "amount": str(goal.amount.amount),
        "currency": goal.amount.currency,
        "by": goal.due.isoformat() if goal.due else None,
        "saved": str(each.saved.amount) if each.saved else None,
        "monthly": str(each.monthly.amount) if each.monthly else None,
        "on_track": each.on_track,
    }


LIST_GOALS = Tool(
    name="list_goals",
    description="The user's savings goals: what is saved, what is missing, what a month has to bring, on track or not.",
    args=GoalsArgs,
    run=run,
    label=lambda _: "Looking at your goals",
)
