"""Loads prompt files and renders them. A prompt's version is its name and the hash of its text, so that every run says
exactly which text it was made with. System prompts are Markdown; the embedded model's routing prompts are YAML."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, NamedTuple

from domain.errors import SetupError

HERE: Final = Path(__file__).parent
SYSTEM: Final = HERE / "system" / "v2.md"
SUMMARY: Final = HERE / "summary" / "v1.md"
READ_ONLY: Final = HERE / "read_only" / "v1.md"
ROUTING: Final = HERE / "routing" / "v4.yaml"

VARIABLES: Final = frozenset({"today", "weekday", "locale", "currency", "time_zone", "categories", "accounts", "facts"})
REQUIRED: Final = VARIABLES - {"weekday"}
"""Without these a system prompt would leave the model guessing about the person."""

Kind = Literal["system", "summary", "read_only", "routing"]

_TOOLS: Final = frozenset({"tools"})
_PLACE = re.compile(r"\{\{(.*?)\}\}")


class PromptError(SetupError):
    """A prompt file cannot be used; the message names the file and what is wrong in it."""

    code = "prompt"


class Rendered(NamedTuple):
    """A prompt's two parts: `constant` is the same for everybody and every day, byte for byte, so that providers keep
    what they read of it; `aside` is about the person and the day."""

    constant: str
    aside: str


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt text with `{{variable}}` places."""

    name: str
    text: str
    kind: Kind = "system"

    @property
    def version(self) -> str:
        """Name and content hash: "v1-3f9a1c20"."""
        return f"{self.name}-{hashlib.sha256(self.text.encode()).hexdigest()[:8]}"

    def render(self, values: Mapping[str, str]) -> Rendered:
        """The text with every variable put in; values are put in as they are and never rendered again. The part about
        the person begins with the paragraph of the first variable. Raises PromptError for a variable without value."""
        first = _PLACE.search(self.text)
        if first is None:
            return Rendered(self.text, "")
        missing = sorted({found[1] for found in _PLACE.finditer(self.text)} - values.keys())
        if missing:
            raise PromptError(f"The prompt {self.version} needs a value for {_places(missing)}.")
        split = self.text.rfind("\n\n", 0, first.start())
        aside = _PLACE.sub(lambda found: values[found[1]], self.text[max(split, 0) :])
        return Rendered(self.text[: max(split, 0)].rstrip(), aside.strip())


def load(
    path: Path = SYSTEM,
    *,
    kind: Kind = "system",
    known: frozenset[str] = VARIABLES,
    required: frozenset[str] = REQUIRED,
) -> Prompt:
    """The prompt in the file. Raises PromptError when it cannot be read, is empty, names a variable that is not
    `known`, or leaves out one that is `required`."""
    try:
        text = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise PromptError(f"The prompt file {path} cannot be read: {error}.") from None
    return checked(Prompt(path.stem, text, kind), f"The prompt file {path}", known=known, required=required)


def checked(
    prompt: Prompt, what: str, *, known: frozenset[str] = VARIABLES, required: frozenset[str] = REQUIRED
) -> Prompt:
    """The prompt, if this code can render it; `what` names it in the PromptError that is raised otherwise."""
    if not prompt.text:
        raise PromptError(f"{what} is empty.")
    used = {found[1] for found in _PLACE.finditer(prompt.text)}
    if unknown := sorted(used - known):
        raise PromptError(f"{what} uses {_places(unknown)}; known are {', '.join(sorted(known)) or 'none'}.")
    if missing := sorted(required - used):
        raise PromptError(f"{what} has no place for {_places(missing)}, which the model needs to know.")
    return prompt


def files(kind: Kind = "system") -> list[Path]:
    """The prompts of a kind that come with this code, by name."""
    return sorted((HERE / kind).glob(f"*{ROUTING.suffix if kind == 'routing' else SYSTEM.suffix}"))


def load_summary(path: Path = SUMMARY) -> Prompt:
    """The prompt by which older turns are summarized; it has no variables. Raises PromptError."""
    return load(path, kind="summary", known=frozenset(), required=frozenset())


def load_read_only(path: Path = READ_ONLY) -> Prompt:
    """What models that cannot call tools are told after the system prompt; it has no variables. Raises PromptError."""
    return load(path, kind="read_only", known=frozenset(), required=frozenset())


def load_routing(path: Path = ROUTING) -> Prompt:
    """The prompt by which the embedded model chooses a tool, as its file is written: YAML with a place for the tools
    (agent.local.routing reads it). It is the same for everybody. Raises PromptError."""
    return load(path, kind="routing", known=_TOOLS, required=_TOOLS)


def _places(names: list[str]) -> str:
    return ", ".join("{{" + name + "}}" for name in names)
