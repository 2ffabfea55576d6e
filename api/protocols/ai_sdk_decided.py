"""Decisions on proposals as an AI SDK client sees them, right away and in a conversation that is loaded again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from api.conversation import Decided
from api.protocols.ai_sdk import approval_id, asking, output_of, tool_input
from api.protocols.ai_sdk_chunks import Chunk
from api.protocols.ai_sdk_request import Decision


def opening(decisions: Sequence[tuple[Decision, Decided]]) -> Iterator[Chunk]:
    """What became of each tool call that had asked for approval. A proposal that went stale is an error of its call,
    and what takes its place is a call of its own that asks again."""
    for decision, decided in decisions:
        proposal = decided.proposal
        yield {"type": "data-proposal", "id": proposal["id"], "data": {"call_id": decision.call_id, **proposal}}
        if decided.error is not None:
            yield {
                "type": "tool-output-error",
                "toolCallId": decision.call_id,
                "errorText": decided.error,
                "providerExecuted": True,
            }
        elif proposal["status"] == "applied":
            yield {
                "type": "tool-output-available",
                "toolCallId": decision.call_id,
                "output": _applied(proposal),
                "providerExecuted": True,
            }
        else:
            yield {"type": "tool-output-denied", "toolCallId": decision.call_id}
        if decided.renewed is not None:
            fresh, call_id = decided.renewed, f"again-{decided.renewed['id']}"
            yield from tool_input(call_id, fresh["kind"], fresh["text"], {"instead_of": proposal["id"]}, approves=True)
            yield from asking(call_id, fresh)


def sentences(decisions: Sequence[tuple[Decision, Decided]]) -> str:
    """The outcome in words, for clients that show only text."""
    return "\n\n".join(
        decided.error or f"{decided.proposal['status'].capitalize()}: {decided.proposal['text']}"
        for _, decided in decisions
    )


def whole(message_id: str, decisions: Sequence[tuple[Decision, Decided]]) -> Iterator[Chunk]:
    """The stream that only tells of decisions; it goes on with the client's own message."""
    yield {"type": "start", "messageId": message_id}
    yield from opening(decisions)
    yield {"type": "text-start", "id": "decision"}
    yield {"type": "text-delta", "id": "decision", "delta": sentences(decisions)}
    yield {"type": "text-end", "id": "decision"}
    yield {"type": "finish-step"}
    yield {"type": "finish", "finishReason": "stop"}


def ui_message(item: Mapping[str, Any], proposals: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    """A stored message as a UI message: `item` is of GET /v1/sessions/{id}/messages, `proposals` are by their ids."""
    text = [{"type": "text", "text": item["text"], "state": "done"}] if item["text"] else []
    if item["role"] == "user":
        return {"id": item["id"], "role": "user", "parts": text}
    parts: list[dict[str, Any]] = [{"type": "step-start"}]
    for tool in item["tools"]:
        parts += _tool_parts(tool, proposals.get(str(tool.get("proposal_id"))))
    parts += text
    if item["figures"]:
        parts.append({"type": "data-figures", "id": "figures", "data": {"figures": item["figures"]}})
    about = {"run_id": item["run_id"], "status": item.get("status")}
    return {"id": item["id"], "role": "assistant", "parts": parts, "metadata": about}


def _tool_parts(tool: Mapping[str, Any], proposal: dict[str, Any] | None) -> Iterator[dict[str, Any]]:
    part = {"type": f"tool-{tool['name']}", "toolCallId": tool["call_id"], "title": tool["label"], "input": {}}
    if proposal is not None:
        yield {"type": "data-proposal", "id": proposal["id"], "data": {"call_id": tool["call_id"], **proposal}}
        yield part | _state_of(proposal)
    elif tool["ok"]:
        output = output_of(tool["summary"], tool["facts"])
        yield part | {"state": "output-available", "output": output, "providerExecuted": True}
    else:
        yield part | {"state": "output-error", "errorText": tool["summary"], "providerExecuted": True}
    if tool["chart"]:
        yield {"type": "data-chart", "id": tool["call_id"], "data": {"call_id": tool["call_id"], **tool["chart"]}}


def _state_of(proposal: dict[str, Any]) -> dict[str, Any]:
    asked = {"id": approval_id(proposal)}
    match proposal["status"]:
        case "pending":
            return {"state": "approval-requested", "approval": asked}
        case "applied":
            answered = {"approval": asked | {"approved": True}, "providerExecuted": True}
            return {"state": "output-available", "output": _applied(proposal), **answered}
        case "rejected":
            return {"state": "output-denied", "approval": asked | {"approved": False}}
        case status:
            return {"state": "output-error", "errorText": f"This proposal is {status}.", "providerExecuted": True}


def _applied(proposal: dict[str, Any]) -> dict[str, Any]:
    status, journal_id = proposal["status"], proposal.get("journal_id")
    return output_of(f"Applied: {proposal['text']}", status=status, journal_id=journal_id, proposal_id=proposal["id"])
