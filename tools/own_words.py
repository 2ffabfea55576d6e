"""Whether a sentence is the user's own: every word that says something occurs in one message of theirs.

A model may shorten and turn "my" into "their", and no more: nothing that a tool, a memo or an imported file said can be
remembered as if the user had said it, and what the user denied is not remembered as said.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, TypeVar

from tools.names import plain

T = TypeVar("T")

_SAYS_NOTHING: Final = frozenset(
    [
        *("a", "an", "the", "i", "im", "ive", "id", "ill", "me", "my", "mine", "myself", "we", "our", "ours", "us"),
        *("you", "your", "yours", "he", "his", "she", "her", "hers", "they", "them", "their", "theirs", "it", "its"),
        *("this", "that", "these", "those", "user", "users", "person", "persons", "who", "is", "are", "am", "was"),
        *("were", "be", "been", "being", "has", "have", "had", "having", "do", "does", "did", "will", "would"),
        *("of", "to", "in", "on", "at", "for", "from", "by", "with", "and", "as", "so", "s", "t"),
    ]
)
_DENIES: Final = frozenset(
    [
        *("not", "no", "never", "none", "nobody", "nothing", "neither", "nor", "without", "dont", "doesnt", "didnt"),
        *("isnt", "arent", "wasnt", "werent", "cant", "cannot", "couldnt", "wont", "wouldnt", "havent", "hasnt"),
        *("shouldnt", "nicht", "kein", "keine", "keinen", "nie", "non", "pas", "jamais", "nunca", "nao"),
    ]
)


def source(text: str, said: Iterable[tuple[T, str]]) -> T | None:
    """The first of the messages, `(id, text)`, that bears the text out; None when none does."""
    wanted = [word for word in plain(text).split() if word not in _SAYS_NOTHING]
    if not set(wanted) - _DENIES:
        return None
    return next((message for message, words in said if _bears_out(set(wanted), words)), None)


def _bears_out(wanted: set[str], message: str) -> bool:
    sentences = [plain(sentence).split() for sentence in re.split(r"[.!?;\n]+|,\s+(?:but|and)\s", message)]
    there = {word for sentence in sentences for word in sentence}
    if not all(any(_same(word, other) for other in there) for word in wanted):
        return False
    meant = wanted - _DENIES
    for sentence in sentences:
        speaks_of_it = any(_same(word, other) for word in meant for other in sentence)
        denied = _DENIES.intersection(sentence[1:] if sentence[:1] == ["no"] else sentence)
        if speaks_of_it and denied and not wanted & _DENIES:
            return False
    return True


def _same(word: str, other: str) -> bool:
    """Equal but for an ending: "gets" and "get", "paying" and "pay"; figures are equal or not."""
    if word == other:
        return True
    short, long = sorted((word, other), key=len)
    return len(short) >= 3 and long.startswith(short) and long[len(short) :] in ("s", "es", "d", "ed", "ing")
