"""Holds what came of a step against what was expected; each thing that is wrong is told in a sentence."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from domain.money import Money
from lab.cases.answers import Books
from lab.cases.case import Expect, Given, Proposed, Value
from lab.eval.figures import found_in, known, says
from lab.eval.languages import language_of
from lab.eval.matching import Reader, missing, shown
from lab.eval.outcome import StepResult
from tools.names import plain


def check(
    expect: Expect, results: Sequence[StepResult], given: Given, books: Books, export: Mapping[str, Any]
) -> list[str]:
    """What is wrong with the step's results; `export` is the user's data after it, as the JSON export has it."""
    if broken := [result.error for result in results if result.error]:
        return [f"it did not work: {error}" for error in broken]
    return [
        *_calls(expect, results, _reader(given, export)),
        *_reply(expect, "\n\n".join(result.reply for result in results), results, given, books),
        *_proposals(expect, [proposal for result in results for proposal in result.proposals]),
        *_rows(expect, export),
    ]


def _reader(given: Given, export: Mapping[str, Any]) -> Reader:
    names = {table: [row["name"] for row in export[table]] for table in ("categories", "accounts")}
    return Reader(given.today, given.locale, names["categories"], names["accounts"])


def _calls(expect: Expect, results: Sequence[StepResult], reader: Reader) -> Iterator[str]:
    made = [call for result in results for call in result.calls]
    told = ", ".join(map(shown, made)) or "no tool"
    if expect.tools == () and made:
        yield f"wanted no tool call; called {told}"
    for lacking in missing(expect.tools or (), made, reader, in_order=expect.in_order):
        yield f"wanted {lacking}; called {told}"
    for name in expect.not_tools:
        if any(call.name == name for call in made):
            yield f"called {name}, which was not to be"


def _reply(expect: Expect, reply: str, results: Sequence[StepResult], given: Given, books: Books) -> Iterator[str]:
    figures = found_in(reply, given)
    for answer in expect.figures:
        wanted = known(answer, books)
        if not says(figures, wanted):
            yield f"the reply does not say {wanted.said}"
    for answer in expect.not_figures:
        unwanted = known(answer, books)
        if says(figures, unwanted):
            yield f"the reply says {unwanted.said}, which is wrong here"
    for choice in expect.words:
        if not any(_said(word, reply) for word in choice):
            yield f"the reply does not say {' or '.join(map(repr, choice))}"
    for word in expect.not_words:
        if _said(word, reply):
            yield f"the reply says {word!r}, which was not to be"
    yield from _form(expect, reply)
    unbacked = [figure["text"] for result in results for figure in result.figures if not figure["verified"]]
    if expect.grounded and unbacked:
        yield f"figures without a fact: {', '.join(unbacked)}"


def _said(word: str, reply: str) -> bool:
    """Whether the words stand in the reply, as whole words; signs alone ("?") as they are."""
    return f" {plain(word)} " in f" {plain(reply)} " if plain(word) else word in reply


def _form(expect: Expect, reply: str) -> Iterator[str]:
    length = len(reply.split())
    if expect.max_words is not None and length > expect.max_words:
        yield f"the reply has {length} words, more than {expect.max_words}"
    if expect.min_words is not None and length < expect.min_words:
        yield f"the reply has {length} words, fewer than {expect.min_words}"
    if expect.language is not None and (heard := language_of(reply)) != expect.language:
        yield f"the reply is not in {expect.language} (it looks like {heard or 'no language known here'})"


def _proposals(expect: Expect, made: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    told = "; ".join(proposal["text"] for proposal in made) or "none"
    if expect.proposals == () and made:
        yield f"wanted no proposal; there is: {told}"
    left = list(made)
    for wanted in expect.proposals or ():
        found = next((proposal for proposal in left if _fits(wanted, proposal)), None)
        if found is None:
            yield f"wanted the proposal {_told(wanted)}; there is: {told}"
        else:
            left.remove(found)
    if expect.proposals and left and len(made) > len(expect.proposals):
        yield f"more was proposed than was wanted: {told}"


def _fits(wanted: Proposed, made: Mapping[str, Any]) -> bool:
    lines = made["diff"]
    return made["kind"] == wanted.kind and all(any(_subset(line, one) for one in lines) for line in wanted.diff)


def _told(wanted: Proposed) -> str:
    lines = ("; ".join(f"{k}={v}" for k, v in line.items()) for line in wanted.diff)
    return f"{wanted.kind} ({', '.join(lines)})" if wanted.diff else wanted.kind


def _rows(expect: Expect, export: Mapping[str, Any]) -> Iterator[str]:
    for table, row in expect.has:
        if not any(_subset(row, one) for one in export[table]):
            yield f"{table} has no row {_row(row)}"
    for table, row in expect.lacks:
        if any(_subset(row, one) for one in export[table]):
            yield f"{table} has a row {_row(row)}, which was not to be"


def _row(row: Mapping[str, Value]) -> str:
    return ", ".join(f"{name}={value}" for name, value in row.items())


def _subset(wanted: Mapping[str, Value], row: Mapping[str, Any]) -> bool:
    return all(_equal(value, row.get(name)) for name, value in wanted.items())


def _equal(wanted: Value, there: Any) -> bool:
    """Amounts by their value, texts by what is in them, lists by any item; a choice by one of it."""
    if isinstance(wanted, tuple):
        return any(_equal(one, there) for one in wanted)
    if wanted is None or there is None:
        return wanted is None and there in (None, "")
    if isinstance(there, Mapping) and {"minor", "currency"} <= there.keys():
        return _amount(wanted, Money(there["minor"], there["currency"]))
    if isinstance(there, bool):
        return wanted == str(there).lower()
    if isinstance(there, list):
        return any(_inside(wanted, part) for part in there)
    return plain(wanted) in plain(str(there)) if plain(wanted) else wanted in str(there)


def _inside(wanted: str, part: Any) -> bool:
    values: Iterable[Any] = part.values() if isinstance(part, Mapping) else [part]
    return any(_equal(wanted, value) for value in values)


def _amount(wanted: str, there: Money) -> bool:
    number, _, currency = wanted.partition(" ")
    try:
        return Decimal(number) == there.amount and currency in ("", there.currency)
    except InvalidOperation:
        return False
