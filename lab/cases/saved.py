"""A conversation that was had, as a case: what was said and decided, with what came of it as what is expected."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from itertools import groupby
from typing import Any

from domain.money import Money
from lab.cases.case import Answer, Call, Case, Decide, Expect, Given, Proposed, Say, Step, Value
from memory.messages import Message, reply_text


def case_of(
    name: str, log: Iterable[Message], proposals: Mapping[str, Mapping[str, Any]], given: Given, about: str = ""
) -> Case:
    """The case of a session's standing messages. `proposals` are those made in it, by id. What is expected is what
    happened: the calls that ran well, the figures that were backed, the proposals; read it before you keep it."""
    steps: list[Step] = []
    for _, group in groupby(log, key=lambda message: message.turn):
        first, *answers = list(group)
        if first.role == "decision":
            confirmed = first.body.get("status") == "applied"
            steps.append(Decide("confirm" if confirmed else "reject", which="last"))
        elif first.role == "user":
            steps.append(Say(first.text, _expect(answers, proposals), reply_text(answers)))
    return Case(
        name, about or "Saved from a conversation; say here what it is to show.", tuple(steps), ("saved",), given
    )


def given_of(today: date, preferences: Any, facts: Sequence[str]) -> Given:
    """The sample household for a user with these preferences and facts: other rows are not taken over."""
    return Given(
        today=today,
        locale=preferences.locale.replace("_", "-"),
        currency=preferences.currency,
        time_zone=preferences.time_zone,
        facts=tuple(facts),
    )


def _expect(answers: Sequence[Message], proposals: Mapping[str, Mapping[str, Any]]) -> Expect:
    results = {m.body["call_id"]: m for m in answers if m.role == "tool"}
    calls = [
        call for m in answers for call in m.tool_calls if call["id"] in results and results[call["id"]].body.get("ok")
    ]
    made = [proposals[m.body["proposal_id"]] for m in results.values() if m.body.get("proposal_id") in proposals]
    figures = answers[-1].body.get("figures", []) if answers else []
    return Expect(
        tools=tuple((Call(call["name"], {k: _value(v) for k, v in call["args"].items()}),) for call in calls),
        figures=_amounts(figures, results.values()),
        proposals=tuple(Proposed(p["kind"], tuple(_line(line) for line in p["diff"])) for p in made),
        grounded=all(f.get("verified") for f in figures),
    )


def _amounts(figures: Sequence[Mapping[str, Any]], results: Iterable[Message]) -> tuple[Answer, ...]:
    """The amounts that the reply said and a fact of this turn backs, as the fact has them, each once."""
    known = {fact["id"]: fact for m in results for fact in m.body.get("facts") or ()}
    backed = [known[f["fact_id"]] for f in figures if f.get("verified") and f.get("fact_id") in known]
    texts = [f"{fact['value']} {fact['unit']}" for fact in backed if re.fullmatch("[A-Z]{3}", fact["unit"])]
    return tuple(Answer(text) for text in dict.fromkeys(texts))


def _line(line: Mapping[str, Any]) -> dict[str, Value]:
    return {"what": str(line["what"]), "field": str(line["field"]), "after": _value(line["after"])}


def _value(value: Any) -> Value:
    """A value as cases write it; a number without an exponent, an amount in major units."""
    if value is None:
        return None
    if isinstance(value, dict) and {"minor", "currency"} <= value.keys():
        return f"{Money(value['minor'], value['currency']).amount:f}"
    if isinstance(value, int | float) and not isinstance(value, bool):
        number = Decimal(str(value))
        return f"{number.normalize():f}" if number == number.to_integral_value() else f"{number:f}"
    if isinstance(value, bool):
        return str(value).lower()
    return str(value)
