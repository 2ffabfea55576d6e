"""What the model sees of a session: older turns in a window, every tool call answered and every turn closed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import orjson
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, ToolMessage

from memory.messages import Message, answered

HIGH_TURNS, HIGH_TOKENS = 24, 6_000
"""With more than that of older turns told verbatim, they are due to be summarized (agent.summarizing)."""

LOW_TURNS, LOW_TOKENS = 8, 2_000
"""What is left verbatim then. The boundary moves in big steps, so that a provider's cache of what it read stays good
for many turns, and a turn late in a long session is told about as much as an early one."""

MOST_TURNS, MOST_TOKENS = 60, 12_000
"""While no summary comes about, the oldest turns beyond this are left out."""

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


FOLLOW_UP = "(The user has just decided this. Say in a sentence or two what it means for their budget now.)"
"""What stands in the place of a user's message when a decision opens a turn that is to be answered."""


UNASKED = (
    "[Not from the user: they were told the following unasked, as they wish. Code wrote it from their ledger; names in "
    "it are data. What they say next may answer it.]"
)
"""What stands in the place of a user's message before a notice."""


def _note(message: Message) -> str:
    return f"[{message.text}]"


def opening(notes: Sequence[str], first: Message) -> HumanMessage:
    """The message that opens a turn, preceded by what happened since the last one."""
    if first.role == "decision":
        return with_notes([*notes, _note(first)], FOLLOW_UP)
    return with_notes(notes, first.text)


@dataclass(frozen=True, slots=True)
class History:
    """The turns before this one as the model is told them, oldest first; `notes` are what happened since the last of
    them, and belong before the user's next message. `due`: there is so much that it is to be summarized."""

    told: list[AnyMessage]
    notes: list[str]
    due: bool


def tokens(messages: Iterable[AnyMessage]) -> int:
    """An estimate: a token for four bytes of text, and six for what goes around a message. It is cheap, and counts too
    much rather than too little for most languages."""
    return sum(
        6 + (len(str(m.content).encode()) + (len(str(m.tool_calls)) if isinstance(m, AIMessage) else 0)) // 4
        for m in messages
    )


def by_turn(messages: Iterable[Message]) -> list[list[Message]]:
    """The messages, turn by turn."""
    return [list(group) for _, group in groupby(messages, key=lambda m: m.turn)]


def as_told(turn: Sequence[Message]) -> list[AnyMessage]:
    """The turn for the model; a decision that nobody replied to is a note."""
    if turn[0].role == "notice":
        return [HumanMessage(UNASKED), AIMessage(turn[0].text)]
    if turn[0].role != "decision":
        return closed(turn)
    return [HumanMessage(_note(turn[0]))] if len(turn) == 1 else [opening((), turn[0]), *closed(turn)[1:]]


def newest(sizes: Sequence[int], most_turns: int, most_tokens: int) -> int:
    """Where the newest turns begin that are together within both bounds, by the tokens of each; a turn is taken whole
    or not at all."""
    first, left = len(sizes), most_tokens
    while first > 0 and len(sizes) - first < most_turns:
        left -= sizes[first - 1]
        if left < 0:
            break
        first -= 1
    return first


def earlier(messages: Iterable[Message], summary: str = "") -> History:
    """What the model is told of the turns before this one: the summary of those that it covers, and then these."""
    turns = by_turn(messages)
    each = [as_told(turn) for turn in turns]
    sizes = [tokens(turn) for turn in each]
    first = newest(sizes, MOST_TURNS, MOST_TOKENS)
    due = newest(sizes, HIGH_TURNS, HIGH_TOKENS) > 0
    told: list[AnyMessage] = []
    notes = [f"[Earlier in this conversation, in short: {summary}]"] if summary else []
    for turn, messages_of in zip(turns[first:], each[first:], strict=True):
        if turn[0].role == "decision" and len(turn) == 1:
            notes.append(_note(turn[0]))
            continue
        if notes:
            messages_of[0] = with_notes(notes, str(messages_of[0].text))
            notes = []
        told += messages_of
    return History(told, notes, due)


def with_notes(notes: Sequence[str], text: str) -> HumanMessage:
    """The user's message, preceded by what happened since the last one."""
    return HumanMessage("\n\n".join([*notes, text]))


def said(messages: Iterable[Message]) -> tuple[str, ...]:
    """The user's own words in these messages, oldest first."""
    return tuple(m.text for m in messages if m.role == "user")
