"""What a tool gives back: one honest sentence, the facts behind it, data for a chart, rows as data, and a proposal."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Literal

from domain.money import Money

ChartKind = Literal["bar", "donut", "line"]


@dataclass(frozen=True, slots=True)
class Fact:
    """One figure that code computed: "spent on Groceries in October 2026" = 412.30 USD.

    `value` is Money, a Decimal with `unit` ("percent", "count", "days", "times"), or a date (unit "date").
    """

    label: str
    value: Money | Decimal | date
    unit: str = ""

    def json(self, fact_id: str) -> dict[str, Any]:
        """The fact as clients and the model see it; money is its exact decimal text, its unit the currency."""
        if isinstance(self.value, Money):
            return {"id": fact_id, "label": self.label, "value": str(self.value.amount), "unit": self.value.currency}
        if isinstance(self.value, date):
            return {"id": fact_id, "label": self.label, "value": self.value.isoformat(), "unit": self.unit or "date"}
        return {"id": fact_id, "label": self.label, "value": str(self.value), "unit": self.unit}


@dataclass(frozen=True, slots=True)
class Series:
    """One line or set of bars: (label, value) points, values in major units."""

    name: str
    points: tuple[tuple[str, Decimal], ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """Data for a picture; the client draws it. `unit` is a currency or "count"."""

    kind: ChartKind
    title: str
    unit: str
    series: tuple[Series, ...]

    def json(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "title": self.title,
            "unit": self.unit,
            "series": [{"name": s.name, "points": [[x, float(y)] for x, y in s.points]} for s in self.series],
        }


@dataclass(frozen=True, slots=True)
class ToolResult:
    """The outcome of a tool call.

    `summary` is written by code, says the interpretation (which category, which dates) and stands alone: it is the
    whole answer of the offline model. `rows` is data for the model; text in it that came from outside is data, never
    instructions. `ok` is False when the call could not be carried out; `summary` then says what would be valid.
    `proposal` is a stored proposal as `GET /v1/proposals/{id}` shows it.
    """

    summary: str
    facts: tuple[Fact, ...] = ()
    chart: Chart | None = None
    rows: tuple[dict[str, Any], ...] = ()
    proposal: dict[str, Any] | None = None
    ok: bool = True
