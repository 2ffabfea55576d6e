"""Runs of cases in this process: what is played, what is left, and what goes on later."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from domain.errors import PennyError
from lab import cases as case_files
from lab.bedrock_emulator import BedrockEmulator, Turn
from lab.eval.scores import compare_runs
from lab.eval.store import Recorded, Store
from lab.report import terminal
from penny import evaluating
from penny.settings import Settings

CLAUDE = "bedrock:us.anthropic.claude-sonnet-4-5-20250929-v1:0"
NAMES = ("one", "two", "three")


@pytest.fixture
def cases(tmp_path: Path) -> str:
    """A file of three greetings."""
    path = tmp_path / "cases.yaml"
    path.write_text(
        "given: {household: empty}\ncases:\n"
        + "".join(
            f"- {{name: {name}, about: A greeting., user: hello {name}, expect: {{words: [good day]}}}}\n"
            for name in NAMES
        )
    )
    return str(path)


def options(**chosen: Any) -> dict[str, Any]:
    """As the command gives them."""
    usual = {"cases": None, "case": [], "tag": [], "prompt": [], "tools": [], "model": [], "replay": False}
    usual |= {"cassettes": None, "record": None, "judge": None, "personas": None}
    return {**usual, "repeat": 1, "seed": 0, **chosen}


@pytest.fixture
def run(lab_settings: Settings, tmp_path: Path) -> Callable[..., Any]:
    """Plays: `await run(options, resume=None, tokens=None)`."""

    async def play(
        chosen: Mapping[str, Any], *, resume: str | None = None, tokens: int | None = None, jobs: int | None = None
    ) -> Recorded:
        limits = evaluating.Limits(jobs, tokens)
        store = Store(tmp_path / "evals")
        recorded, _ = await evaluating.run(
            lab_settings, store, chosen, limits, resume=resume, quiet=True, report=lambda _: None
        )
        return recorded

    return play


async def test_a_run_that_ran_out_of_money_goes_on_later(
    run: Callable[..., Any], cases: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No case begins once the budget is spent; gone on with, the run does what is left and nothing twice."""
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    async with BedrockEmulator(lambda _: Turn("Good day.")) as emulator:
        monkeypatch.setenv("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", emulator.url)
        first = await run(options(cases=cases, model=[CLAUDE], repeat=2), tokens=1, jobs=1)
        asked = emulator.state.requests
        again = await run({}, resume=first.header.id)

    assert (len(first.results), asked) == (1, 1)
    assert {result.key for result in first.results} < {result.key for result in again.results}
    assert sorted((result.case, result.repeat) for result in again.results) == sorted(
        (name, nth) for name in NAMES for nth in (1, 2)
    )
    assert all(result.passed and result.tokens for result in again.results)


async def test_a_script_is_one_sequence_of_turns(run: Callable[..., Any], cases: str, tmp_path: Path) -> None:
    """Its cases are played one after another, in their order, whatever is asked at once."""
    script = tmp_path / "script.json"
    script.write_text(json.dumps([{"text": "Good day."}, {"text": "Go away."}]))
    recorded = await run(options(cases=cases, model=[f"scripted:{script}"]), jobs=8)
    assert [(r.case, r.failures) for r in recorded.results] == [
        ("one", ()),
        ("two", ("the reply does not say 'good day'",)),
        ("three", ("the reply does not say 'good day'",)),
    ]


async def test_nothing_of_a_case_stays(run: Callable[..., Any], cases: str, lab_database: str) -> None:
    """The users whom the cases were played as are gone, with all they had."""
    import asyncpg

    await run(options(cases=cases, model=["mute"]))
    connection = await asyncpg.connect(lab_database, server_settings={"search_path": "penny"})
    try:
        assert await connection.fetchval("SELECT count(*) FROM identity WHERE issuer = 'penny-eval'") == 0
    finally:
        await connection.close()


async def test_the_terminal_tells_scores_failures_and_what_changed(run: Callable[..., Any], cases: str) -> None:
    """A line for each cell and each failure; two runs that differ in nothing have no verdict."""
    first, second = [await run(options(cases=cases, model=["mute"])) for _ in range(2)]
    console = Console(record=True, width=160, highlight=False)
    terminal.show(first, console)
    told = console.export_text()
    assert "0 of 3" in told
    assert "✗ two: the reply does not say 'good day'" in told
    [(before, after, found)] = compare_runs(first, second)
    assert "0 better, 0 worse of 3 cases; sign test p = 1.000" in terminal.told(before, after, found)


@pytest.mark.parametrize(
    ("chosen", "says"),
    [
        ({"case": ["no-such-case"]}, "None of the"),
        ({"tag": ["no-such-tag"]}, "their tags are accounts, ambiguity,"),
        ({"cases": "nowhere.yaml"}, "nowhere.yaml cannot be read"),
        ({"prompt": ["v99"], "model": ["ideal"]}, "There is no prompt 'v99'"),
        ({"model": ["local", "ideal", "scripted:x"]}, "in a run of its own"),
    ],
)
async def test_what_cannot_be_played_is_said(run: Callable[..., Any], chosen: dict[str, Any], says: str) -> None:
    """Before anything is played or stored."""
    with pytest.raises(PennyError) as caught:
        await run(options(**chosen))
    assert says in caught.value.message


async def test_a_case_that_cannot_be_given_what_it_says_is_told_with_its_place(
    run: Callable[..., Any], tmp_path: Path
) -> None:
    """A household without the account that a transaction names is the case's mistake, not the model's."""
    path = tmp_path / "cases.yaml"
    path.write_text(
        "cases:\n- name: a\n  about: b\n  user: c\n  expect: {words: [d]}\n"
        "  given: {transactions: [{day: 2026-11-01, amount: -1, merchant: x, account: y}]}\n"
    )
    with pytest.raises(PennyError, match=r"cases.yaml:2: a cannot be given what it says: .* no account 'y'"):
        await run(options(cases=str(path), model=["mute"]))


async def test_the_shipped_cassettes_play_every_case(run: Callable[..., Any]) -> None:
    """No model, no credentials: the real model class over real HTTP, against answers that were recorded with the
    stand-in. A case that was changed since asks what no cassette knows; then record them again (docs/evals.md)."""
    recorded = await run(options(replay=True))
    assert {result.case: result.failures for result in recorded.results if not result.passed} == {}
    assert len(recorded.results) == len(case_files.load())
    assert {cell[1] for cell in recorded.header.cells} == {evaluating.STANDS_FOR}


async def test_what_no_cassette_knows_fails_and_is_told(
    run: Callable[..., Any], cases: str, lab_settings: Settings, tmp_path: Path
) -> None:
    """A recording of two cases plays those two; the third fails, and the difference to the nearest request is said."""
    tape = tmp_path / "two.jsonl"
    made = await run(options(cases=cases, case=["one", "two"], model=["ideal"], record=str(tape)))
    assert len(made.results) == 2
    told: list[str] = []
    recorded, _ = await evaluating.run(
        lab_settings, Store(tmp_path / "evals"), options(cases=cases, replay=True, cassettes=str(tape)),
        evaluating.Limits(), resume=None, quiet=True, report=told.append,
    )  # fmt: skip
    broken = [result.case for result in recorded.results if result.steps[0].error]
    assert broken == ["three"]
    assert any("hello three" in line for line in told)


async def test_only_what_passes_on_bedrocks_wire_is_replayed(run: Callable[..., Any], cases: str) -> None:
    """Another model with --replay, or another than the stand-in with --record, is refused in words."""
    with pytest.raises(PennyError, match="Cassettes hold what passes on Bedrock's wire"):
        await run(options(cases=cases, replay=True, model=["scripted:x"]))
    with pytest.raises(PennyError, match="--record makes a cassette of --model ideal"):
        await run(options(cases=cases, record="x", model=["mute"]))


async def test_a_judge_marks_and_passes_nobody(run: Callable[..., Any], cases: str, tmp_path: Path) -> None:
    """Its marks are kept with the results and told; whether a case passes is the checks' matter."""
    script = tmp_path / "judge.json"
    script.write_text(json.dumps([{"text": '{"tone": 1, "helpful": 1}'}]))
    recorded = await run(options(cases=cases, model=["mute"], judge=f"scripted:{script}"))
    assert [(result.passed, result.marks) for result in recorded.results] == [(False, {"tone": 1, "helpful": 1})] * 3
    assert terminal.summary(recorded)["cells"][0]["marks"] == {"tone": 1.0, "helpful": 1.0}


async def test_a_model_that_is_away_once_is_asked_again(run: Callable[..., Any], cases: str, tmp_path: Path) -> None:
    """An outage is no answer of the model's: the case is played once more, and fails only when that fails too."""
    script = tmp_path / "script.json"
    away, good = {"text": "Go", "error": "away"}, {"text": "Good day."}
    script.write_text(json.dumps([away, good, away, away, good]))
    recorded = await run(options(cases=cases, model=[f"scripted:{script}"]))
    assert [result.passed for result in recorded.results] == [True, False, True]
    assert "model_unavailable: away" in recorded.results[1].failures[0]
