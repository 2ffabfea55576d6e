"""Set-up and corrections, held against the user's words like all that the model chooses."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from said_and_chosen import judged

from agent.local.heard import Call, Say


@pytest.mark.parametrize(
    ("text", "tool", "chosen", "kept"),
    [
        pytest.param(
            "how dear was july?",
            "get_forecast",
            {"month": "July"},
            Call("get_spending", {"by": "category", "period": "July"}),
            id="a month that is over is not forecast",
        ),
        pytest.param(
            "the total for july?",
            "list_transactions",
            {"merchant": "total", "period": "july"},
            Call("list_transactions", {"period": "july"}),
            id="total is no shop",
        ),
        pytest.param(
            "everything in all in july",
            "get_spending",
            {"by": "category", "category": "all in all", "period": "july"},
            Call("get_spending", {"by": "category", "period": "july"}),
            id="all in all is no category",
        ),
        pytest.param(
            "what went on entertainmnt in july",
            "list_transactions",
            {"period": "july"},
            Call("list_transactions", {"category": "entertainmnt", "period": "july"}),
            id="a misspelled category is no thing that was bought",
        ),
        pytest.param(
            "what is safe until the end of december?",
            "get_safe_to_spend",
            {},
            Call("get_safe_to_spend", {"date": "2026-12-31"}),
            id="the end of a month is a day",
        ),
        pytest.param(
            "what can go out until the end of the month?",
            "get_safe_to_spend",
            {"date": "end of the month"},
            Call("get_safe_to_spend", {"date": "2026-11-30"}),
            id="of this one too",
        ),
        pytest.param(
            "the books from #88 were 12.30",
            "edit_transaction",
            {"transaction": "#88", "amount": Decimal("12.30"), "note": "a present"},
            Call("edit_transaction", {"transaction": "88", "amount": "12.30"}),
            id="only what was said is corrected",
        ),
        pytest.param(
            "remove purchase 88",
            "delete_transaction",
            {"transaction": "88"},
            Call("delete_transaction", {"transaction": "88"}),
            id="a transaction by its number",
        ),
        pytest.param(
            "90 went from savings to checking",
            "transfer_between_accounts",
            {"from_account": "checking", "to_account": "savings", "amount": 90},
            Call("transfer_between_accounts", {"from_account": "savings", "to_account": "checking", "amount": "90"}),
            id="a transfer goes the way that was said",
        ),
        pytest.param(
            "open a savings account named Rainy, 40 in it",
            "create_account",
            {"name": "Rainy", "balance": 400},
            Call("create_account", {"name": "Rainy", "kind": "savings", "balance": "40"}),
            id="an account with the balance that was said",
        ),
        pytest.param(
            "count in euros",
            "set_preference",
            {"currency": "euros", "time_zone": "Lisbon"},
            Call("set_preference", {"currency": "euros"}),
            id="a preference that was said",
        ),
    ],
)
def test_set_up_and_corrections_keep_what_was_said(text: str, tool: str, chosen: dict[str, Any], kept: Call) -> None:
    """Names, numbers and ways come from the words, not from the model."""
    assert judged(text, tool, chosen) == kept


@pytest.mark.parametrize(
    ("text", "tool", "chosen", "asked"),
    [
        ("a new category please", "create_category", {"name": "Books"}, "What should the category be called"),
        ("add an account", "create_account", {"name": "Blue"}, "What should the account be called"),
        ("delete it", "delete_transaction", {"transaction": "71"}, "Which transaction"),
        ("fix 88", "edit_transaction", {"transaction": "88", "amount": Decimal(11)}, "should be different about 88"),
        ("30 went to savings", "transfer_between_accounts", {"from_account": "cash", "to_account": "savings",
         "amount": 30}, "From which account"),
        ("change my settings", "set_preference", {"time_zone": "Lisbon"}, "What should it be"),
    ],
)  # fmt: skip
def test_a_set_up_that_lacks_something_is_asked_about(text: str, tool: str, chosen: dict[str, Any], asked: str) -> None:
    """What the model filled in by itself is not proposed."""
    decided = judged(text, tool, chosen)
    assert isinstance(decided, Say)
    assert asked in decided.text
