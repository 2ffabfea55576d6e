"""Loads prompt files and renders them. A prompt's version is its name and the hash of its text, so that every run says
exactly which text it was made with."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from domain.errors import SetupError

SYSTEM = Path(__file__).parent / "system" / "v1.md"

VARIABLES = frozenset({"today", "weekday", "locale", "currency", "time_zone", "categories", "accounts"})


class PromptError(SetupError):
    """A prompt file cannot be used; the message names the file and what is wrong in it."""

    code = "prompt"


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt text with `{{variable}}` places."""

    name: str
    text: str

    @property
    def version(self) -> str:
        """Name and content hash: "v1-3f9a1c20"."""
        return f"{self.name}-{hashlib.sha256(self.text.encode()).hexdigest()[:8]}"

    def render(self, values: Mapping[str, str]) -> str:
        """The text with every variable put in; values are put in as they are and never rendered again."""
        return re.sub(r"\{\{(\w+)\}\}", lambda found: values[found[1]], self.text)


def load(path: Path = SYSTEM) -> Prompt:
    """The prompt in the file. Raises PromptError when it cannot be read, is empty, or names an unknown variable."""
    try:
        text = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise PromptError(f"The prompt file {path} cannot be read: {error}.") from None
    if not text:
        raise PromptError(f"The prompt file {path} is empty.")
    unknown = sorted(set(re.findall(r"\{\{(.*?)\}\}", text)) - VARIABLES)
    if unknown:
        raise PromptError(
            f"The prompt file {path} uses {', '.join('{{' + u + '}}' for u in unknown)}; known are "
            f"{', '.join(sorted(VARIABLES))}."
        )
    return Prompt(path.stem, text)
