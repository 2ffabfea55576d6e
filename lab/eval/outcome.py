"""What came of a case: plain values that are stored as a line of JSON and read back."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from domain.errors import PennyError


@dataclass(frozen=True, slots=True)
class Called:
    """A tool call as it was made."""

    name: str
    args: dict[str, Any]
    ok: bool = True
    summary: str = ""


@dataclass(frozen=True, slots=True)
class StepResult:
    """One message and its reply, or one decision. `error` is why there is no reply, `away` whether that was no answer
    of the model's (throttled, out, too slow); `seconds` until it was whole."""

    user: str
    reply: str = ""
    calls: tuple[Called, ...] = ()
    proposals: tuple[dict[str, Any], ...] = ()
    figures: tuple[dict[str, Any], ...] = ()
    tokens_in: int = 0
    tokens_out: int = 0
    cost_usd: float | None = 0.0
    seconds: float = 0.0
    error: str = ""
    away: bool = False

    @classmethod
    def parse(cls, data: dict[str, Any]) -> StepResult:
        calls = tuple(Called(**call) for call in data.pop("calls"))
        rest: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in data.items()}
        return cls(calls=calls, **rest)


@dataclass(frozen=True, slots=True)
class Result:
    """One case, played once by one model with one prompt. It passed when `failures` is empty."""

    case: str
    prompt: str
    model: str
    repeat: int = 1
    tags: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()
    failures: tuple[str, ...] = ()
    steps: tuple[StepResult, ...] = ()
    fingerprint: str = ""
    marks: dict[str, int] = field(default_factory=dict)

    @property
    def passed(self) -> bool:
        return not self.failures

    @property
    def cell(self) -> tuple[str, str]:
        """The prompt and the model."""
        return self.prompt, self.model

    @property
    def key(self) -> tuple[str, str, str, int]:
        return self.prompt, self.model, self.case, self.repeat

    @property
    def seconds(self) -> float:
        return sum(step.seconds for step in self.steps)

    @property
    def tokens(self) -> int:
        return sum(step.tokens_in + step.tokens_out for step in self.steps)

    @property
    def cost_usd(self) -> float | None:
        """None when the price of a call is not known."""
        costs = [step.cost_usd for step in self.steps]
        return None if None in costs else float(sum(cost or 0.0 for cost in costs))

    def json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def parse(cls, data: dict[str, Any]) -> Result:
        """The inverse of `json`. Raises KeyError or TypeError for anything else."""
        steps = tuple(StepResult.parse(dict(step)) for step in data["steps"])
        listed = {name: tuple(data[name]) for name in ("tags", "tools", "failures")}
        return cls(**{**data, **listed, "steps": steps})


class EvalError(PennyError):
    """A run of cases cannot be made or compared; the message says what to do."""

    code = "eval"
    status = 422
