"""The language model that PENNY_MODEL names."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from agent.fallback import FallbackModel
from agent.model import Model
from agent.scripted import ScriptedModel
from api.services import ModelStatus
from domain.errors import SetupError
from domain.metrics import UNTOLD, Metrics
from penny.settings import Settings

if TYPE_CHECKING:
    from agent.bedrock import Guardrail
    from agent.local.routing import Routing


def make_model(settings: Settings, metrics: Metrics = UNTOLD) -> Model:
    """The model with those that stand in for it, not yet warmed up. Raises SetupError that says what is missing."""
    if settings.model_profiles and not settings.model.startswith("bedrock:"):
        raise SetupError("PENNY_MODEL_PROFILES are profiles of a model of Bedrock; PENNY_MODEL is none.")
    if not settings.model_fallback:
        return _one(settings, settings.model, metrics, last=True)
    names = (settings.model, *settings.model_fallback)
    return FallbackModel([_one(settings, name, metrics, last=name is names[-1]) for name in names])


def _one(settings: Settings, name: str, metrics: Metrics, *, last: bool) -> Model:
    """Imports only what is used. A model that another stands in for is not tried for long."""
    kind, _, which = name.partition(":")
    if kind == "local" and not which:
        from agent.local.model import LocalModel

        return LocalModel(settings.cache, gguf=settings.local_gguf)
    if kind == "bedrock" and which:
        from agent.bedrock import BedrockModel, Retries

        model = BedrockModel(
            which,
            base=settings.model_base if name == settings.model else None,
            profiles=settings.model_profiles if name == settings.model else None,
            idle_seconds=settings.model_idle_seconds,
            retries=Retries() if last else Retries(tries=2, deadline=3.0),
            max_tokens=settings.model_max_tokens,
            thinking=settings.thinking_tokens,
            cache_hour=settings.model_cache == "1h",
            guardrail=_guardrail(settings),
            metrics=metrics,
        )
        if not model.has_price and (settings.limits_cost_usd_day or settings.limits_cost_usd_day_tenant):
            raise SetupError(
                f"The price of {name} is not known, so a cap in dollars cannot be kept: PENNY_LIMITS_COST_USD_DAY and "
                "PENNY_LIMITS_COST_USD_DAY_TENANT need a model of agent/capabilities.toml (PENNY_MODEL_BASE names the "
                "one behind an application inference profile). PENNY_LIMITS_TOKENS_DAY caps every model."
            )
        return model
    if kind == "scripted" and which:
        return ScriptedModel.from_file(Path(which).expanduser())
    setting = "PENNY_MODEL" if name == settings.model else "PENNY_MODEL_FALLBACK"
    raise SetupError(
        f"{setting}: the model {name!r} is not known; use local, bedrock:<model id or inference profile> or "
        "scripted:<file>."
    )


def routed(settings: Settings, routing: Callable[[], Routing]) -> Model:
    """The embedded model, choosing by a routing prompt that may change. Raises SetupError for another PENNY_MODEL."""
    if settings.model != "local":
        raise SetupError(
            f"A routing prompt is the embedded model's, and PENNY_MODEL is {settings.model}: set PENNY_MODEL=local, or "
            "give a system prompt (a .md file)."
        )
    from agent.local.model import LocalModel

    return LocalModel(settings.cache, gguf=settings.local_gguf, routed=routing)


def _guardrail(settings: Settings) -> Guardrail | None:
    if settings.guardrail is None:
        return None
    from agent.bedrock import Guardrail

    identifier, _, version = settings.guardrail.rpartition(":")
    if not identifier or not (version == "DRAFT" or version.isdecimal()):
        raise SetupError(
            f"PENNY_GUARDRAIL={settings.guardrail!r} cannot be used: write <id or ARN>:<version>, the version a number "
            "or DRAFT."
        )
    return Guardrail(identifier, version, settings.guardrail_trace)


def status_of(model: Model) -> ModelStatus:
    """The model as clients show it."""
    status = getattr(model, "status", None)
    if status is None:
        note = (
            "" if model.abilities.tools else "This model answers questions about your budget; it proposes no changes."
        )
        return ModelStatus(model.name, small=False, status="ready", note=note)
    phase: str = status()
    note = "A small offline model: it understands simple questions about your budget."
    if phase == "ready":
        return ModelStatus(model.name, small=True, status="ready", note=note)
    if phase == "failed":
        return ModelStatus(model.name, small=True, status="failed", note="The offline model could not be started.")
    return ModelStatus(model.name, small=True, status="loading", note=f"{note} It is warming up ({phase}).")
