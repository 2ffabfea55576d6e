"""How a run went, in numbers: a line of the log and its metrics, once it is over."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

import structlog

from domain.metrics import Metrics
from memory.runs import Claim, End, Tokens

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Ended:
    """Of this process's attempt: the seconds until its end and until its first word; of the whole run: what it used."""

    status: End
    code: str | None
    model: str
    seconds: float
    first_token: float | None
    used: Tokens
    cost: Decimal | None


def tell(how: Ended, claim: Claim, metrics: Metrics) -> None:
    """No word of anybody's is in it."""
    model = how.model
    if how.status == "finished":
        metrics.count("RunsFinished")
    elif how.status == "failed":
        metrics.count("RunsFailed")
    metrics.measure("TurnMs", how.seconds * 1000, model=model)
    if how.first_token is not None:
        metrics.measure("FirstTokenMs", how.first_token * 1000, model=model)
    metrics.count("InputTokens", how.used.input, model=model)
    metrics.count("OutputTokens", how.used.output, model=model)
    metrics.count("CacheReadTokens", how.used.cache_read, model=model)
    if how.cost is not None:
        metrics.count("CostUsd", float(how.cost), model=model)
    log.info(
        "run.ended",
        run_id=str(claim.run_id),
        attempt=claim.attempt,
        status=how.status,
        code=how.code,
        model=model,
        turn_ms=round(how.seconds * 1000),
        first_token_ms=None if how.first_token is None else round(how.first_token * 1000),
        input_tokens=how.used.input,
        output_tokens=how.used.output,
        cost_usd=None if how.cost is None else float(how.cost),
    )
