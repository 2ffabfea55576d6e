"""The ids of AG-UI messages and calls: the same while a reply streams and when its conversation is shown again, and
unique in a conversation even where a model's own names of calls repeat from turn to turn."""

from __future__ import annotations

from typing import Any


def step_id(reply_id: str, step: int) -> str:
    """The assistant message of the so-many-th step of a reply."""
    return f"{reply_id}.{step}"


def call_id(reply_id: str, call: str) -> str:
    """A tool call of a reply."""
    return f"{reply_id}:{call}"


def result_id(call: str) -> str:
    """The tool message that answers the call `call_id` names."""
    return f"{call}:result"


def chart_id(call: str) -> str:
    """The activity that shows the call's chart."""
    return f"{call}:chart"


def proposal_id(proposal: dict[str, Any]) -> str:
    """The activity that shows a proposal."""
    return f"proposal:{proposal['id']}"


def decision_id(proposal: str) -> str:
    """The assistant message that says what became of a proposal."""
    return f"decision:{proposal}"


def interrupt_id(proposal: dict[str, Any]) -> str:
    """What a client answers: the proposal by its id and hash, so that a decision names exactly what was shown."""
    return f"{proposal['id']}.{proposal['hash']}"
