"""Replies for messaging apps: markdown as a few kinds of blocks, written in an app's dialect, split at its limit.

Replies quote merchants and memos, and apps fetch what they can preview: so addresses are never passed on. A link keeps
its words; a bare address is left out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from markdown_it import MarkdownIt
from markdown_it.token import Token

LEFT_OUT = "(link left out)"
_ADDRESS = re.compile(
    r"(?:[a-z][a-z0-9+.-]*://|(?<![a-z])www\.|(?<![a-z])(?:mailto|tel|data):|javascript:)\S+", re.IGNORECASE
)
"""Also behind a figure or an underscore: apps look for addresses within words."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """How an app writes. `escape` makes plain text safe; the others get escaped text. `table` gets the rows of a table,
    heading first, as plain cells, and gives finished text."""

    escape: Callable[[str], str]
    bold: Callable[[str], str]
    italic: Callable[[str], str]
    code: Callable[[str], str]
    table: Callable[[Sequence[Sequence[str]]], str]
    bullet: str = "• "


def as_lines(rows: Sequence[Sequence[str]]) -> str:
    """A table for narrow screens: a line for each row, its first cell before a colon."""
    return "\n".join(f"{row[0]}: {', '.join(cell for cell in row[1:] if cell)}" for row in rows[1:])


def aligned(rows: Sequence[Sequence[str]]) -> str:
    """A table in columns for a fixed-width font; columns that look like figures are flush right."""
    widths = [max(len(row[n]) for row in rows) for n in range(len(rows[0]))]
    figures = [all(re.search(r"\d", row[n]) or not row[n] for row in rows[1:]) for n in range(len(rows[0]))]
    lines = (
        "  ".join(
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(row, widths, figures, strict=True)
        ).rstrip()
        for row in rows
    )
    return "\n".join(lines)


def without_addresses(text: str) -> str:
    """The text with every address left out."""
    return _ADDRESS.sub(LEFT_OUT, text)


def write(text: str, dialect: Dialect) -> list[str]:
    """The blocks of a markdown text in the app's dialect: paragraphs, list items with their bullets, tables, code."""
    return [block for block in _blocks(_reader().parse(text), dialect) if block.strip()]


def split(blocks: Sequence[str], limit: int) -> list[str]:
    """The blocks in messages of at most `limit` characters, broken between blocks, else lines, sentences, words."""
    messages: list[str] = []
    for block in blocks:
        joint = "\n" if messages and _is_item(block) and _is_item(messages[-1].rpartition("\n")[2]) else "\n\n"
        if messages and len(messages[-1]) + len(joint) + len(block) <= limit:
            messages[-1] += joint + block
        else:
            messages += _cut(block, limit)
    return messages


def _is_item(line: str) -> bool:
    return bool(re.match(r"\s*(•|-|\d+\.) ", line))


def _cut(block: str, limit: int) -> Iterator[str]:
    while len(block) > limit:
        room = block[:limit]
        at = max(room.rfind("\n"), 0) or max(room.rfind(". ") + 1, 0) or max(room.rfind(" "), 0) or limit
        yield block[:at].rstrip()
        block = block[at:].lstrip()
    if block:
        yield block


@cache
def _reader() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"]).disable(["image"])


def _blocks(tokens: Sequence[Token], dialect: Dialect) -> Iterator[str]:
    lists: list[int | None] = []  # the numbers of the lists we are in; None for one with bullets
    mark = ""
    at = 0
    while at < len(tokens):
        token = tokens[at]
        match token.type:
            case "bullet_list_open":
                lists.append(None)
            case "ordered_list_open":
                lists.append(int(token.attrGet("start") or 1))
            case "bullet_list_close" | "ordered_list_close":
                lists.pop()
            case "list_item_open":
                number = lists[-1]
                mark = "  " * (len(lists) - 1) + (dialect.bullet if number is None else f"{number}. ")
                if number is not None:
                    lists[-1] = number + 1
            case "inline":
                heading = tokens[at - 1].type == "heading_open"
                words = _words(token.children or [], dialect)
                yield mark + (dialect.bold(words) if heading else words)
                mark = ""
            case "fence" | "code_block":
                yield dialect.escape(without_addresses(token.content.rstrip()))
            case "table_open":
                rows, at = _table(tokens, at)
                yield dialect.table(rows)
        at += 1


def _table(tokens: Sequence[Token], at: int) -> tuple[list[list[str]], int]:
    rows: list[list[str]] = []
    while tokens[at].type != "table_close":
        if tokens[at].type == "tr_open":
            rows.append([])
        elif tokens[at].type == "inline":
            cell = "".join(child.content for child in tokens[at].children or [] if child.content)
            rows[-1].append(without_addresses(cell))
        at += 1
    return rows, at


def _words(tokens: Sequence[Token], dialect: Dialect) -> str:
    """Inline text. Emphasis is written when it closes, so that marks always come in pairs."""
    open_: list[list[str]] = [[]]
    for token in tokens:
        match token.type:
            case "text":
                open_[-1].append(dialect.escape(without_addresses(token.content)))
            case "code_inline":
                open_[-1].append(dialect.code(dialect.escape(without_addresses(token.content))))
            case "softbreak" | "hardbreak":
                open_[-1].append("\n")
            case "strong_open" | "em_open":
                open_.append([])
            case "strong_close" | "em_close":
                inner = "".join(open_.pop())
                open_[-1].append(dialect.bold(inner) if token.type == "strong_close" else dialect.italic(inner))
    return "".join("".join(level) for level in open_)


def _as_it_is(text: str) -> str:
    return text


PLAIN = Dialect(_as_it_is, _as_it_is, _as_it_is, _as_it_is, as_lines, "- ")
"""No marks at all, for SMS and for programs."""
