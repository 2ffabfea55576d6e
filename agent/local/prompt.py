"""The routing prompt: a constant beginning, the same for every user and day, and then the message.

The beginning is a file of prompts/routing (agent.local.routing). The process keeps the state of having read it
(docs/local-model.md), so only the last message is ever read anew.
Periods and names stay in the user's words: the tools resolve them, so the prompt needs neither the date nor the
user's categories.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from agent.local.routing import Routing, Said

Role = dict[str, str]
"""A chat message as the runtime takes it: `{"role", "content"}`."""

EARLIER_MESSAGES = 6
EARLIER_CHARACTERS = 240
MESSAGE_CHARACTERS = 800


def _last(earlier: Sequence[Said], text: str) -> str:
    lines = ["Earlier:"] if earlier else []
    lines += [f"{said.who}: {_short(said.text, EARLIER_CHARACTERS)}" for said in earlier[-EARLIER_MESSAGES:]]
    return "\n".join([*lines, f"Message: {_short(text, MESSAGE_CHARACTERS)}"])


def _short(text: str, limit: int) -> str:
    """On one line, a table's rows as lists, cut in the middle: a message's end matters as much as its beginning."""
    rows = (re.sub(r"\s*\|\s*", ", ", row.strip().strip("|").strip()) for row in text.splitlines())
    line = " ".join(" ".join(row for row in rows if not re.fullmatch(r"[-:, ]*", row)).split())
    return line if len(line) <= limit else f"{line[: limit // 2]} … {line[-limit // 2 :]}"


def call(tool: str, args: Mapping[str, Any]) -> str:
    """A call as the model writes it: without spaces and with the tool for a key, as every token costs 50 ms."""
    return json.dumps({tool: args}, separators=(",", ":"))


def prefix(routing: Routing) -> list[Role]:
    """The constant messages that every prompt begins with: the text, and the examples as if they had been had."""
    roles = [{"role": "system", "content": routing.system}]
    for shown in routing.examples:
        roles.append({"role": "user", "content": _last(shown.earlier, shown.text)})
        roles.append({"role": "assistant", "content": call(shown.tool, shown.args)})
    return roles


def messages(earlier: Sequence[Said], text: str, routing: Routing) -> list[Role]:
    """The whole prompt for the user's message `text`; `earlier` is what was said before it, oldest first."""
    return [*prefix(routing), {"role": "user", "content": _last(earlier, text)}]
