"""Telling a client without a token where to get one (RFC 9728, 5.1), on the one wire whose clients ask."""

from __future__ import annotations

from fastapi import Request

from api.services import Services

_METADATA = "/.well-known/oauth-protected-resource"


def metadata_path(resource: str = "") -> str:
    """Where the metadata of a resource is; the resource's path comes last."""
    return _METADATA + resource


def address(request: Request, path: str) -> str:
    """The path as others reach it: by PENNY_PUBLIC_URL, else as the client did."""
    services: Services = request.app.state.services
    return (services.public_url or str(request.base_url)).rstrip("/") + path


def challenge(request: Request) -> dict[str, str]:
    """The header of a 401 that leads to the authorization server, where there is one and clients look for it."""
    services: Services = request.app.state.services
    if request.url.path != "/mcp" or services.authorization_server is None:
        return {}
    found = 'error="invalid_token", ' if "authorization" in request.headers else ""
    where = address(request, metadata_path("/mcp"))
    return {"WWW-Authenticate": f'Bearer realm="penny", {found}resource_metadata="{where}"'}
