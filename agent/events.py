"""The events of a run: a closed union of small frozen dataclasses. A wire is an encoder over these, nothing else."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True)
class RunStarted:
    """The run begins; `message_id` is the reply's."""

    type: ClassVar[str] = "run.started"
    run_id: str
    session_id: str
    message_id: str
    model: str
    prompt_version: str


@dataclass(frozen=True, slots=True)
class RunResumed:
    """Another process (or a restarted one) took the run over; this is its `attempt`-th owner."""

    type: ClassVar[str] = "run.resumed"
    attempt: int


@dataclass(frozen=True, slots=True)
class TextDelta:
    """More text of the reply."""

    type: ClassVar[str] = "text.delta"
    text: str


@dataclass(frozen=True, slots=True)
class TextRetracted:
    """Of the reply so far only the first `keep` characters (Unicode code points) stand."""

    type: ClassVar[str] = "text.retracted"
    keep: int


@dataclass(frozen=True, slots=True)
class ToolStarted:
    """A tool call begins; `label` says it in words for people ("Looking at October groceries")."""

    type: ClassVar[str] = "tool.started"
    call_id: str
    name: str
    label: str
    args: dict[str, Any]


@dataclass(frozen=True, slots=True)
class ToolFinished:
    """A tool call ended; `facts` are the figures it found, each `{id, label, value, unit}`."""

    type: ClassVar[str] = "tool.finished"
    call_id: str
    name: str
    ok: bool
    summary: str
    facts: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class ChartMade:
    """Data for a chart: `series` is `[{name, points: [[x, y]]}]`."""

    type: ClassVar[str] = "chart"
    call_id: str
    kind: str
    title: str
    unit: str
    series: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class ProposalMade:
    """A proposal waits for the user's decision: `proposal` is as GET /v1/proposals/{id} shows it."""

    type: ClassVar[str] = "proposal"
    call_id: str
    proposal: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Grounding:
    """Which figures of the final reply are backed by which fact; offsets in code points of the final reply."""

    type: ClassVar[str] = "grounding"
    figures: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of the whole run, as the model's provider counted them."""

    type: ClassVar[str] = "usage"
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    cost_usd: float | None = None


@dataclass(frozen=True, slots=True)
class RunFinished:
    """The reply is complete; `text` is authoritative. `outcome` says how it fell short, if it did (agent.asking);
    `model` which model answered, if another than the run started with."""

    type: ClassVar[str] = "run.finished"
    message_id: str
    text: str
    outcome: str | None = None
    model: str | None = None


@dataclass(frozen=True, slots=True)
class RunFailed:
    """The run ended without a reply; nothing internal is in `message`. `retry_after`: seconds that the model's provider
    asks to wait."""

    type: ClassVar[str] = "run.failed"
    code: str
    message: str
    retryable: bool
    retry_after: float | None = None


@dataclass(frozen=True, slots=True)
class RunCancelled:
    """The user stopped the run."""

    type: ClassVar[str] = "run.cancelled"


Event = (
    RunStarted
    | RunResumed
    | TextDelta
    | TextRetracted
    | ToolStarted
    | ToolFinished
    | ChartMade
    | ProposalMade
    | Grounding
    | Usage
    | RunFinished
    | RunFailed
    | RunCancelled
)

TERMINAL = (RunFinished, RunFailed, RunCancelled)

_LEFT_OUT = {"cost_usd", "outcome", "model", "retry_after"}
"""Fields that are not told when there is nothing to tell."""

_BY_TYPE: dict[str, type[Any]] = {kind.type: kind for kind in Event.__args__}


def data_of(event: Event) -> dict[str, Any]:
    """The event's data as clients get it: a proposal's fields stand beside `call_id`, an unknown cost is left out."""
    if isinstance(event, ProposalMade):
        return {"call_id": event.call_id, **event.proposal}
    if isinstance(event, TextDelta):
        return {"text": event.text}
    return {name: value for name, value in asdict(event).items() if value is not None or name not in _LEFT_OUT}


def event_of(kind: str, data: dict[str, Any]) -> Event:
    """The inverse of `data_of`."""
    if kind == ProposalMade.type:
        return ProposalMade(data["call_id"], {k: v for k, v in data.items() if k != "call_id"})
    cls = _BY_TYPE[kind]
    names = {f.name for f in fields(cls)}
    event: Event = cls(**{k: v for k, v in data.items() if k in names})
    return event
