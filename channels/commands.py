"""The few words that a chat understands by itself: linking, and deciding where there are no buttons."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Literal

Verb = Literal["link", "unlink", "yes", "no", "pending", "new", "allow", "forbid"]

_YES = "yes|y|ok|apply|confirm|ja|übernehmen|oui|appliquer|sí|si|vale|aplicar|نعم|أجل|موافق"
_NO = "no|n|reject|cancel|nein|ablehnen|non|refuser|rechazar|لا"
"""In the languages of channels/texts, all of them in every chat: none means the opposite in another, and people answer
in whichever they like."""

_COMMANDS: tuple[tuple[Verb, re.Pattern[str]], ...] = (
    ("link", re.compile(r"/?(?:link|start)\s+([a-z0-9]{6,12})", re.I)),
    ("unlink", re.compile(r"/?unlink", re.I)),
    ("yes", re.compile(rf"¡?(?:{_YES})(?:\s+([a-z]\d))?[.!]?", re.I)),
    ("no", re.compile(rf"¡?(?:{_NO})(?:\s+([a-z]\d))?[.!]?", re.I)),
    ("pending", re.compile(r"/?(?:pending|proposals)\??", re.I)),
    ("new", re.compile(r"/?new(?:\s+(?:chat|conversation))?", re.I)),
    ("allow", re.compile(r"/?allow money talk", re.I)),
    ("forbid", re.compile(r"/?forbid money talk", re.I)),
)

_DIGITS = str.maketrans("٠١٢٣٤٥٦٧٨٩", "0123456789")


@dataclass(frozen=True, slots=True)
class Command:
    """A command with its code, in capitals; "" without one."""

    verb: Verb
    code: str = ""


def understood(text: str) -> Command | None:
    """The command that the whole text is, or None: then it is something to say to Penny."""
    said = unicodedata.normalize("NFKC", text).strip().translate(_DIGITS)
    for verb, pattern in _COMMANDS:
        if found := pattern.fullmatch(said):
            return Command(verb, (found[1] or "").upper() if pattern.groups else "")
    return None
