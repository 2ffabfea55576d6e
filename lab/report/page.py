"""The report as one page: scores, what they are made of, what differs between prompts, and every case to look into."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from lab.eval.matching import shown
from lab.eval.outcome import Result, StepResult
from lab.eval.scores import Change, Comparison, Score, by_label, compare, marks, score
from lab.eval.store import Recorded
from lab.report import charts, diffs
from lab.report.html import Html, document, el, join
from lab.report.terminal import dollars, pairs

Cell = tuple[str, str]


def page(recorded: Recorded) -> str:
    """The report of a run."""
    header = recorded.header
    cells = header.cells
    body = el(
        "main",
        el("h1", "Penny, evaluated"),
        el("p", _about(recorded), class_="soft"),
        el("div", *(_card(recorded, cell) for cell in cells), class_="cards"),
        *(
            _comparison(one, other, compare(recorded.of_cell(one), recorded.of_cell(other)))
            for one, other in pairs(recorded)
        ),
        el("h2", "By tool"),
        _bars(recorded, lambda result: result.tools),
        el("h2", "By tag"),
        _bars(recorded, lambda result: result.tags),
        el("h2", "Time"),
        *_times(recorded),
        charts.legend(),
        el("h2", "Every case"),
        *_cases(recorded),
        el("h2", "Prompts"),
        *(_folded(label, el("div", text, class_="reply mono")) for label, text in header.prompts.items()),
    )
    return document(f"Penny eval {header.id}", body)


def comparison_page(before: Recorded, after: Recorded, found: Sequence[tuple[Cell, Cell, Comparison]]) -> str:
    """What changed from one run to another."""
    body = el(
        "main",
        el("h1", "Penny, compared"),
        el("p", f"{before.header.id} against {after.header.id}; only what changed.", class_="soft"),
        *(_comparison(one, other, comparison) for one, other, comparison in found),
    )
    return document(f"Penny eval {before.header.id} and {after.header.id}", body)


def _about(recorded: Recorded) -> str:
    header = recorded.header
    cases = len({result.case for result in recorded.results})
    load = header.options.get("load")
    machine = f", on {header.options.get('processors')} processors at a load of {load}" if load is not None else ""
    often = f" {header.repeat} times" if header.repeat > 1 else ""
    return f"{cases} cases{often}, {header.started_at[:16].replace('T', ' ')} UTC{machine}. Run {header.id}."


def _card(recorded: Recorded, cell: Cell) -> Html:
    got = score(recorded.of_cell(cell))
    facts = [
        ("passed", f"{got.passed} of {got.cases} cases"),
        *([("single plays", f"{got.passed_plays} of {got.plays}")] if got.plays > got.cases else []),
        ("tokens", f"{got.tokens:,}"),
        ("cost", dollars(got.usd)),
        ("median, slowest", f"{got.seconds:.1f} s, {got.slowest:.1f} s"),
        *((f"judge: {name}", f"{share:.0%}") for name, share in marks(recorded.of_cell(cell)).items()),
    ]
    return el(
        "section",
        el("div", cell[0], class_="mono"),
        el("div", cell[1], class_="soft small"),
        el("div", f"{got.rate:.0%}", class_="rate"),
        charts.share(got.rate, 260, 10),
        el("dl", *(join(el("dt", name), el("dd", value)) for name, value in facts)),
        class_="card",
    )


def _bars(recorded: Recorded, labels: Callable[[Result], Iterable[str]]) -> Html:
    """A row for each label, a bar for each cell."""
    cells = recorded.header.cells
    by_cell = [by_label(recorded.of_cell(cell), labels) for cell in cells]
    names = list(dict.fromkeys(name for found in by_cell for name in found))
    head = [el("th", ""), *(el("th", " · ".join(cell), colspan=2) for cell in cells)]
    rows = [el("tr", el("td", name), *(_bar(found.get(name)) for found in by_cell)) for name in names]
    return el("table", el("tr", *head), *rows)


def _bar(got: Score | None) -> Html:
    if got is None:
        return el("td", "–", colspan=2, class_="soft")
    return join(
        el("td", charts.share(got.rate), class_="bar"), el("td", f"{got.passed} of {got.cases}", class_="number")
    )


def _times(recorded: Recorded) -> Iterable[Html]:
    longest = max((result.seconds for result in recorded.results), default=1.0)
    for cell in recorded.header.cells:
        if results := recorded.of_cell(cell):
            yield join(el("p", " · ".join(cell), class_="small"), charts.strip(results, longest))


def _comparison(before: Cell, after: Cell, found: Comparison) -> Html:
    kind = found.verdict if found.verdict in ("better", "worse") else ""
    told = (
        f"{len(found.better)} better, {len(found.worse)} worse of {found.cases} cases. Sign test: p = {found.p:.3f}; "
        + (f"{kind}." if kind else f"{found.verdict}.")
    )
    return join(
        el(
            "h2",
            el("span", " · ".join(after), class_="mono"),
            " against ",
            el("span", " · ".join(before), class_="mono"),
        ),
        el("div", told, class_=f"verdict {kind}"),
        el("p", f"Left out, for the case was changed: {', '.join(found.edited)}", class_="soft")
        if found.edited
        else None,
        *(_change(change, "worse") for change in found.worse),
        *(_change(change, "better") for change in found.better),
    )


def _change(change: Change, kind: str) -> Html:
    mark = el("span", kind, class_="yes" if kind == "better" else "no")
    side = change.now if kind == "worse" else change.was
    inside = join(
        *(el("p", failure, class_="wrong small") for failure in side.failures),
        diffs.between(change.was, change.now),
    )
    return _folded(change.case, inside, mark)


def _cases(recorded: Recorded) -> Iterable[Html]:
    """Each case with its plays, those that failed somewhere first."""
    plays: dict[str, list[Result]] = {}
    for result in recorded.results:
        plays.setdefault(result.case, []).append(result)
    for name, some in sorted(plays.items(), key=lambda pair: all(result.passed for result in pair[1])):
        several = len(recorded.header.cells) > 1 or recorded.header.repeat > 1
        marks = [_mark(result, several) for result in some]
        yield _folded(name, join(*(_play(result, several) for result in some)), *marks)


def _mark(result: Result, several: bool) -> Html:
    text = "passed" if result.passed else "failed"
    return el("span", text, class_="yes" if result.passed else "no", title=" · ".join(result.cell) if several else None)


def _play(result: Result, several: bool) -> Html:
    where = f"{' · '.join(result.cell)}, play {result.repeat}"
    return join(
        el("h3", where) if several else None,
        *(el("p", failure, class_="wrong small") for failure in result.failures),
        *(_step(step) for step in result.steps),
        el("p", f"{result.tokens:,} tokens, {result.seconds:.1f} s, {dollars(result.cost_usd)}", class_="soft small"),
    )


def _step(step: StepResult) -> Html:
    return join(
        el("p", step.user, class_="said"),
        *(el("p", shown(call), class_="call mono") for call in step.calls),
        el("div", step.reply, class_="reply") if step.reply else None,
        el("p", step.error, class_="wrong") if step.error else None,
    )


def _folded(name: str, inside: Html, *marks: Html) -> Html:
    return el("details", el("summary", el("span", name, class_="name"), *marks), el("div", inside, class_="inside"))
