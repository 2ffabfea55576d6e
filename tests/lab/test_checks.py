"""What is wrong with a step is found and told."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from lab.cases.answers import Books
from lab.cases.case import Answer, Call, Expect, Given, Proposed
from lab.eval.checks import check
from lab.eval.languages import language_of
from lab.eval.matching import Reader
from lab.eval.outcome import Called, StepResult

READER = Reader(date(2026, 11, 22), "en-US", ("Dining", "Groceries", "Rent"), ("Everyday Checking", "Visa Card"))


@pytest.mark.parametrize(
    ("wanted", "made", "fits"),
    [
        ({"period": "2026-10"}, {"period": "last month"}, True),
        ({"period": "2026-10"}, {"period": "October"}, True),
        ({"period": "2026-10"}, {"period": "September"}, False),
        ({"period": "2026-11"}, {}, True),
        ({"period": "2026-11"}, {"period": "this month"}, True),
        ({"period": "2026-11"}, {"period": "Nov 1 - Nov 22"}, True),
        ({"category": "Dining"}, {"category": "eating out"}, True),
        ({"category": "Dining"}, {"category": "Rent"}, False),
        ({"category": "Dining"}, {}, False),
        ({"category": None}, {}, True),
        ({"category": None}, {"category": "Rent"}, False),
        ({"category": ("Dining", "Rent")}, {"category": "rent"}, True),
        ({"by": "category"}, {"by": "merchant"}, False),
        ({}, {"by": "merchant", "period": "2025"}, True),
    ],
)
def test_arguments_are_read_as_the_tools_read_them(wanted: dict[str, Any], made: dict[str, Any], fits: bool) -> None:
    """Another way to say the same is the same; a default counts as said; a filter that is lost or put in does not."""
    assert READER.fits(Call("get_spending", wanted), Called("get_spending", made)) is fits


def test_amounts_are_numbers_and_names_of_shops_may_be_longer() -> None:
    """250, "250.00" and "$250" are one; "Trader Joe's" stands in "TRADER JOES #12"."""
    for amount in (250, 250.0, "250.00", "$250"):
        assert READER.fits(Call("set_budget", {"amount": "250"}), Called("set_budget", {"amount": amount}))
    assert not READER.fits(Call("set_budget", {"amount": "250"}), Called("set_budget", {"amount": 25}))
    wanted = Call("add_transaction", {"merchant": "Trader Joe's"})
    assert READER.fits(wanted, Called("add_transaction", {"merchant": "TRADER JOES #12"}))


def test_two_periods_may_change_places_and_parts_their_order() -> None:
    """A comparison is one whichever period comes first, a split whichever part."""
    wanted = Call("compare_periods", {"period_a": "2026-09", "period_b": "2026-10"})
    assert READER.fits(wanted, Called("compare_periods", {"period_a": "last month", "period_b": "September"}))
    split = Call("split_transaction", {"parts": "Dining 40; Groceries the rest"})
    assert READER.fits(split, Called("split_transaction", {"parts": "groceries: rest; 40 for eating out"}))
    assert READER.fits(split, Called("split_transaction", {"parts": [{"category": "Groceries"}, ["Dining", 40]]}))


PROPOSAL = {
    "kind": "set_budget",
    "text": "Set the Dining budget to $250.00.",
    "diff": [
        {
            "what": "Dining budget, November 2026",
            "field": "amount",
            "before": {"minor": 38000, "currency": "USD"},
            "after": {"minor": 25000, "currency": "USD"},
        }
    ],
}
DID = StepResult(
    "set dining to 250",
    "I have proposed $250.00.",
    (Called("set_budget", {"category": "Dining", "amount": 250}),),
    (PROPOSAL,),
    ({"text": "$250.00", "verified": True},),
)
EXPORT: dict[str, Any] = {
    "categories": [{"name": "Dining"}],
    "accounts": [{"name": "Main"}],
    "budgets": [{"month": "2026-11", "category": "Dining", "amount": {"minor": 25000, "currency": "USD"}}],
    "facts": [],
}


@pytest.mark.parametrize(
    ("expect", "told"),
    [
        (Expect(tools=()), "wanted no tool call; called set_budget(category=Dining, amount=250)"),
        (Expect(tools=((Call("undo_change"),),)), "wanted undo_change(); called set_budget"),
        (Expect(not_tools=("set_budget",)), "called set_budget, which was not to be"),
        (Expect(figures=(Answer("300 USD"),)), "the reply does not say 300 USD"),
        (Expect(not_figures=(Answer("250 USD"),)), "the reply says 250 USD, which is wrong here"),
        (Expect(words=(("dining", "eating"),)), "the reply does not say 'dining' or 'eating'"),
        (Expect(words=(("?",),)), "the reply does not say '?'"),
        (Expect(not_words=("I have proposed",)), "the reply says 'I have proposed'"),
        (Expect(proposals=()), "wanted no proposal; there is: Set the Dining budget"),
        (Expect(proposals=(Proposed("undo"),)), "wanted the proposal undo; there is"),
        (
            Expect(proposals=(Proposed("set_budget", ({"after": "300"},)),)),
            "wanted the proposal set_budget (after=300)",
        ),
        (Expect(has=(("budgets", {"amount": "300"}),)), "budgets has no row amount=300"),
        (Expect(lacks=(("budgets", {"category": "Dining"}),)), "budgets has a row category=Dining"),
        (Expect(language="de"), "the reply is not in de"),
        (Expect(max_words=2), "the reply has 4 words, more than 2"),
        (Expect(min_words=9), "the reply has 4 words, fewer than 9"),
    ],
)
def test_what_is_wrong_is_told(expect: Expect, told: str) -> None:
    """One sentence, that says what was wanted and what there was."""
    [failure] = check(expect, [DID], Given(), Books.of(Given()), EXPORT)
    assert failure.startswith(told)


def test_what_is_right_is_no_failure() -> None:
    """Call, figure, proposal with its difference, and row, all at once."""
    expect = Expect(
        tools=((Call("set_budget", {"category": "dining", "amount": "250", "month": "2026-11"}),),),
        figures=(Answer("250 USD"),),
        proposals=(Proposed("set_budget", ({"what": "Dining", "before": "380", "after": "250 USD"},)),),
        has=(("budgets", {"month": "2026-11", "amount": "250"}),),
        language="en",
    )
    assert check(expect, [DID], Given(), Books.of(Given()), EXPORT) == []


def test_a_proposal_too_many_is_told() -> None:
    """Two where one was wanted."""
    twice = StepResult("x", "y", proposals=(PROPOSAL, PROPOSAL))
    [failure] = check(Expect(proposals=(Proposed("set_budget"),)), [twice], Given(), Books.of(Given()), EXPORT)
    assert failure.startswith("more was proposed than was wanted")


def test_a_figure_without_a_fact_fails_unless_it_may_stand() -> None:
    """Grounding is expected of every reply; a case can say that it is not."""
    made_up = StepResult("x", "It was $9.", figures=({"text": "$9", "verified": False},))
    assert check(Expect(), [made_up], Given(), Books.of(Given()), EXPORT) == ["figures without a fact: $9"]
    assert check(Expect(grounded=False), [made_up], Given(), Books.of(Given()), EXPORT) == []


def test_a_run_that_failed_fails_the_step() -> None:
    """Whatever was expected."""
    broken = StepResult("x", error="model_unavailable: away")
    assert check(Expect(), [broken], Given(), Books.of(Given()), EXPORT) == ["it did not work: model_unavailable: away"]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("You spent $3 on dining this month.", "en"),
        ("Du hast im Oktober $3 für Restaurants ausgegeben.", "de"),
        ("Vous avez dépensé $3 pour les restaurants en octobre.", "fr"),
        ("Has gastado $3 en restaurantes con la tarjeta.", "es"),
        ("Hai speso $3 in ristoranti con la carta.", "it"),
        ("Você gastou $3 em restaurantes com o cartão.", "pt"),
        ("Je hebt deze maand $3 aan restaurants uitgegeven.", "nl"),
        ("$3.00", None),
    ],
)
def test_the_language_of_a_sentence_is_known(text: str, code: str | None) -> None:
    """By its small words; a figure alone is in none."""
    assert language_of(text) == code
