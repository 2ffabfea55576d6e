"""The chunks of the AI SDK's UI message stream v1 that Penny sends, as `ai` v6 and v7 read them."""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypedDict

HEADERS = {"x-vercel-ai-ui-message-stream": "v1", "x-accel-buffering": "no"}
DONE = b"data: [DONE]\n\n"


class Start(TypedDict):
    type: Literal["start"]
    messageId: str
    messageMetadata: NotRequired[dict[str, Any]]


class Step(TypedDict):
    type: Literal["start-step", "finish-step"]


class TextEdge(TypedDict):
    type: Literal["text-start", "text-end"]
    id: str


class TextMore(TypedDict):
    type: Literal["text-delta"]
    id: str
    delta: str


class ToolInputStart(TypedDict):
    type: Literal["tool-input-start"]
    toolCallId: str
    toolName: str
    title: str
    providerExecuted: NotRequired[bool]


class ToolInput(TypedDict):
    type: Literal["tool-input-available"]
    toolCallId: str
    toolName: str
    input: Any
    title: str
    providerExecuted: NotRequired[bool]


class ToolOutput(TypedDict):
    type: Literal["tool-output-available"]
    toolCallId: str
    output: Any
    providerExecuted: bool


class ToolError(TypedDict):
    type: Literal["tool-output-error"]
    toolCallId: str
    errorText: str
    providerExecuted: bool


class ToolDenied(TypedDict):
    type: Literal["tool-output-denied"]
    toolCallId: str


class ApprovalRequest(TypedDict):
    type: Literal["tool-approval-request"]
    approvalId: str
    toolCallId: str


class Data(TypedDict):
    type: Literal["data-chart", "data-proposal", "data-figures", "data-retracted"]
    id: str
    data: dict[str, Any]


class Metadata(TypedDict):
    type: Literal["message-metadata"]
    messageMetadata: dict[str, Any]


class Failed(TypedDict):
    type: Literal["error"]
    errorText: str


class Aborted(TypedDict):
    type: Literal["abort"]


FinishReason = Literal["stop", "length", "content-filter", "error", "other"]


class Finish(TypedDict):
    type: Literal["finish"]
    finishReason: FinishReason


Chunk = (
    Start
    | Step
    | TextEdge
    | TextMore
    | ToolInputStart
    | ToolInput
    | ToolOutput
    | ToolError
    | ToolDenied
    | ApprovalRequest
    | Data
    | Metadata
    | Failed
    | Aborted
    | Finish
)
