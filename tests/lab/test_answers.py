"""Known answers, worked out from a case's rows: held here against sums done by hand."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from lab.cases.answers import Books
from lab.cases.case import AccountRow, Answer, BudgetRow, CategoryRow, Given, TxnRow
from lab.cases.nodes import CaseError
from lab.eval.figures import found_in, known, says

GIVEN = Given(
    household="empty",
    accounts=(AccountRow("Main", opening=Decimal(100)), AccountRow("Purse", "cash", Decimal(50), "EUR")),
    categories=(CategoryRow("Food"), CategoryRow("Pay", "income"), CategoryRow("Moves", "transfer")),
    budgets=(BudgetRow("Food", "2026-09", Decimal(80)), BudgetRow("Food", "2026-11", Decimal(90))),
    transactions=(
        TxnRow(date(2026, 10, 1), Decimal("-12.50"), "Lidl", "Food"),
        TxnRow(date(2026, 10, 31), Decimal("-7.25"), "Aldi", "Food"),
        TxnRow(date(2026, 10, 31), Decimal("2.50"), "Lidl", "Food"),
        TxnRow(date(2026, 11, 1), Decimal("-30"), "Lidl", "Food"),
        TxnRow(date(2026, 10, 5), Decimal("500"), "Work", "Pay"),
        TxnRow(date(2026, 10, 6), Decimal("-40"), "Savings", "Moves"),
        TxnRow(date(2026, 10, 7), Decimal("-9"), "Mercado", "Food", "Purse"),
    ),
)


@pytest.mark.parametrize(
    ("of", "where", "answer"),
    [
        ("spent", {"category": "Food", "month": "2026-10"}, "17.25 USD"),
        ("spent", {"month": "2026-10"}, "17.25 USD"),
        ("spent", {"month": "2026-10", "currency": "EUR"}, "9 EUR"),
        ("spent", {"merchant": "lidl", "from": "2026-10-01", "to": "2026-11-01"}, "40.00 USD"),
        ("income", {"month": "2026-10"}, "500 USD"),
        ("count", {"merchant": "Lidl"}, "3"),
        ("largest", {"month": "2026-10"}, "12.50 USD"),
        ("budget", {"category": "Food", "month": "2026-10"}, "80 USD"),
        ("budget", {"category": "Food", "month": "2026-12"}, "90 USD"),
        ("left", {"category": "Food", "month": "2026-11"}, "60 USD"),
        ("balance", {"account": "Main"}, "512.75 USD"),
        ("balance", {"account": "Purse"}, "41 EUR"),
    ],
)
def test_an_answer_is_the_sum_by_hand(of: str, where: dict[str, str], answer: str) -> None:
    """Refunds are taken off, transfers are none, and no currency is added to another."""
    worked_out, by_hand = known(Answer(of=of, where=where), Books.of(GIVEN)), known(Answer(answer), Books.of(GIVEN))
    assert (worked_out.value, worked_out.unit) == (by_hand.value, by_hand.unit)


@pytest.mark.parametrize("answer", [Answer("a lot"), Answer(of="spent", where={"category": "Boats"})])
def test_an_answer_that_cannot_be_had_is_the_cases_mistake(answer: Answer) -> None:
    """Neither a wrong figure nor a name that the household lacks becomes an answer of 0."""
    with pytest.raises(CaseError):
        known(answer, Books.of(GIVEN))


@pytest.mark.parametrize(
    ("text", "answer", "said"),
    [
        ("You spent $1,023.11.", "1023.11 USD", True),
        ("You spent $1,023.", "1023.11 USD", False),
        ("You spent about $1,023.", "1023.11 USD", False),
        ("You spent €1,023.11.", "1023.11 USD", False),
        ("You spent $1,023.11 on 3 days.", "3", True),
        ("It is 12 % of it.", "12 %", True),
        ("It is 12 of them.", "12 %", False),
        ("It is due on November 25, 2026.", "2026-11-25", True),
        ("It is due in November 2026.", "2026-11-25", False),
    ],
)
def test_a_reply_says_a_figure_only_as_it_is(text: str, answer: str, said: bool) -> None:
    """To the cent, in its currency, with its unit."""
    assert says(found_in(text, GIVEN), known(Answer(answer), Books.of(GIVEN))) is said
