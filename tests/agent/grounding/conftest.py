"""What tools told of the sample household on Sunday, November 22, 2026, as stored results; and what is known by it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from agent.grounding.facts import Known

TODAY = date(2026, 11, 22)
RESULTS: dict[str, Any] = json.loads((Path(__file__).parent / "facts.json").read_text(encoding="utf-8"))

Knows = Callable[..., Known]


def known(
    *results: str,
    said: Sequence[str] = (),
    locale: str = "en-US",
    currency: str = "USD",
    more: Sequence[dict[str, Any]] = (),
    told: bool = False,
) -> Known:
    """What a conversation knows in which tools gave these results; with `told` the tools' own sentences too."""
    facts = [fact for name in results for fact in RESULTS[name]["facts"]]
    return Known.of(
        [*facts, *more],
        today=TODAY,
        locale=locale,
        currency=currency,
        categories=RESULTS["_names"]["categories"],
        accounts=RESULTS["_names"]["accounts"],
        said=said,
        summaries=[RESULTS[name]["summary"] for name in results] if told else (),
    )


@pytest.fixture(name="known")
def known_() -> Knows:
    return known


@pytest.fixture
def results() -> dict[str, Any]:
    """The results by name, each `{"tool", "args", "summary", "facts"}`."""
    return {name: result for name, result in RESULTS.items() if name != "_names"}
