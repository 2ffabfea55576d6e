"""The tools there are, by name, and the one way to call them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from pydantic import ValidationError

from domain.errors import PennyError, Unavailable
from tools.reads import READS
from tools.result import ToolResult
from tools.tool import Args, Tool, ToolContext
from tools.writes import WRITES

CATALOG: tuple[Tool[Any], ...] = (*READS, *WRITES)
"""Every tool, reads first; the order is the order in prompts."""


@cache
def specs() -> tuple[dict[str, Any], ...]:
    """What models are told of every tool, in the catalog's order; made once, for making schemas takes milliseconds."""
    return tuple(tool.spec() for tool in CATALOG)


def find(name: str, tools: Sequence[Tool[Any]] = CATALOG) -> Tool[Any] | None:
    """The tool of that name, or None."""
    return next((tool for tool in tools if tool.name == name), None)


def is_read(name: str) -> bool:
    """Whether the call only looks; an unknown tool does nothing either."""
    tool = find(name)
    return tool is None or not tool.writes


def unreadable(name: str) -> str:
    """What to tell a model whose arguments are no JSON object."""
    tool = find(name)
    if tool is None:
        return _unknown(name, CATALOG)
    return f"The arguments of {name} were not a JSON object, and nothing was done. It takes {_signature(tool.args)}."


def _unknown(name: str, tools: Sequence[Tool[Any]]) -> str:
    return f"There is no tool {name[:40]!r}. The tools are: {', '.join(t.name for t in tools)}."


def label(name: str, raw_args: dict[str, Any]) -> str:
    """The call in words for people; the tool's name when it is unknown or its arguments are not valid."""
    tool = find(name)
    if tool is None:
        return f"Trying {name[:40]}"
    try:
        return tool.label(tool.args.model_validate(raw_args))
    except ValidationError:
        return tool.name.replace("_", " ").capitalize()


async def call(
    ctx: ToolContext, name: str, raw_args: dict[str, Any], tools: Sequence[Tool[Any]] = CATALOG
) -> ToolResult:
    """Runs the tool with checked arguments.

    An unknown tool, arguments that do not fit and every PennyError become a result with `ok` False whose summary says
    what would be valid; anything else is a defect and propagates.
    """
    tool = find(name, tools)
    if tool is None:
        return ToolResult(_unknown(name, tools), ok=False)
    try:
        args = tool.args.model_validate(raw_args)
    except ValidationError as invalid:
        return ToolResult(_what_is_valid(tool, invalid), ok=False)
    try:
        return await tool.run(ctx, args)
    except Unavailable:
        raise  # no result that a model could act on: the run ends, and may be tried again
    except PennyError as error:
        return ToolResult(error.message, ok=False)


def _what_is_valid(tool: Tool[Any], invalid: ValidationError) -> str:
    """One sentence for each wrong argument, without echoing its value."""
    fields = tool.args.model_fields
    wrong = []
    for error in invalid.errors(include_url=False, include_input=False, include_context=False):
        name = str(error["loc"][0]) if error["loc"] else "the arguments"
        if error["type"] == "missing":
            wrong.append(f"{name} is needed")
        elif name not in fields:
            wrong.append(f"{name[:40]!r} is not an argument")
        else:
            wrong.append(f"{name}: {error['msg'][:1].lower()}{error['msg'][1:]}")
    return f"{tool.name} cannot be called like this: {'; '.join(wrong)}. It takes {_signature(tool.args)}."


def _signature(args: type[Args]) -> str:
    """The arguments, the optional ones with a question mark: "category, amount, month?"."""
    fields = args.model_fields.items()
    return ", ".join(name if field.is_required() else f"{name}?" for name, field in fields) or "no arguments"
