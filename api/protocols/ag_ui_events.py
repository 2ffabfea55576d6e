"""AG-UI events that are made in more than one place, and how each is sent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson
from ag_ui.core import (
    PROTOCOL_VERSION,
    ActivityMessage,
    ActivitySnapshotEvent,
    BaseEvent,
    Interrupt,
    RunFinishedEvent,
    RunFinishedInterruptOutcome,
    RunFinishedSuccessOutcome,
    RunStartedEvent,
    TokenUsage,
)


def begun(thread_id: str, run_id: str, about: dict[str, Any]) -> RunStartedEvent:
    """The first event of every stream."""
    return RunStartedEvent(
        thread_id=thread_id, run_id=run_id, protocol_version=PROTOCOL_VERSION, metadata={"penny": about}
    )


def state(proposals: Sequence[dict[str, Any]] = ()) -> dict[str, Any]:
    """The state at the beginning of a stream; what the reply makes is added to it."""
    return {"proposals": list(proposals), "charts": [], "figures": []}


def shown(made: ActivityMessage) -> ActivitySnapshotEvent:
    """An activity as an event."""
    return ActivitySnapshotEvent(message_id=made.id, activity_type=made.activity_type, content=made.content)


def finished(
    thread_id: str,
    run_id: str,
    pending: Sequence[Interrupt],
    usage: list[TokenUsage] | None = None,
    metadata: dict[str, Any] | None = None,
) -> RunFinishedEvent:
    """The end: with what waits for the user, if anything does."""
    outcome = RunFinishedInterruptOutcome(interrupts=list(pending)) if pending else RunFinishedSuccessOutcome()
    return RunFinishedEvent(thread_id=thread_id, run_id=run_id, outcome=outcome, usage=usage, metadata=metadata)


def known(about: dict[str, Any]) -> dict[str, Any] | None:
    """Penny's metadata, of what is known."""
    known = {key: value for key, value in about.items() if value is not None}
    return {"penny": known} if known else None


def replaced(path: str, value: Any) -> dict[str, Any]:
    return {"op": "replace", "path": path, "value": value}


def more(message_id: str, text: str) -> bytes:
    """TextMessageContentEvent without a model for each piece of text."""
    event = {"type": "TEXT_MESSAGE_CONTENT", "messageId": message_id, "delta": text}
    return b"data: " + orjson.dumps(event) + b"\n\n"


def frame(event: BaseEvent) -> bytes:
    """The event as it is sent. Lines end in LF: the client splits on nothing else."""
    return f"data: {event.model_dump_json(by_alias=True)}\n\n".encode()
