"""Prompts that a person picks in their MCP client: questions that Penny's tools answer well together."""

from __future__ import annotations

from typing import Any

import mcp_types as types
from mcp.server.context import ServerRequestContext
from mcp.shared.exceptions import MCPError
from mcp_types import INVALID_PARAMS

from api.protocols.mcp.tools import only_page

MONTH_LENGTH = 40

_MONTH = types.PromptArgument(
    name="month", description='A month: "October", "last month", 2026-10; this month if left out.'
)

_PROMPTS = {
    "monthly_review": (
        types.Prompt(
            name="monthly_review",
            title="Monthly review",
            description="How a month went against its budgets, what stood out, and what to change.",
            arguments=[_MONTH],
        ),
        "Review {month} with me. Look at how it stands against the budgets, where the money went, how that compares "
        "with the month before, and anything unusual. Give me the three things that matter most, each with its "
        "figures, then at most two budget changes worth making. Propose a change only when I say so.",
    ),
    "find_savings": (
        types.Prompt(
            name="find_savings",
            title="Find savings",
            description="Recurring charges and habits that cost more than they need to.",
            arguments=[_MONTH],
        ),
        "Look for money I could save, starting from {month}: recurring charges with what each costs a year, ones that "
        "got dearer, double charges, and the categories that grew. List what I could stop or lower, the largest first, "
        "with its figures. Propose nothing until I choose.",
    ),
}


async def list_prompts(
    ctx: ServerRequestContext[Any, Any], params: types.PaginatedRequestParams | None
) -> types.ListPromptsResult:
    """All of them."""
    only_page(params)
    return types.ListPromptsResult(prompts=[prompt for prompt, _ in _PROMPTS.values()])


async def get_prompt(
    ctx: ServerRequestContext[Any, Any], params: types.GetPromptRequestParams
) -> types.GetPromptResult:
    """The prompt as the user's message. Raises MCPError for one that does not exist or an argument it does not take."""
    if params.name not in _PROMPTS:
        raise MCPError(INVALID_PARAMS, f"There is no such prompt; there are {', '.join(_PROMPTS)}.")
    given = dict(params.arguments or {})
    month = given.pop("month", "").strip() or "this month"
    if given or len(month) > MONTH_LENGTH or not month.isprintable():
        raise MCPError(
            INVALID_PARAMS, f"{params.name} takes `month` only, a phrase of at most {MONTH_LENGTH} characters."
        )
    prompt, text = _PROMPTS[params.name]
    return types.GetPromptResult(
        description=prompt.description,
        messages=[types.PromptMessage(role="user", content=types.TextContent(text=text.format(month=month)))],
    )
