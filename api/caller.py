"""Who is calling: the bearer token's user, and the parts that serve them. Every route under /v1 takes a Caller."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, cast
from uuid import UUID

from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from api.limits import Gate
from api.problems import UnsupportedMediaType
from api.services import Services
from domain.errors import Unauthorized

if TYPE_CHECKING:
    from db.engine import Transaction


@dataclass(frozen=True, slots=True)
class Caller:
    """The user of this request."""

    services: Services
    user: UUID

    def transaction(self) -> AbstractAsyncContextManager[Transaction]:
        """A transaction that sees this user's rows and no others."""
        return self.services.db.transaction(self.user)

    def read(self) -> AbstractAsyncContextManager[Transaction]:
        """The same for reading only."""
        return self.services.db.read(self.user)

    def report(self) -> AbstractAsyncContextManager[Transaction]:
        """The same for a report, which may be a moment behind what was just written."""
        return self.services.db.reports.read(self.user)


_BEARER = HTTPBearer(
    auto_error=False,
    scheme_name="bearer",
    bearerFormat="JWT",
    description="A JSON Web Token with `sub`, `iss`, `aud`, `exp` and an optional `tenant`.",
)


def services_of(request: Request) -> Services:
    """The parts that this application was made with."""
    return cast("Services", request.app.state.services)


async def caller(request: Request, given: Annotated[HTTPAuthorizationCredentials | None, Security(_BEARER)]) -> Caller:
    """Checks the token and the limits. Raises Unauthorized (also without one), RateLimited, TooManyOpen."""
    if given is None:
        raise Unauthorized("Send a token in the header `Authorization: Bearer <token>`.")
    services = services_of(request)
    identity = await services.authenticate(given.credentials)
    gate: Gate | None = request.app.state.gate
    if gate is not None:
        leaving = request.state.leaving
        leaving.append(await gate.enter("user", str(identity.user)))
        if identity.tenant:
            leaving.append(await gate.enter("tenant", f"{identity.issuer} {identity.tenant}"))
    return Caller(services, identity.user)


CallerDep = Annotated[Caller, Depends(caller)]


async def json_body(request: Request, _: CallerDep) -> None:
    """For routes with a body: refuses one that is not JSON. Raises UnsupportedMediaType."""
    headers = request.headers
    if headers.get("content-length", "0") == "0" and "transfer-encoding" not in headers:
        return
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json" and not (kind.startswith("application/") and kind.endswith("+json")):
        raise UnsupportedMediaType("This route reads JSON; send it with `Content-Type: application/json`.")


JSON_BODY = Depends(json_body)
