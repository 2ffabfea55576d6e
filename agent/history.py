"""What the model sees of a session: older turns in a window, every tool call answered and every turn closed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any

import orjson
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, ToolMessage

from memory.messages import Message, answered

WINDOW_TURNS = 20
"""Older turns are given verbatim up to this many."""

WINDOW_CHARACTERS = 32_000
"""And up to this much text, the newest first; a turn is given whole or not at all."""

NO_ANSWER = "(This turn ended without an answer.)"
WITHHELD = "(What was said here was stopped by a content rule and is left out.)"
STOPPED = {"refused", "filtered", "guardrail"}
"""Outcomes after which the turn's words are not told to a model again: they would stop every later answer too."""

NO_RESULT = '{"summary": "This call did not finish."}'

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def clean(text: str) -> str:
    """Text that PostgreSQL and UTF-8 can hold: NUL and lone surrogates become U+FFFD."""
    return _UNSTORABLE.sub("\ufffd", text)


def clean_json(value: Any) -> Any:
    """The JSON value with every text in it clean."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, dict):
        return {clean(str(k)): clean_json(v) for k, v in value.items()}
    return [clean_json(v) for v in value] if isinstance(value, list) else value


def to_langchain(message: Message) -> AnyMessage:
    """One stored message as LangChain has it. Decisions are not messages to a model: see `earlier`."""
    if message.role == "assistant":
        return AIMessage(message.text, tool_calls=message.tool_calls)
    if message.role == "tool":
        return ToolMessage(message.text, tool_call_id=message.body["call_id"], name=message.body["name"])
    return HumanMessage(message.text)


def closed(turn: Sequence[Message]) -> list[AnyMessage]:
    """A past turn for the model: results without their rows, calls without a result answered, an answer at the end."""
    if turn[-1].body.get("outcome") in STOPPED:
        return [HumanMessage(WITHHELD), AIMessage(turn[-1].text)]
    results = {m.body["call_id"]: m for m in turn if m.role == "tool"}
    out: list[AnyMessage] = []
    for message in turn:
        if message.role == "tool":
            continue
        if message.role == "assistant" and not message.text and not message.tool_calls:
            continue
        out.append(to_langchain(message))
        for call in message.tool_calls:
            result = results.get(call["id"])
            content = _brief(result) if result else NO_RESULT
            out.append(ToolMessage(content, tool_call_id=call["id"], name=call["name"]))
    if not answered(turn[-1]) or isinstance(out[-1], HumanMessage | ToolMessage):
        out.append(AIMessage(NO_ANSWER))
    return out


def _brief(result: Message) -> str:
    return orjson.dumps({"summary": result.body.get("summary", ""), "facts": result.body.get("facts", [])}).decode()


def _note(message: Message) -> str:
    return f"[{message.text}]"


def earlier(messages: Iterable[Message]) -> tuple[list[AnyMessage], list[str]]:
    """The window of past turns, oldest first; and the decisions taken since the last of them, as notes that belong
    before the user's next message."""
    turns = [list(group) for _, group in groupby(messages, key=lambda m: m.turn)]
    budget, first = WINDOW_CHARACTERS, len(turns)
    for turn in reversed(turns):
        budget -= sum(len(m.text) for m in turn if m.role != "tool") + sum(
            len(m.body.get("summary", "")) for m in turn if m.role == "tool"
        )
        if budget < 0:
            break
        first -= 1
    out: list[AnyMessage] = []
    notes: list[str] = []
    for turn in turns[first:]:
        if turn[0].role == "decision":
            notes.append(_note(turn[0]))
            continue
        told = closed(turn)
        told[0] = with_notes(notes, str(told[0].text))
        notes = []
        out += told
    return out, notes


def with_notes(notes: Sequence[str], text: str) -> HumanMessage:
    """The user's message, preceded by what happened since the last one."""
    return HumanMessage("\n\n".join([*notes, text]))


def said(messages: Iterable[Message]) -> tuple[str, ...]:
    """The user's own words in these messages, oldest first."""
    return tuple(m.text for m in messages if m.role == "user")
