"""Whether the process lives, and whether it should be sent requests."""

from __future__ import annotations

import asyncio
from typing import Annotated, Literal

from fastapi import APIRouter, Depends

from api.caller import services_of
from api.problems import documented
from api.services import Services
from api.shapes import Output
from db.connection import PoolExhausted
from domain.errors import PennyError, Unavailable

PING_SECONDS = 3.0

router = APIRouter(tags=["health"])


class NotReady(Unavailable):
    """The process is starting, is draining, or has lost its database."""

    code = "not_ready"


class Alive(Output):
    """The process answers."""

    status: Literal["ok"] = "ok"


class Ready(Output):
    """The process takes requests."""

    status: Literal["ready"] = "ready"


@router.head("/healthz", include_in_schema=False)
@router.get("/healthz", summary="Whether the process lives")
async def healthz() -> Alive:
    """Answers 200 as long as the process runs; it looks at nothing else."""
    return Alive()


@router.head("/readyz", include_in_schema=False)
@router.get("/readyz", summary="Whether the process takes requests", responses=documented(503))
async def readyz(services: Annotated[Services, Depends(services_of)]) -> Ready:
    """Answers 503 while the process starts or drains, and while the database does not answer."""
    if services.readiness.state != "ready":
        raise NotReady(f"Penny is {services.readiness.state}.")
    try:
        async with asyncio.timeout(PING_SECONDS):
            await services.db.ping()
    except PoolExhausted:
        return Ready()  # busy is not gone
    except (PennyError, OSError, TimeoutError):
        raise NotReady("The database does not answer.") from None
    return Ready()
