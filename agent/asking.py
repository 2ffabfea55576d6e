"""One step of the model: asked, asked again where that helps, and brought into the form that is stored.

Asked again: once without the older half of the history when it is too long, once after an empty reply, and twice to go
on where a reply was cut off. What cannot be had so ends in an outcome that the user sees, stored as the message's
`outcome`: `cut`, `empty`, `refused`, `filtered` or `guardrail`.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, cast

from langchain_core.messages import AIMessage, AIMessageChunk, AnyMessage, HumanMessage

from agent import snapshot
from agent.events import Event, TextDelta
from agent.history import clean, clean_json
from agent.model import ContextTooLong, Model, ModelRequest, ModelUnavailable
from agent.parts import Parts
from agent.thinking import recalled, thoughts
from agent.turn import TurnContext, from_results, joint
from memory.messages import Message
from memory.runs import Tokens
from tools import catalog

MAX_CONTINUED = 2

NO_WORDS = "I have no answer to that. Could you put it another way?"
REFUSED = "I cannot help with that. I can answer questions about your budget and propose changes to it."
CUT = "(The answer was cut off here because it became too long.)"
STOPPED = "(The answer was stopped here by a content rule.)"

_NUDGE = "(No reply has come. Answer the message above, in words.)"
_GO_ON = "(The reply was cut off by its length limit. Go on exactly where it stopped; repeat nothing.)"
_CALL_AGAIN = (
    "(Cut off by the length limit before anything was complete; no tool has run. Call again, shorter, or answer.)"
)

_CUT_OFF = {"max_tokens", "model_context_window_exceeded", "malformed_tool_use", "malformed_model_output"}
_OUTCOMES = {"refusal": "refused", "content_filtered": "filtered", "guardrail_intervened": "guardrail"}
"""Endings after which no call runs and what was asked is not told to the model again (agent.history)."""


@dataclass
class _Step:
    """What has come of the step so far. `further` follows the turn's messages when the model is asked again."""

    earlier: Sequence[AnyMessage]
    further: tuple[AnyMessage, ...] = ()
    text: str = ""
    continued: int = 0
    nudged: bool = False
    shrunk: bool = False


async def ask(ctx: TurnContext, messages: Sequence[Message], write: Callable[[Event], None]) -> Message:
    """The model's next message of the turn, streamed as it comes. Raises what models raise."""
    step = _Step(ctx.earlier)
    before, voice = joint(messages), ctx.voice(messages)

    def say(text: str) -> None:
        write(TextDelta(text if step.text else before + text))
        step.text += text

    def hear(text: str) -> None:
        if spoken := voice.hear(text):
            say(spoken)

    while True:
        try:
            whole = await _reply(ctx, messages, step, hear)
        except ContextTooLong:
            if step.shrunk or step.text or voice.held or not step.earlier:
                raise
            step.shrunk, step.earlier = True, later_half(step.earlier)
            continue
        stop = str(whole.response_metadata.get("stopReason", ""))
        goes_on = stop in _CUT_OFF - {"model_context_window_exceeded"} and step.continued < MAX_CONTINUED
        if not goes_on and (rest := voice.rest()):
            say(rest)
        if outcome := _OUTCOMES.get(stop):
            if not step.text:
                say(REFUSED)
            elif outcome != "guardrail":  # whose own words are the text
                say(f"\n\n{STOPPED}")
            return _message(whole, step.text, outcome=outcome)
        if stop in _CUT_OFF:
            if goes_on:
                step.continued += 1
                heard = step.text + voice.held
                said = (AIMessage(heard),) if heard else ()
                step.further = (*said, HumanMessage(_GO_ON if str(whole.text) else _CALL_AGAIN))
                continue
            if not step.text:
                raise ModelUnavailable("The model's answer was cut off before it was complete. Please try again.")
            say(f"\n\n{CUT}")
            return _message(whole, step.text, outcome="cut")
        made = _calls(whole, {call["id"] for m in messages for call in m.tool_calls})
        if made or step.text:
            return _message(whole, step.text, made)
        if not step.nudged:
            step.nudged, step.further = True, (HumanMessage(_NUDGE),)
            continue
        say(from_results(messages) or NO_WORDS)
        return _message(whole, step.text, outcome="empty")


async def _reply(
    ctx: TurnContext, messages: Sequence[Message], step: _Step, hear: Callable[[str], None]
) -> AIMessageChunk:
    """One call of the model. Raises ModelUnavailable when nothing at all came."""
    parts = Parts()
    async with aclosing(
        cast("AsyncGenerator[AIMessageChunk, None]", ctx.model.stream(_request(ctx, messages, step)))
    ) as chunks:
        async for chunk in chunks:
            parts.add(chunk)
            if text := clean(str(chunk.text)):
                hear(text)
    whole = parts.whole()
    ctx.count(tokens_of(whole), priced_as(whole, ctx.model))
    return whole


def _request(ctx: TurnContext, messages: Sequence[Message], step: _Step) -> ModelRequest:
    turn = [ctx.opening, *map(recalled, messages[1:]), *step.further]
    if ctx.model.abilities.tools:
        return ModelRequest(ctx.system, ctx.situation, step.earlier, turn, catalog.specs(), ctx.aside)
    room = ctx.model.abilities.context * 2 - len(ctx.system) - len(ctx.aside)  # two characters a token, to be sure
    turn = snapshot.with_figures(turn, messages, room)
    return ModelRequest(snapshot.system(ctx.system), ctx.situation, snapshot.plain(step.earlier), turn, (), ctx.aside)


def later_half(earlier: Sequence[AnyMessage]) -> list[AnyMessage]:
    """The later half of the turns; nothing of a single one."""
    starts = [n for n, message in enumerate(earlier) if isinstance(message, HumanMessage)]
    return list(earlier[starts[(len(starts) + 1) // 2] :]) if len(starts) > 1 else []


def _message(
    whole: AIMessageChunk, text: str, calls: list[dict[str, Any]] | None = None, outcome: str | None = None
) -> Message:
    """The stored form. Thinking is kept with calls only: the model wants it back with their results, and not later."""
    body: dict[str, Any] = {"outcome": outcome} if outcome else {}
    if calls:
        body["tool_calls"] = calls
        if bad := len(whole.invalid_tool_calls):
            body["unreadable"] = [call["id"] for call in calls[-bad:]]
        if kept := thoughts(whole):
            body["thinking"] = kept
    if answered_by := whole.response_metadata.get("answered_by"):
        body["model"] = answered_by
    return Message("assistant", text, body)


def _calls(whole: AIMessageChunk, taken: set[str]) -> list[dict[str, Any]]:
    """The calls as stored, those that are no JSON object last. One whose id is `taken` by an earlier call of the turn
    (a model whose ids start over in another process) gets another."""
    calls: list[dict[str, Any]] = [
        {"id": call["id"] or f"call_{n}", "name": call["name"], "args": clean_json(call["args"])}
        for n, call in enumerate(whole.tool_calls, 1)
    ]
    calls += [
        {"id": call["id"] or f"bad_{n}", "name": call["name"] or "unknown", "args": {}}
        for n, call in enumerate(whole.invalid_tool_calls, 1)
    ]
    for n, call in enumerate(calls, 1):
        if call["id"] in taken:
            call["id"] = f"{call['id']}_{len(taken) + n}"
        taken = taken | {call["id"]}
    return calls


def priced_as(whole: AIMessage, model: Model) -> str:
    """The name by which agent.capabilities knows the price of what answered."""
    about = whole.response_metadata
    return str(about.get("priced_as") or about.get("answered_by") or model.name)


def tokens_of(whole: AIMessage) -> Tokens:
    usage = whole.usage_metadata
    if usage is None:
        return Tokens()
    details: Mapping[str, Any] = usage.get("input_token_details") or {}

    def of(name: str) -> int:
        return int(details.get(name) or 0)

    hour = of("ephemeral_1h_input_tokens")
    # Where Bedrock tells how long it keeps what it wrote, LangChain tells it so, and 0 as their sum.
    read, written = of("cache_read"), of("cache_creation") + of("ephemeral_5m_input_tokens") + hour
    return Tokens(usage["input_tokens"] - read - written, usage["output_tokens"], read, written, hour)
