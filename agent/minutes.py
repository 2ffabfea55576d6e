"""The text of summaries: what a model is given to write one from, what is kept of what it wrote, and one by code."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from memory.messages import Message, reply_text

LONGEST = 2_400
"""Characters of a summary."""

_SAID, _FOUND = 600, 300
_MARKUP = re.compile(r"!?\[([^\]]*)\]\([^)]*\)|<[^>]*>")
_HARMLESS = str.maketrans({"[": "(", "]": ")", "<": "‹", ">": "›", "`": "'"})


def transcript(before: str, turns: Iterable[Sequence[Message]]) -> str:
    """The minutes so far and the turns after them as lines; what tools said, which may quote others, stands in « »."""
    lines = [f"Minutes so far:\n{before}\n" if before else "There are no minutes yet.\n", "The turns after them:"]
    for turn in turns:
        lines += _lines(turn)
    return "\n".join(lines)


def _lines(turn: Sequence[Message]) -> Iterator[str]:
    first = turn[0]
    if first.role == "decision":
        yield f"decision: {_quoted(first.text, _FOUND)}"
        return
    if first.role == "notice":
        yield f"Penny, unasked: {_quoted(first.text, _SAID)}"
        return
    yield f"person: {_short(first.text, _SAID)}"
    for message in turn:
        if message.role == "tool":
            yield f"tool {message.body['name']}: {_quoted(message.body.get('summary', ''), _FOUND)}"
    yield f"Penny: {_short(reply_text(turn), _SAID) or '(no answer)'}"


def tidy(text: str) -> str:
    """A model's summary in one paragraph, its lines apart by " • ", without what would make a link, an image or a tag,
    and cut at a line when it is too long."""
    plain = _MARKUP.sub(r"\1", text).translate(_HARMLESS).replace("://", ": //")
    lines = [" ".join(line.split()).removeprefix("- ") for line in plain.splitlines()]
    return _fitting([line for line in lines if line])


def by_code(before: str, turns: Sequence[Sequence[Message]]) -> str:
    """A summary without a model: what was asked, and the first line of what the tools said, the newest kept."""
    lines = [line for line in before.split(" • ") if line]
    for turn in turns:
        if turn[0].role in ("decision", "notice"):
            lines.append(_quoted(turn[0].text, 120))
            continue
        found = next((m.body.get("summary", "") for m in reversed(turn) if m.role == "tool"), reply_text(turn))
        lines.append(f"asked “{_short(turn[0].text, 100)}”, told {_quoted(found.partition(chr(10))[0], 140)}")
    lines = [line.translate(_HARMLESS) for line in lines]
    while len(lines) > 1 and len(" • ".join(lines)) > LONGEST:
        del lines[0]
    return " • ".join(lines)[:LONGEST]


def _fitting(lines: list[str]) -> str:
    while len(lines) > 1 and len(" • ".join(lines)) > LONGEST:
        lines = lines[:-1]
    return " • ".join(lines)[:LONGEST]


def _short(text: str, longest: int) -> str:
    line = " ".join(text.split())
    return line if len(line) <= longest else f"{line[: longest - 1]}…"


def _quoted(text: str, longest: int) -> str:
    """Text that may be others' words, in marks that it cannot close itself."""
    return f"«{_short(text.replace('«', '‹').replace('»', '›'), longest)}»"
