"""What of a change is not in the user's own words, and names that only look like what the user said."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tools.tool import Args
from tools.unsaid import lookalike, notice, unsaid
from tools.writes.budgets import SetBudgetArgs
from tools.writes.splits import SplitArgs
from tools.writes.transactions import AddTransactionArgs


def amounts(said: str, amount: str, diff: list[dict[str, Any]] | None = None, locale: str = "en-US") -> list[str]:
    args = SetBudgetArgs(category="Dining", amount=Decimal(amount))
    return [found["value"] for found in unsaid(args, [said], diff or [], locale)]


@pytest.mark.parametrize(
    ("said", "amount"),
    [
        ("set dining to 250", "250"),
        ("set dining to $1,200.50 please", "1200.50"),
        ("auf 1.200,50 € bitte", "1200.50"),
        ("make it 1'200", "1200"),
        ("two hundred and fifty for dining", "250"),
        ("about 2k", "2000"),
        ("1\u202f200,00 bitte", "1200"),
    ],
)
def test_an_amount_is_said_in_figures_or_words(said: str, amount: str) -> None:
    """With a comma or a point for the decimals, and in words."""
    assert amounts(said, amount) == []


def test_an_amount_that_was_not_said_is_told() -> None:
    """Not even one that is a part of another."""
    assert amounts("set dining to 250", "2500") == ["2,500"]
    assert amounts("set dining to 1250", "250") == ["250"]
    assert amounts("", "250") == ["250"]


def test_a_step_that_was_said_makes_its_outcome_said() -> None:
    """In money or in percent; another step does not."""

    def diff(before: int, after: int) -> list[dict[str, Any]]:
        money = {"before": {"minor": before, "currency": "USD"}, "after": {"minor": after, "currency": "USD"}}
        return [{"what": "Dining budget", "field": "amount", **money}]

    assert amounts("lower dining by 50", "250", diff(30000, 25000)) == []
    assert amounts("10% more for dining", "330", diff(30000, 33000)) == []
    assert amounts("lower dining by 40", "250", diff(30000, 25000)) == ["$250.00"]


def test_texts_are_said_letter_by_letter() -> None:
    """In any case and punctuation; a name with more to it, or with other letters, was not said."""

    def texts(said: str, merchant: str, memo: str = "") -> list[str]:
        args: Args = AddTransactionArgs(amount=Decimal(5), merchant=merchant, memo=memo or None)
        return [found["value"] for found in unsaid(args, [said], []) if found["field"] != "amount"]

    assert texts("5 at trader joes", "Trader Joe's") == []
    assert texts("5 at Target", "Evil Corp Target") == ["“Evil Corp Target”"]
    assert texts("5 at Apple", "\u0410pple") == ["“\u0410pple”"]
    assert texts("5 at Apple", "Apple", "see http://evil.example") == ["“see http: //evil.example”"]


def test_each_part_of_a_split_counts() -> None:
    """Its amounts are looked at though they come in one text."""
    args = SplitArgs(transaction="1", parts="Dining 30; Gifts 12.34")
    assert [found["value"] for found in unsaid(args, ["put 30 of it into dining"], [])] == ["12.34"]


def test_the_notice_is_one_sentence() -> None:
    """None when all was said."""
    assert notice([]) is None
    found = [{"field": "merchant", "value": "“Evil”"}, {"field": "amount", "value": "$5.00"}]
    assert notice(found) == "Not in your own words: merchant “Evil”, amount $5.00."  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("US133000000121212121212", "pay US122000000121212121212 50"),
        ("\u0410pple", "5 at Apple"),
        ("PayPa1", "paypal 20"),
        ("\u03a1aypal", "paypal 20"),
    ],
)
def test_a_lookalike_is_not_what_was_said(name: str, said: str) -> None:
    """Another account's number, a letter of another script, a figure for a letter."""
    assert lookalike(name, [said])


@pytest.mark.parametrize(
    ("name", "said"),
    [("Amazom", "at Amazon"), ("7-Eleven", "7 eleven"), ("Caf\u00e9 Zoe", "cafe zoe"), ("Магазин", "в магазин 5")],
)
def test_a_misspelling_is_no_lookalike(name: str, said: str) -> None:
    """Letters of the user's own script, and the figures that the user wrote."""
    assert not lookalike(name, [said])
