"""The user's data as MCP resources, in the shapes of the HTTP routes."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Any

import mcp_types as types
from mcp.server.context import ServerRequestContext
from mcp.shared.exceptions import MCPError
from mcp_types import INVALID_PARAMS
from pydantic import BaseModel

from api.caller import Caller
from api.protocols.mcp.tools import caller_in, only_page
from api.routes import money, proposals, setup
from domain.errors import PennyError
from domain.ids import parse_id

MIME = "application/json"


async def _pending(caller: Caller) -> BaseModel:
    return await proposals.index(caller, status="pending", limit=200)


async def _proposal(caller: Caller, proposal_id: str) -> BaseModel:
    return await proposals.get(caller, parse_id(proposal_id, "proposal"))


async def _budgets(caller: Caller, month: str | None = None) -> BaseModel:
    return await money.get_budgets(caller, month)


_RESOURCES: dict[str, tuple[types.Resource, Callable[[Caller], Awaitable[BaseModel]]]] = {
    resource.uri: (resource, read)
    for resource, read in (
        (
            types.Resource(
                uri="penny://proposals/pending",
                name="pending_proposals",
                title="Pending proposals",
                description="Changes that wait for the user's decision, which only the user makes.",
                mime_type=MIME,
            ),
            _pending,
        ),
        (
            types.Resource(
                uri="penny://budgets",
                name="budgets",
                title="This month's budgets",
                description="Every spending category with its budget, what was spent and what is left.",
                mime_type=MIME,
            ),
            _budgets,
        ),
        (
            types.Resource(
                uri="penny://accounts",
                name="accounts",
                title="Accounts",
                description="The user's accounts with their balances, and what they are worth together.",
                mime_type=MIME,
            ),
            setup.list_accounts,
        ),
        (
            types.Resource(
                uri="penny://categories",
                name="categories",
                title="Categories",
                description="What money is spent on and where it comes from.",
                mime_type=MIME,
            ),
            setup.list_categories,
        ),
    )
}

_TEMPLATES: tuple[
    tuple[types.ResourceTemplate, re.Pattern[str], Callable[[Caller, str], Awaitable[BaseModel]]], ...
] = (
    (
        types.ResourceTemplate(
            uri_template="penny://budgets/{month}",
            name="budgets_of_month",
            title="A month's budgets",
            description="Like This month's budgets, for the month YYYY-MM.",
            mime_type=MIME,
        ),
        re.compile(r"penny://budgets/([^/]+)"),
        _budgets,
    ),
    (
        types.ResourceTemplate(
            uri_template="penny://proposals/{id}",
            name="proposal",
            title="A proposal",
            description="One proposed change: what it would change, and what became of it.",
            mime_type=MIME,
        ),
        re.compile(r"penny://proposals/([^/]+)"),
        _proposal,
    ),
)


async def list_resources(
    ctx: ServerRequestContext[Any, Any], params: types.PaginatedRequestParams | None
) -> types.ListResourcesResult:
    """Those with an address of their own."""
    only_page(params)
    return types.ListResourcesResult(resources=[resource for resource, _ in _RESOURCES.values()])


async def list_templates(
    ctx: ServerRequestContext[Any, Any], params: types.PaginatedRequestParams | None
) -> types.ListResourceTemplatesResult:
    """Those that need a month or an id."""
    only_page(params)
    return types.ListResourceTemplatesResult(resource_templates=[template for template, _, _ in _TEMPLATES])


async def read(
    ctx: ServerRequestContext[Any, Any], params: types.ReadResourceRequestParams
) -> types.ReadResourceResult:
    """The resource as it is now, of the token's user. Raises MCPError for an address that leads nowhere."""
    try:
        found = await _found(caller_in(ctx), params.uri)
    except PennyError as error:
        if error.status >= 500:
            raise
        raise MCPError(INVALID_PARAMS, error.message, {"uri": params.uri[:200], "code": error.code}) from None
    return types.ReadResourceResult(
        contents=[types.TextResourceContents(uri=params.uri, mime_type=MIME, text=found.model_dump_json())]
    )


async def _found(caller: Caller, uri: str) -> BaseModel:
    if uri in _RESOURCES:
        return await _RESOURCES[uri][1](caller)
    for _, pattern, reader in _TEMPLATES:
        if match := pattern.fullmatch(uri):
            return await reader(caller, match[1])
    raise MCPError(
        INVALID_PARAMS,
        f"There is no such resource; there are {', '.join(_RESOURCES)}, penny://budgets/YYYY-MM and "
        "penny://proposals/{id}.",
        {"uri": uri[:200], "code": "not_found"},
    )
