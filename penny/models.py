"""The language model that PENNY_MODEL names."""

from __future__ import annotations

from pathlib import Path

from agent.model import Model
from agent.scripted import ScriptedModel
from api.services import ModelStatus
from domain.errors import SetupError
from penny.settings import Settings


def make_model(settings: Settings) -> Model:
    """The model, not yet warmed up. Raises SetupError that says what is missing. Imports only what is used."""
    kind, _, which = settings.model.partition(":")
    if kind == "local" and not which:
        from agent.local.model import LocalModel

        return LocalModel(settings.cache, gguf=settings.local_gguf)
    if kind == "bedrock" and which:
        from agent.bedrock import BedrockModel

        return BedrockModel(which)
    if kind == "scripted" and which:
        return ScriptedModel.from_file(Path(which).expanduser())
    raise SetupError(
        f"PENNY_MODEL={settings.model!r} is not known; use local, bedrock:<model id or inference profile> "
        "or scripted:<file>."
    )


def status_of(model: Model) -> ModelStatus:
    """The model as clients show it."""
    status = getattr(model, "status", None)
    if status is None:
        return ModelStatus(model.name, small=False, status="ready")
    phase: str = status()
    note = "A small offline model: it understands simple questions about your budget."
    if phase == "ready":
        return ModelStatus(model.name, small=True, status="ready", note=note)
    if phase == "failed":
        return ModelStatus(model.name, small=True, status="failed", note="The offline model could not be started.")
    return ModelStatus(model.name, small=True, status="loading", note=f"{note} It is warming up ({phase}).")
