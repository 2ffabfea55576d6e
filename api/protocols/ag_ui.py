"""AG-UI 1.0, from the events of a run.

A step of the reply is an assistant message with its text and its tool calls. Charts and proposals are activities where
they belong in the conversation, and in the state too, for clients that show no activities. A proposal that waits for
the user makes the run end with an interrupt, which blocks nothing here. Withdrawn text is shown as it now stands, by a
snapshot of all messages, for this wire can take nothing back.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from ag_ui.core import (
    ActivityMessage,
    AssistantMessage,
    BaseEvent,
    Interrupt,
    Message,
    MessagesSnapshotEvent,
    RunErrorEvent,
    RunFinishedCancelledOutcome,
    RunFinishedEvent,
    StateDeltaEvent,
    StateSnapshotEvent,
    StepFinishedEvent,
    StepStartedEvent,
    TextMessageEndEvent,
    TextMessageStartEvent,
    TokenUsage,
    ToolCall,
    ToolCallArgsEvent,
    ToolCallEndEvent,
    ToolCallResultEvent,
    ToolCallStartEvent,
    ToolMessage,
)

from agent import events as ev
from api.protocols import ag_ui_names as names
from api.protocols.ag_ui_events import begun, finished, frame, known, more, replaced, shown, state
from api.protocols.ag_ui_history import (
    CHART,
    PROPOSAL,
    activity,
    interrupt,
    result_content,
    tool_call,
    tool_message,
)

History = Callable[[], Awaitable[list[Message]]]


@dataclass(frozen=True, slots=True)
class Rewritten:
    """The messages of this reply are now these: a snapshot of the whole conversation has to say so."""

    reply: list[Message]


@dataclass
class _Text:
    """What one assistant message says, and where in the reply it begins."""

    message_id: str
    start: int
    text: str


@dataclass
class Encoder:
    """Events of one run in, AG-UI events out, under the client's own `thread_id` and `run_id`.

    With `started` the stream has begun already; `about` goes with its beginning. `pending` is what the end asks the
    user about. With `again` the end shows all messages once more, for a client that may have missed some.
    """

    thread_id: str
    run_id: str
    started: bool = False
    again: bool = False
    about: dict[str, Any] = field(default_factory=dict)
    pending: list[Interrupt] = field(default_factory=list)
    _reply_id: str = ""
    _reply: str = ""
    _model: str = ""
    _step: int = 1
    _answered: bool = False
    _open: _Text | None = None
    _made: list[_Text | tuple[str, ToolCall] | ToolMessage | ActivityMessage] = field(default_factory=list)
    _labels: dict[str, str] = field(default_factory=dict)
    _usage: list[TokenUsage] | None = None

    def encode(self, event: ev.Event) -> Iterator[BaseEvent | bytes | Rewritten]:
        """The events that the event becomes, in order; more text comes as a frame already."""
        match event:
            case ev.TextDelta():
                yield from self._say(event.text)
            case ev.RunStarted():
                yield from self._start(event)
            case ev.TextRetracted():
                yield from self._retract(event.keep)
            case ev.ToolStarted():
                yield from self._call(event)
            case ev.ToolFinished():
                yield from self._result(event)
            case ev.ChartMade():
                chart = {"kind": event.kind, "title": event.title, "unit": event.unit, "series": event.series}
                made = activity(names.chart_id(self._call_id(event.call_id)), CHART, chart)
                yield from self._show(made, "/charts/-")
            case ev.ProposalMade():
                if event.proposal["status"] == "pending":
                    self.pending.append(interrupt(event.proposal, self._call_id(event.call_id)))
                made = activity(names.proposal_id(event.proposal), PROPOSAL, event.proposal)
                yield from self._show(made, "/proposals/-")
            case ev.Grounding():
                yield StateDeltaEvent(delta=[replaced("/figures", [self._figure(f) for f in event.figures])])
            case ev.Usage():
                self._usage = [self._tokens(event)]
            case ev.RunFinished():
                yield from self._close()
                if self._reply != event.text:
                    yield self._instead(event.text)
                elif self.again:
                    yield Rewritten(self.messages())
                about = known({"outcome": event.outcome, "model": event.model})
                yield finished(self.thread_id, self.run_id, self.pending, self._usage, about)
            case ev.RunFailed():
                yield from self._close()
                advice = known({"retryable": event.retryable, "retryAfter": event.retry_after})
                yield RunErrorEvent(message=event.message, code=event.code, metadata=advice, usage=self._usage)
            case ev.RunCancelled():
                yield from self._close()
                yield RunFinishedEvent(
                    thread_id=self.thread_id,
                    run_id=self.run_id,
                    outcome=RunFinishedCancelledOutcome(),
                    usage=self._usage,
                )

    def _start(self, event: ev.RunStarted) -> Iterator[BaseEvent]:
        self._reply_id, self._model = event.message_id, event.model
        if not self.started:
            about = {"runId": event.run_id, "sessionId": event.session_id, "model": event.model}
            yield begun(self.thread_id, self.run_id, about | self.about)
            yield StateSnapshotEvent(snapshot=state())

    def _say(self, text: str) -> Iterator[BaseEvent | bytes]:
        """More of the reply. What separates a step's text from the one before is the message's own edge here."""
        start = len(self._reply)
        self._reply += text
        if self._open is None:
            shown = text.lstrip("\n")
            if not shown:
                return
            self._next_step()
            message_id = names.step_id(self._reply_id, self._step)
            self._open = _Text(message_id, start + len(text) - len(shown), "")
            self._made.append(self._open)
            yield TextMessageStartEvent(message_id=message_id, role="assistant")
            text = shown
        self._open.text += text
        yield more(self._open.message_id, text)

    def _next_step(self) -> None:
        if self._answered:
            self._step += 1
            self._answered = False

    def _call(self, event: ev.ToolStarted) -> Iterator[BaseEvent]:
        yield from self._close_text()
        self._next_step()
        call, parent = self._call_id(event.call_id), names.step_id(self._reply_id, self._step)
        made = tool_call(call, event.name, event.args)
        self._made.append((parent, made))
        label, taken = event.label, set(self._labels.values())
        while label in taken:
            label += " …"
        self._labels[call] = label
        yield StepStartedEvent(step_name=label)
        yield ToolCallStartEvent(tool_call_id=call, tool_call_name=event.name, parent_message_id=parent)
        yield ToolCallArgsEvent(tool_call_id=call, delta=made.function.arguments)
        yield ToolCallEndEvent(tool_call_id=call)

    def _result(self, event: ev.ToolFinished) -> Iterator[BaseEvent]:
        self._answered = True
        call = self._call_id(event.call_id)
        made = tool_message(call, result_content(event.ok, event.summary, event.facts))
        self._made.append(made)
        yield ToolCallResultEvent(message_id=made.id, tool_call_id=call, content=made.content, role="tool")
        if label := self._labels.pop(call, None):
            yield StepFinishedEvent(step_name=label)

    def _show(self, made: ActivityMessage, place: str) -> Iterator[BaseEvent]:
        self._made.append(made)
        yield shown(made)
        yield StateDeltaEvent(delta=[{"op": "add", "path": place, "value": made.content}])

    def _retract(self, keep: int) -> Iterator[BaseEvent | Rewritten]:
        yield from self._close_text()
        self._reply = self._reply[:keep]
        for text in [one for one in self._made if isinstance(one, _Text)]:
            text.text = text.text[: max(0, keep - text.start)]
            if not text.text:
                self._made.remove(text)
        yield Rewritten(self.messages())

    def _instead(self, text: str) -> Rewritten:
        """The whole reply at once, where what was streamed adds up to something else."""
        self._made = [one for one in self._made if not isinstance(one, _Text)]
        self._next_step()
        self._made.append(_Text(names.step_id(self._reply_id, self._step), 0, text))
        return Rewritten(self.messages())

    def messages(self) -> list[Message]:
        """The messages of this reply as they now stand."""
        steps: dict[str, AssistantMessage] = {}
        out: list[Message] = []
        for one in self._made:
            if isinstance(one, ToolMessage | ActivityMessage):
                out.append(one)
                continue
            step_id = one.message_id if isinstance(one, _Text) else one[0]
            if step_id not in steps:
                steps[step_id] = AssistantMessage(id=step_id)
                out.append(steps[step_id])
            if isinstance(one, _Text):
                steps[step_id].content = (steps[step_id].content or "") + one.text
            else:
                steps[step_id].tool_calls = [*(steps[step_id].tool_calls or ()), one[1]]
        return out

    def _close_text(self) -> Iterator[BaseEvent]:
        if self._open is not None:
            yield TextMessageEndEvent(message_id=self._open.message_id)
            self._open = None

    def _close(self) -> Iterator[BaseEvent]:
        yield from self._close_text()
        for label in self._labels.values():
            yield StepFinishedEvent(step_name=label)
        self._labels = {}

    def _call_id(self, call: str) -> str:
        return names.call_id(self._reply_id, call)

    def _figure(self, figure: dict[str, Any]) -> dict[str, Any]:
        """The figure with its place in the message that holds it; places are code points."""
        for one in self._made:
            if isinstance(one, _Text) and one.start <= figure["start"] < one.start + len(one.text):
                place = {"start": figure["start"] - one.start, "end": figure["end"] - one.start}
                return figure | place | {"messageId": one.message_id}
        return figure

    def _tokens(self, used: ev.Usage) -> TokenUsage:
        read = used.input_tokens + used.cache_read_tokens + used.cache_write_tokens
        return TokenUsage(
            model=self._model,
            input_tokens=read,
            output_tokens=used.output_tokens,
            total_tokens=read + used.output_tokens,
            cached_input_tokens=used.cache_read_tokens,
            cache_write_input_tokens=used.cache_write_tokens,
        )


async def frames(
    events: AsyncGenerator[ev.Event, None], encoder: Encoder, history: History, before: Sequence[BaseEvent] = ()
) -> AsyncGenerator[bytes, None]:
    """The stream of a run, after the events `before`. `history` gives the messages before this reply, for snapshots.
    Closing this closes `events`."""
    for event in before:
        yield frame(event)
    async with aclosing(events):
        async for happened in events:
            for made in encoder.encode(happened):
                if isinstance(made, bytes):
                    yield made
                elif isinstance(made, Rewritten):
                    yield frame(MessagesSnapshotEvent(messages=[*await history(), *made.reply]))
                else:
                    yield frame(made)
