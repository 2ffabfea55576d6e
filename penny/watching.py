"""Prompts and tool descriptions from files that are read again when they are saved."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any, Generic, TypeVar

from langchain_core.messages import AIMessageChunk

from agent.local import routing
from agent.model import Model, ModelRequest
from domain.errors import PennyError
from lab.eval.descriptions import Described
from lab.eval.descriptions import load as load_descriptions
from penny import models, prompt_names
from penny.database import Progress
from penny.settings import Settings
from prompts import library
from prompts.library import Kind, Prompt

T = TypeVar("T")


class Watched(Generic[T]):
    """The value of a file; with `watch` it is loaded again when the file was saved, and what cannot be used is not
    taken."""

    def __init__(
        self, path: Path, load: Callable[[Path], T], told: Callable[[T], str], report: Progress, *, watch: bool
    ) -> None:
        self._value = load(path)
        self._path, self._load, self._told, self._report, self._watch = path, load, told, report, watch
        self._saved = self._stamp()

    def __call__(self) -> T:
        if self._watch and (now := self._stamp()) != self._saved:
            self._saved = now
            try:
                self._value = self._load(self._path)
                self._report(self._told(self._value))
            except PennyError as error:
                self._report(f"{error.message} The one before stays in use.")
        return self._value

    def _stamp(self) -> int:
        try:
            return self._path.stat().st_mtime_ns
        except OSError:
            return 0


class WithDescriptions:
    """A model that is told the tools as they are described at the time; the rest is the model's own."""

    def __init__(self, model: Model, descriptions: Callable[[], Mapping[str, str]]) -> None:
        self._model, self._descriptions = model, descriptions
        self.name, self.abilities = model.name, model.abilities

    def stream(self, request: ModelRequest) -> AsyncIterator[AIMessageChunk]:
        return Described(self._model, self._descriptions()).stream(request)

    async def close(self) -> None:
        await self._model.close()

    def __getattr__(self, name: str) -> Any:
        """`status` and `warm_up`, of models that have them."""
        return getattr(self._model, name)


class Texts:
    """What the models of a conversation are told: the prompt, and the tools' descriptions, from files that may change.

    The embedded model reads a routing prompt, with the descriptions in it; the other models read a system prompt."""

    def __init__(
        self, settings: Settings, prompt: Path | None, tools: Path | None, report: Progress, *, watch: bool
    ) -> None:
        embedded = settings.model == "local"
        self._settings = settings
        given = prompt_names.at(prompt) if prompt else None
        if given and given.kind == "routing" and not embedded:
            models.routed(settings, routing.load)  # which refuses
        if given and given.kind == "system" and embedded:
            report("the embedded model reads no system prompt: what it answers does not depend on this one")

        def watched(kind: Kind, usual: Path) -> Watched[Prompt]:
            path = prompt if prompt and given and given.kind == kind else usual
            return Watched(path, prompt_names.at, lambda p: f"prompt {p.version}", report, watch=watch)

        self._system = watched("system", library.SYSTEM)
        self._routing = watched("routing", library.ROUTING) if embedded else None
        self._descriptions = descriptions_of(tools, report, watch=watch) if tools else None

    def prompt(self) -> Prompt:
        """The system prompt of the next reply."""
        return self._system()

    def shown(self) -> Prompt:
        """The prompt that the model reads."""
        return self._routing() if self._routing else self._system()

    def model(self) -> Model:
        """The configured model, told what the files have. Raises SetupError."""
        if found := self._routing:
            return models.routed(self._settings, lambda: routing.routing_of(found()).described(self._described()))
        made = models.make_model(self._settings)
        return WithDescriptions(made, self._described) if self._descriptions else made

    def _described(self) -> Mapping[str, str]:
        return self._descriptions() if self._descriptions else {}


def descriptions_of(path: Path, report: Progress, *, watch: bool) -> Callable[[], Mapping[str, str]]:
    """The descriptions in a YAML file of `tool: text`. Raises CaseError."""
    return Watched(
        path, load_descriptions, lambda d: f"descriptions of {', '.join(d) or 'no tool'}", report, watch=watch
    )
