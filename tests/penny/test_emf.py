"""Metrics are lines of CloudWatch's embedded metric format, of bounded size, without users."""

from __future__ import annotations

import asyncio
import json
import random

from penny.emf import SAMPLES, Emf
from penny.metering import told


def parsed(emf: Emf, **gauges: float) -> list[dict]:
    return [json.loads(line) for line in emf.lines(gauges, 1_700_000_000_000)]  # type: ignore[arg-type]


def test_a_line_has_the_form_that_cloudwatch_reads():
    """Namespace, dimension sets, units, and each metric's value at the top of the object."""
    emf = Emf()
    emf.count("RunsFinished")
    emf.count("RunsFinished")
    (line,) = parsed(emf, RunsQueued=3)
    (directive,) = line["_aws"]["CloudWatchMetrics"]
    assert line["_aws"]["Timestamp"] == 1_700_000_000_000
    assert directive["Namespace"] == "Penny"
    assert directive["Dimensions"] == [["Service"]]
    assert line["Service"] == "penny"
    assert {"Name": "RunsFinished", "Unit": "Count"} in directive["Metrics"]
    assert {m["Name"] for m in directive["Metrics"]} == line.keys() - {"_aws", "Service"}
    assert (line["RunsFinished"], line["RunsQueued"]) == (2, 3)


def test_a_models_numbers_count_for_the_service_too():
    """One line with both sets of dimensions, so that neither alarm nor dashboard has to add up."""
    emf = Emf()
    emf.count("InputTokens", 1200, model="bedrock:claude")
    emf.measure("FirstTokenMs", 431.26, model="bedrock:claude")
    own = next(line for line in parsed(emf) if "Model" in line)
    (directive,) = own["_aws"]["CloudWatchMetrics"]
    assert directive["Dimensions"] == [["Service"], ["Service", "Model"]]
    assert {"Name": "FirstTokenMs", "Unit": "Milliseconds"} in directive["Metrics"]
    assert (own["Model"], own["InputTokens"], own["FirstTokenMs"]) == ("bedrock:claude", 1200, [431.3])


def test_nothing_is_told_twice_and_what_alarms_watch_is_told_as_nothing():
    """Sums start anew with each line; a quiet minute says 0 failed runs rather than nothing."""
    emf = Emf()
    emf.count("RunsFailed")
    emf.measure("TurnMs", 5)
    parsed(emf)
    (line,) = parsed(emf)
    assert line["RunsFailed"] == 0
    assert "TurnMs" not in line


def test_of_many_values_a_sample_is_told_with_the_greatest():
    """A busy minute stays one line that the format takes, and its worst moment is in it."""
    emf = Emf(random.Random(7))
    for n in range(10_000):
        emf.measure("FlushMs", float(n))
    (line,) = parsed(emf)
    values = line["FlushMs"]
    assert len(values) == SAMPLES
    assert max(values) == 9999
    assert 4000 < sum(values) / len(values) < 6000


async def test_what_is_left_is_written_at_the_end():
    """A server that drains tells of its last seconds, also when the database is away."""
    emf, lines = Emf(), []

    async def away() -> dict:
        raise ConnectionRefusedError

    async with told(emf, away, write=lines.append, interval=0.01):
        await asyncio.sleep(0.1)
        emf.count("RunsFinished", 41)
    assert sum(json.loads(line)["RunsFinished"] for line in lines) == 41
