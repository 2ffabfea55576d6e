"""MCP over streamable HTTP, and where its clients learn who gives tokens for it (RFC 9728)."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import Field

from api.caller import CallerDep, services_of
from api.negotiation import JSON, accepts
from api.problems import NotAcceptable, UnsupportedMediaType, documented, documented_json_rpc
from api.protocols.mcp.request import HandedOn, check_message, check_origin
from api.resource import address, metadata_path
from api.shapes import Output
from domain.errors import NotFound

HEADERS = ("Mcp-Protocol-Version", "Mcp-Method", "Mcp-Name")
"""What clients in browsers send besides the usual."""

router = APIRouter(tags=["MCP"])

_MESSAGE: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            JSON: {
                "schema": {
                    "type": "object",
                    "description": "A JSON-RPC 2.0 message of the Model Context Protocol.",
                    "properties": {
                        "jsonrpc": {"const": "2.0"},
                        "id": {"type": ["string", "integer"]},
                        "method": {"type": "string"},
                        "params": {"type": "object"},
                    },
                    "required": ["jsonrpc", "method"],
                }
            }
        },
    }
}


@router.post(
    "/mcp",
    summary="Send an MCP message",
    response_class=Response,
    openapi_extra=_MESSAGE,
    responses=documented_json_rpc(400, 401, 403, 405, 406, 413, 415, 429, 500, 503)
    | {
        200: {"description": "The answer, a JSON-RPC response.", "content": {JSON: {"schema": {"type": "object"}}}},
        202: {"description": "A notification was taken."},
    },
)
async def message(request: Request, caller: CallerDep) -> Response:
    """The Model Context Protocol, streamable HTTP, revisions 2024-11-05 to 2026-07-28: every tool (writes are
    proposals), some of the user's data as resources, prompts. Each message stands alone: there are no sessions."""
    services, headers = caller.services, request.headers
    check_origin(headers.get("origin"), request.app.state.cors_origins, dev=services.dev is not None)
    if headers.get("content-type", "").partition(";")[0].strip().lower() != JSON:
        raise UnsupportedMediaType("This endpoint reads JSON; send it with `Content-Type: application/json`.")
    if not accepts(headers.get("accept"), JSON):
        raise NotAcceptable(f"This endpoint answers with {JSON}; accept it.")
    body = await request.body()
    check_message(body)
    request.state.caller = caller
    return HandedOn(await services.mcp.handler(), body)


class ProtectedResource(Output):
    """Who gives tokens for this resource (RFC 9728)."""

    resource: str = Field(description="The address that tokens are asked for.")
    authorization_servers: list[str]
    bearer_methods_supported: list[str]
    resource_name: str
    resource_documentation: str


@router.get(metadata_path(), summary="Where tokens come from", responses=documented(404))
@router.get(metadata_path("/mcp"), summary="Where tokens for MCP come from", responses=documented(404))
async def protected_resource(request: Request) -> ProtectedResource:
    """For clients that sign their user in by themselves. There is none where tokens are not an authorization server's:
    the host app gives them then."""
    issuer = services_of(request).authorization_server
    if issuer is None:
        raise NotFound("Tokens for this server come from the app that hosts it, not from an authorization server.")
    return ProtectedResource(
        resource=address(request, "/mcp"),
        authorization_servers=[issuer],
        bearer_methods_supported=["header"],
        resource_name="Penny",
        resource_documentation=address(request, "/openapi.json"),
    )
