"""What the model chose is held against the user's words: what nobody said is dropped or asked for, never guessed."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from said_and_chosen import heard, judged

from agent.local.heard import Call, Say

OCTOBER = (("User", "how much on groceries last month?"), ("App", "You spent $412.30 on Groceries in October 2026."))


@pytest.mark.parametrize(
    ("text", "tool", "chosen", "kept"),
    [
        pytest.param(
            "can I afford a 400 dollar jacket?",
            "get_safe_to_spend",
            {},
            Call("simulate_what_if", {"change": "purchase", "amount": "400"}),
            id="an amount makes a question of what may be spent one of what if",
        ),
        pytest.param(
            "what if I spend 80 on dining tomorrow?",
            "simulate_what_if",
            {"change": "purchase", "amount": Decimal(800), "category": "Travel", "date": "tomorrow"},
            Call("simulate_what_if", {"change": "purchase", "amount": "80", "date": "tomorrow", "category": "Dining"}),
            id="what is tried out has the amount and the category that were said",
        ),
        pytest.param(
            "what would a new $45 gym membership do to my month?",
            "simulate_what_if",
            {"change": "purchase", "amount": 45},
            Call("simulate_what_if", {"change": "recurring", "amount": "45"}),
            id="a membership is no purchase once",
        ),
        pytest.param(
            "suppose my salary drops by 500",
            "simulate_what_if",
            {"change": "income", "amount": 500},
            Call("simulate_what_if", {"change": "income", "amount": "-500"}),
            id="an income that drops is negative",
        ),
        pytest.param(
            "what is safe to spend until payday?",
            "get_safe_to_spend",
            {"date": "payday"},
            Call("get_safe_to_spend"),
            id="until payday is what the tool does by itself",
        ),
        pytest.param(
            "anything odd in october?",
            "find_anomalies",
            {"period": "May", "category": "Dining"},
            Call("find_anomalies", {"period": "October 2026"}),
            id="the period that was said is looked through",
        ),
        pytest.param(
            "what is my balance?",
            "get_safe_to_spend",
            {},
            Call("list_accounts"),
            id="a balance is what accounts have",
        ),
        pytest.param(
            "give health 150 next month",
            "set_goal",
            {"name": "health", "amount": 150, "date": "next month"},
            Call("set_budget", {"category": "Health", "amount": "150", "month": "next month"}),
            id="nothing is saved up for a category that is given money",
        ),
        pytest.param(
            "save 1500 for a couch by june",
            "set_goal",
            {"name": "couch", "amount": 1500, "date": "june"},
            Call("set_goal", {"name": "couch", "amount": "1500", "date": "june"}),
            id="a goal as it was said",
        ),
        pytest.param(
            "what were my biggest purchases last month?",
            "list_transactions",
            {"period": "last month"},
            Call("list_transactions", {"period": "last month", "order": "largest_spending"}),
            id="the biggest are not the latest",
        ),
        pytest.param(
            "what did I spend over the last 30 days",
            "get_spending",
            {"by": "category", "category": "Groceries", "period": "last 30 days"},
            Call("get_spending", {"period": "last 30 days", "by": "category"}),
            id="a category that nobody mentioned is dropped",
        ),
        pytest.param(
            "where is my grocery money going this month",
            "get_spending",
            {"by": "merchant"},
            Call("get_spending", {"by": "merchant", "category": "Groceries", "period": "November 2026"}),
            id="a category and a period that were said are not lost",
        ),
        pytest.param(
            "food shopping total for september?",
            "get_spending",
            {"by": "category", "category": "shopping", "period": "September"},
            Call("get_spending", {"by": "category", "category": "Groceries", "period": "September"}),
            id="the longer phrase decides",
        ),
        pytest.param(
            "how much have I spent at Starbucks this year?",
            "get_spending",
            {"by": "merchant", "category": "Starbucks", "period": "this year"},
            Call("list_transactions", {"merchant": "Starbucks", "period": "this year"}),
            id="a shop is no category",
        ),
        pytest.param(
            "how much did I spend on candles in October",
            "get_spending",
            {"by": "category", "category": "Shopping", "period": "October"},
            Call("list_transactions", {"text": "candles", "period": "October"}),
            id="a thing that is no category is searched for",
        ),
        pytest.param(
            "show dining transactions between oct 5 and oct 12",
            "list_transactions",
            {"merchant": "Dining", "period": "October", "limit": 7},
            Call("list_transactions", {"category": "Dining", "period": "2026-10-05 to 2026-10-12"}),
            id="a category is no shop, a period is not widened, a limit not made up",
        ),
        pytest.param(
            "show my food shopping",
            "list_transactions",
            {"merchant": "food shopping"},
            Call("list_transactions", {"category": "Groceries"}),
            id="a phrase for a category is no shop",
        ),
        pytest.param(
            "pull up my uber rides",
            "list_transactions",
            {"merchant": "uber"},
            Call("list_transactions", {"merchant": "uber"}),
            id="a shop that is a word for a category stays a shop",
        ),
        pytest.param(
            "purchases over $200 this year",
            "list_transactions",
            {"period": "this year"},
            Call("list_transactions", {"period": "this year", "min_amount": "200"}),
            id="an amount to start from is kept",
        ),
        pytest.param(
            "show me transactions",
            "list_transactions",
            {"merchant": "Amazon", "limit": 5},
            Call("list_transactions", {}),
            id="a shop that nobody mentioned is dropped",
        ),
        pytest.param(
            "is my spending going up or down vs september",
            "compare_periods",
            {"period_a": "September", "period_b": "October"},
            Call("compare_periods", {"period_a": "September", "period_b": "this month"}),
            id="a period to compare that nobody named is this month",
        ),
        pytest.param(
            "break down my spending for Q3",
            "compare_periods",
            {"period_a": "Q3", "period_b": "Q3"},
            Call("get_spending", {"by": "category", "period": "Q3"}),
            id="a period is not compared with itself",
        ),
        pytest.param(
            "don't change anything, just tell me my grocery budget",
            "set_budget",
            {"category": "Groceries", "amount": Decimal(0)},
            Call("get_budget_status", {"category": "Groceries"}),
            id="who only asks gets no proposal",
        ),
    ],
)
def test_a_question_keeps_what_was_said(text: str, tool: str, chosen: dict[str, Any], kept: Call) -> None:
    """A filter that was not said is dropped, one that was said is not lost."""
    assert judged(text, tool, chosen) == kept


@pytest.mark.parametrize(
    ("text", "chosen", "period"),
    [
        ("and the month before?", "October 2026", "September 2026"),
        ("and the month after that?", "the month after", "November 2026"),
        ("and in July?", "October 2026", "July 2026"),
        ("and in May?", "May", "May 2026"),
    ],
)
def test_a_period_follows_the_one_spoken_of(text: str, chosen: str, period: str) -> None:
    """ "The month before" is before the month of the answer, whatever the model made of it."""
    call = judged(text, "get_spending", {"by": "category", "category": "groceries", "period": chosen}, *OCTOBER)

    assert isinstance(call, Call)
    assert heard("").period_of(call.args["period"]) == heard("").period_of(period)
    assert call.args["category"] == "Groceries"


def test_a_follow_up_keeps_the_period_of_the_question_before() -> None:
    """ "How about dining?" is about the month that was spoken of."""
    args = {"by": "category", "category": "dining", "period": "October 2026"}
    assert judged("how about dining?", "get_spending", args, *OCTOBER) == Call(
        "get_spending", {"by": "category", "category": "Dining", "period": "October 2026"}
    )


@pytest.mark.parametrize(
    ("text", "tool", "chosen", "kept"),
    [
        pytest.param(
            "dropped 63.20 at whole foods this morning",
            "add_transaction",
            {"amount": Decimal("-63.20"), "merchant": "Whole Foods", "category": "Shopping", "date": "this morning"},
            {"amount": "63.20", "merchant": "Whole Foods", "date": "this morning"},
            id="an amount is positive, a category that nobody said is left to the rules",
        ),
        pytest.param(
            "shift fifty bucks out of shopping and into utilities",
            "move_money",
            {"from_category": "utilities", "to_category": "shopping", "amount": Decimal(50)},
            {"from_category": "Shopping", "to_category": "Utilities", "amount": "50"},
            id="the direction is the user's",
        ),
        pytest.param(
            "borrow 40 from clothes budget for gas",
            "move_money",
            {"from_category": "clothes", "to_category": "Rent", "amount": Decimal(40)},
            None,
            id="gas is not the rent",
        ),
        pytest.param(
            "set december's travel budget to a thousand",
            "set_budget",
            {"category": "travel", "amount": Decimal(1000)},
            {"category": "Travel", "amount": "1000", "month": "december"},
            id="a month that was said is not lost",
        ),
        pytest.param(
            "set dining to 250",
            "set_budget",
            {"category": "Dining", "amount": Decimal(2500)},
            {"category": "Dining", "amount": "250"},
            id="an amount is the one that was said",
        ),
        pytest.param(
            "bought a 9.99 movie on Apple TV on Friday",
            "add_transaction",
            {"amount": Decimal("9.99"), "merchant": "Apple TV", "category": "Shopping", "date": "Friday"},
            {"amount": "9.99", "merchant": "Apple TV", "category": "Entertainment", "date": "Friday"},
            id="a word for a category is a category",
        ),
    ],
)
def test_a_change_is_the_one_that_was_said(
    text: str, tool: str, chosen: dict[str, Any], kept: dict[str, Any] | None
) -> None:
    """Amounts, shops and categories of a change come from the words, or are asked for."""
    decided = judged(text, tool, chosen)
    if kept is None:
        assert isinstance(decided, Say)
    else:
        assert decided == Call(tool, kept)


@pytest.mark.parametrize(
    ("text", "tool", "chosen", "asked"),
    [
        ("set a budget of 90", "set_budget", {"category": "Rent", "amount": Decimal(90)}, "Which category"),
        (
            "change my dining budget",
            "set_budget",
            {"category": "Dining", "amount": Decimal(250)},
            "What should the Dining",
        ),
        ("raise dining by 50", "set_budget", {"category": "Dining", "amount": Decimal(50)}, "new amount"),
        ("cut dining by 10%", "set_budget", {"category": "Dining", "amount": Decimal(10)}, "new amount"),
        ("double my travel budget", "set_budget", {"category": "Travel", "amount": Decimal(2)}, "new amount"),
        (
            "set dining to 200 and travel to 100",
            "set_budget",
            {"category": "Dining", "amount": Decimal(200)},
            "one change",
        ),
        (
            "set dining to 250 euros",
            "set_budget",
            {"category": "Dining", "amount": Decimal(250)},
            "How much is it in USD",
        ),
        ("I spent 20", "add_transaction", {"amount": Decimal(20), "merchant": "Target"}, "Where did you spend"),
        (
            "I was at Target",
            "add_transaction",
            {"amount": Decimal(20), "merchant": "Target"},
            "How much was it at Target",
        ),
        (
            "move money to dining",
            "move_money",
            {"to_category": "Dining", "amount": Decimal(5)},
            "How much should I move",
        ),
        (
            "move 5 to dining",
            "move_money",
            {"from_category": "Travel", "to_category": "Dining", "amount": Decimal(5)},
            "From which",
        ),
        ("file that one", "categorize_transaction", {"transaction": "71", "category": "Travel"}, "Which transaction"),
        (
            "put 88 somewhere else",
            "categorize_transaction",
            {"transaction": "88", "category": "Travel"},
            "Which category",
        ),
    ],
)
def test_what_was_not_said_is_asked(text: str, tool: str, chosen: dict[str, Any], asked: str) -> None:
    """A change that lacks something, or cannot be meant as the model has it, becomes a question."""
    decided = judged(text, tool, chosen)
    assert isinstance(decided, Say)
    assert asked in decided.text


@pytest.mark.parametrize(
    "text",
    ["send $50 on Venmo", "can you send $50 to Sam on Venmo", "please wire 300 to my sister", "pay my landlord 500"],
)
@pytest.mark.parametrize("tool", ["add_transaction", "move_money", "none"])
def test_real_money_is_not_moved(text: str, tool: str) -> None:
    """A request to pay someone is not recorded as a purchase: Penny says what it cannot do."""
    decided = judged(text, tool, {"amount": Decimal(50), "merchant": "Venmo"})
    assert isinstance(decided, Say)
    assert "cannot move real money" in decided.text


def test_budget_transfers_are_no_payments() -> None:
    """ "Transfer 20 from shopping to dining" shifts budget."""
    args = {"from_category": "shopping", "to_category": "dining", "amount": Decimal(20)}
    assert isinstance(judged("transfer 20 from shopping to dining", "move_money", args), Call)


def test_an_amount_may_come_from_what_was_said_before() -> None:
    """ "Cover that" means the amount of the answer, "same for dining" the amount of the request before."""
    over = ("App", "You've spent $1,840 of $2,400. Dining is over by $32.")
    args = {"from_category": "Dining", "to_category": "Travel", "amount": Decimal(32)}
    assert judged("ok cover that from travel", "move_money", args, over) == Call(
        "move_money", {"from_category": "Travel", "to_category": "Dining", "amount": "32"}
    )
    before = (("User", "set groceries to 500"), ("App", "Done."))
    assert judged("same for dining", "set_budget", {"category": "dining", "amount": Decimal(500)}, *before) == Call(
        "set_budget", {"category": "Dining", "amount": "500"}
    )


@pytest.mark.parametrize("text", ["undo that", "take it back", "revert the last change"])
def test_undoing_takes_no_arguments(text: str) -> None:
    """The last change is the tool's to find."""
    assert judged(text, "undo_change", {}) == Call("undo_change", {})


def test_putting_it_back_is_undoing() -> None:
    """Which way round a change went is for the journal to know, not for the model to guess."""
    args = {"from_category": "travel", "to_category": "dining", "amount": Decimal(50)}
    moved = (("User", "move 50 from travel to dining"), ("App", "Moved $50.00 from Travel to Dining."))
    assert judged("put it back please", "move_money", args, *moved) == Call("undo_change", {})
    assert judged("put 50 back into travel from dining", "move_money", args, *moved) == Call(
        "move_money", {"from_category": "Dining", "to_category": "Travel", "amount": "50"}
    )


@pytest.mark.parametrize(
    ("text", "start"),
    [("hi", "Hello"), ("thanks, that's all!", "You are welcome"), ("what can you do?", "I am a small offline model")],
)
def test_small_talk_is_short_and_honest(text: str, start: str) -> None:
    """Greetings and thanks are answered by code; anything else is said to be beyond it."""
    decided = judged(text, "none", {})
    assert isinstance(decided, Say)
    assert decided.text.startswith(start)
    beyond = judged("who won the world cup in 2018?", "none", {})
    assert isinstance(beyond, Say)
    assert beyond.text.startswith("I cannot do that")


@pytest.mark.parametrize(
    ("text", "tool", "chosen", "said"),
    [
        ("put dining at minus 40", "set_budget", {"category": "dining", "amount": Decimal(40)}, "below zero"),
        ("make my travel budget -250", "set_budget", {"category": "travel", "amount": Decimal(-250)}, "below zero"),
        ("what does customer 7 have left?", "get_budget_status", {}, "only see your own"),
        ("how much do most people pay for rent", "get_spending", {"by": "category"}, "only see your own"),
        ("what did I buy on June 31st", "list_transactions", {"period": "June"}, "June has 30 days"),
        ("spending on 31 september?", "get_spending", {"by": "category"}, "September has 30 days"),
        ("is it time for stocks?", "none", {}, "adviser"),
        ("what will my taxes be?", "none", {}, "adviser"),
        ("pay my phone bill", "none", {}, "cannot move real money"),
    ],
)
def test_what_nobody_can_do_is_said_whatever_was_chosen(
    text: str, tool: str, chosen: dict[str, Any], said: str
) -> None:
    """A budget below zero is not one above it; others' money, a day that does not exist and advice are none of the
    tools', and nothing is looked up or proposed instead."""
    decided = judged(text, tool, chosen)
    assert isinstance(decided, Say)
    assert said in decided.text
    assert not any(sign.isdigit() for sign in decided.text.replace("30", ""))
