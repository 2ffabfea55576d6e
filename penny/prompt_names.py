"""Which prompt a name means: a file of one's own, or one that comes with this code, by name or version. A file's ending
tells its kind: .yaml is the embedded model's routing prompt, all others are system prompts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from agent.local import routing
from prompts import library
from prompts.library import Kind, Prompt

KINDS: Final[tuple[Kind, ...]] = ("system", "routing")


def in_use(kind: Kind) -> Prompt:
    """The prompt that this code uses."""
    return library.load_routing() if kind == "routing" else library.load()


def own(kinds: Sequence[Kind] = KINDS) -> list[Prompt]:
    """Those that come with this code, by kind and name."""
    return [at(path) for kind in kinds for path in library.files(kind)]


def at(path: Path) -> Prompt:
    """The prompt in the file, checked as it is when it is used. Raises PromptError."""
    if path.suffix in (".yaml", ".yml"):
        prompt = library.load_routing(path)
        routing.routing_of(prompt)
        return prompt
    return library.load(path)


def find(name: str, first: Kind = "system") -> Prompt | None:
    """By a path, by kind and name (routing/v3), or by a name or version alone: then one of the kind `first` goes before
    the others. Raises PromptError."""
    path = Path(name).expanduser()
    if path.is_file() or path.suffix in (".md", ".yaml", ".yml"):
        return at(path)
    known = own(sorted(KINDS, key=lambda kind: kind != first))
    return next((each for each in known if name in (each.name, each.version, titled(each), _whole(each))), None)


def names() -> str:
    """Those that come with this code, to be named in an error."""
    return ", ".join(map(titled, own()))


def titled(prompt: Prompt) -> str:
    """ "routing/v3"."""
    return f"{prompt.kind}/{prompt.name}"


def _whole(prompt: Prompt) -> str:
    return f"{prompt.kind}/{prompt.version}"
