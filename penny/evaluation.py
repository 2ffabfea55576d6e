"""What `penny eval` makes of names: prompts by file or version, models, and services with both in them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Final

from agent.local.routing import routing_of
from agent.model import Model
from domain.clock import FixedClock
from domain.errors import SetupError
from lab.eval import descriptions
from lab.eval.acting import Stage
from lab.eval.descriptions import Described
from lab.eval.matrix import Cell, OpenStage
from lab.eval.personas import Author
from lab.eval.stand_ins import Ideal, Mute, OnTheWire
from penny.bootstrap import bootstrap, warm_up
from penny.database import Progress
from penny.models import make_model, routed
from penny.prompt_names import find, in_use, names
from penny.settings import Settings
from prompts import library
from prompts.library import Kind, Prompt

NOON: Final = time(12, tzinfo=UTC)
"""When cases happen: the same calendar day from Honolulu to Sydney."""

STAND_INS: Final[Mapping[str, Callable[[], Model]]] = {"ideal": Ideal, "mute": Mute}

JOBS: Final = {"local": 1, "scripted": 1, "ideal": 4, "mute": 4}
"""Cases at once, by the kind of model: the embedded one is one process, and a script is one sequence."""
JOBS_ELSEWHERE: Final = 8


@dataclass(frozen=True, slots=True)
class Variant:
    """One text that models are run with: a system prompt, or the embedded model's routing prompt, and other
    descriptions of tools where there are any."""

    label: str
    text: str
    prompt: Prompt
    tools: Mapping[str, str] = field(default_factory=dict)


def variants(prompts: Sequence[str], described: Sequence[Path], models: Sequence[str]) -> list[Variant]:
    """Each prompt with the code's descriptions and with each file of others. Without a prompt it is the one in use.
    Raises SetupError, PromptError or CaseError for what cannot be used."""
    wanted: Kind = "routing" if _embedded(models) else "system"
    found = []
    for prompt in [_prompt(name, wanted) for name in prompts] or [in_use(wanted)]:
        found.append(Variant(prompt.version, prompt.text, prompt))
        for file in described:
            label = f"{prompt.version}+{file.stem}"
            found.append(Variant(label, prompt.text, prompt, descriptions.load(file)))
    if len({variant.label for variant in found}) < len(found):
        raise SetupError("Two of the prompts are the same text of the same name; one of them is enough.")
    return found


_MISFIT: Final = (
    "{name} is a {kind} prompt. The embedded model chooses a tool by a routing prompt (prompts/routing) and reads no "
    "system prompt; all other models read a system prompt. Run the two kinds apart."
)


def _embedded(models: Sequence[str]) -> bool:
    """Whether the models read the routing prompt. Stand-ins read neither, and go with any. Raises SetupError."""
    kinds = {model == "local" for model in models if model not in STAND_INS}
    if len(kinds) > 1:
        raise SetupError("The embedded model reads another kind of prompt than the others; run it in a run of its own.")
    return kinds == {True}


def _prompt(name: str, wanted: Kind) -> Prompt:
    """By a file's path, or a version's name or name and hash."""
    prompt = find(name, first=wanted)
    if prompt is None:
        raise SetupError(f"There is no prompt {name!r}: give a file, or one of {names()}.")
    if prompt.kind != wanted:
        raise SetupError(_MISFIT.format(name=name, kind=prompt.kind))
    return prompt


def jobs_of(model: str, wanted: int | None) -> int:
    """How many cases the model plays at once; the embedded model and scripts play one, whatever is wanted."""
    kind = model.partition(":")[0]
    usual = JOBS.get(kind, JOBS_ELSEWHERE)
    return usual if wanted is None or usual == 1 else wanted


@dataclass(frozen=True, slots=True)
class Wire:
    """Where models on Bedrock are really asked: a replay of cassettes, or a recorder, with a stand-in behind it."""

    url: str
    stand_in: OnTheWire | None = None


def stages(
    settings: Settings,
    chosen: Sequence[Variant],
    progress: Progress,
    wire: Wire | None = None,
    author: Author | None = None,
) -> OpenStage:
    """Opens services as `bootstrap` makes them, one for each prompt, model and day."""
    by_label = {variant.label: variant for variant in chosen}

    @asynccontextmanager
    async def open_stage(cell: Cell, day: date) -> AsyncIterator[Stage]:
        variant, name = by_label[cell[0]], cell[1]
        own = settings.model_copy(update={"model": name, "model_fallback": ()})
        async with bootstrap(
            own,
            clock=FixedClock(datetime.combine(day, NOON)),
            model=make(own, name, variant, wire),
            prompt=lambda: library.load() if variant.prompt.kind == "routing" else variant.prompt,
        ) as services:
            await warm_up(services.model, progress)
            yield Stage(services.db, services.runner, author, wire.stand_in if wire else None)

    return open_stage


def make(settings: Settings, name: str, variant: Variant, wire: Wire | None = None) -> Model:
    """The model, told of its tools as the variant has it. Raises SetupError."""
    if name in STAND_INS:
        return STAND_INS[name]()
    if name == "local":
        routing = routing_of(variant.prompt).described(variant.tools)
        return routed(settings.model_copy(update={"model": name}), lambda: routing)
    model = make_model(settings.model_copy(update={"model": name})) if wire is None else _on(wire, name)
    return Described(model, variant.tools) if variant.tools else model


def _on(wire: Wire, name: str) -> Model:
    """A model on Bedrock whose wire ends elsewhere; no credentials of anybody's are used. Raises SetupError."""
    from agent.bedrock import BedrockModel
    from agent.bedrock.model import AwsKeys

    kind, _, which = name.partition(":")
    if kind != "bedrock" or not which:
        raise SetupError(f"Cassettes hold what passes on Bedrock's wire; {name} is not there.")
    return BedrockModel(which, region="us-east-1", keys=AwsKeys("lab", "lab"), endpoint_url=wire.url)
