"""Metrics as CloudWatch's embedded metric format: a line of JSON for each set of dimensions, once an interval.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field

import orjson

from domain.metrics import Counter, Gauge, Measured

NAMESPACE = "Penny"
SERVICE = "penny"
SAMPLES = 100
"""The most values that the format takes for one metric on one line."""

ALWAYS: tuple[Counter, ...] = ("RunsFinished", "RunsFailed", "LeaseTakeovers", "RunsHandedOver", "ReadersDropped")
"""Told as 0 too, so that an alarm can tell silence from a process that is gone."""

UNITS = {
    **dict.fromkeys(("FirstTokenMs", "TurnMs", "FlushMs", "DatabasePoolWaitMs"), "Milliseconds"),
    **dict.fromkeys(("QueueAgeSeconds", "OutboxAgeSeconds"), "Seconds"),
    "CostUsd": "None",
}
"""All others are counts."""

Dimensions = tuple[tuple[str, str], ...]


@dataclass
class Sample:
    """At most SAMPLES of the values that came, each as likely as any other, and the greatest of all."""

    chance: random.Random
    seen: int = 0
    values: list[float] = field(default_factory=list)
    greatest: float = 0.0

    def add(self, value: float) -> None:
        """One more value."""
        self.seen += 1
        self.greatest = max(self.greatest, value)
        if len(self.values) < SAMPLES - 1:
            self.values.append(value)
        elif (place := int(self.chance.random() * self.seen)) < SAMPLES - 1:
            self.values[place] = value

    def told(self) -> list[float]:
        """The values; of more than fit, the greatest is always among them."""
        whole = self.seen == len(self.values)
        return [round(value, 1) for value in (self.values if whole else [*self.values, self.greatest])]


class Emf:
    """The metrics of this process since they were last told."""

    def __init__(self, chance: random.Random | None = None) -> None:
        self._chance = chance or random.Random()  # noqa: S311 - a sample, no secret
        self._sums: dict[Dimensions, dict[str, float]] = {}
        self._samples: dict[Dimensions, dict[str, Sample]] = {}

    def count(self, name: Counter, by: float = 1, *, model: str = "", channel: str = "") -> None:
        sums = self._sums.setdefault(_dimensions(model, channel), {})
        sums[name] = sums.get(name, 0) + by

    def measure(self, name: Measured, milliseconds: float, *, model: str = "") -> None:
        samples = self._samples.setdefault(_dimensions(model, ""), {})
        sample = samples.get(name)
        if sample is None:
            sample = samples[name] = Sample(self._chance)
        sample.add(milliseconds)

    def lines(self, gauges: Mapping[Gauge, float], milliseconds: int) -> list[bytes]:
        """The lines to write at this time (since 1970), and everything starts anew."""
        sums, samples = self._sums, self._samples
        self._sums, self._samples = {}, {}
        plain = sums.setdefault((), {})
        for name in ALWAYS:
            plain.setdefault(name, 0)
        lines = []
        for dimensions in {**sums, **samples}:
            values: dict[str, float | list[float]] = {}
            values |= {name: round(value, 6) for name, value in sums.get(dimensions, {}).items()}
            values |= {name: sample.told() for name, sample in samples.get(dimensions, {}).items()}
            if not dimensions:
                values |= {name: round(value, 3) for name, value in gauges.items()}
            lines.append(_line(dimensions, values, milliseconds))
        return lines


def _dimensions(model: str, channel: str) -> Dimensions:
    return (*((("Model", model),) if model else ()), *((("Channel", channel),) if channel else ()))


def _line(dimensions: Dimensions, values: Mapping[str, float | list[float]], milliseconds: int) -> bytes:
    """One line; what has dimensions of its own is counted for the service as a whole too."""
    names = [name for name, _ in dimensions]
    directive = {
        "Namespace": NAMESPACE,
        "Dimensions": [["Service"], *([["Service", *names]] if names else [])],
        "Metrics": [{"Name": name, "Unit": UNITS.get(name, "Count")} for name in values],
    }
    return orjson.dumps(
        {
            "_aws": {"Timestamp": milliseconds, "CloudWatchMetrics": [directive]},
            "Service": SERVICE,
            **dict(dimensions),
            **values,
        }
    )
