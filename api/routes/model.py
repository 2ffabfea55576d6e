"""Which language model answers."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter
from pydantic import Field

from api.caller import CallerDep
from api.shapes import Output

router = APIRouter(prefix="/v1/model", tags=["model"])


class ModelView(Output):
    """The language model that answers. Clients label a small one as such."""

    name: str
    small: bool = Field(description="Whether it is the small model that runs on this machine.")
    status: Literal["ready", "loading", "failed"] = Field(description="While it loads, a message waits for it.")
    note: str = Field(description="A sentence for people, or empty.")


@router.get("", summary="Get the model's state")
async def get(caller: CallerDep) -> ModelView:
    """The model's name and whether it is ready."""
    model = caller.services.model_status()
    return ModelView(name=model.name, small=model.small, status=model.status, note=model.note)
