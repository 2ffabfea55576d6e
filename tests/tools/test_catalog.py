"""The catalog: what the model is offered, and what becomes of calls that do not fit."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from domain.money import Money
from tools import catalog
from tools.reads import READS
from tools.result import ToolResult
from tools.tool import AnyAmount, Args, Tool, ToolContext

CONTRACT = {
    "get_budget_status": ["month?", "category?"],
    "list_transactions": [
        "category?",
        "merchant?",
        "account?",
        "period?",
        "text?",
        "min_amount?",
        "max_amount?",
        "limit?",
        "order?",  # decision 0006
    ],
    "get_spending": ["by", "period?", "category?"],
    "compare_periods": ["period_a", "period_b", "category?"],
    "find_recurring": ["category?"],
    "find_anomalies": ["period?"],
    "get_forecast": ["month?", "category?"],
    "get_safe_to_spend": ["date?"],
    "simulate_what_if": ["change", "amount", "category?", "to_category?", "date?"],
    "list_accounts": [],
    "get_change_history": ["limit?"],
    "list_facts": [],
    "remember_fact": ["text", "kind?", "instead_of?"],
    "forget_fact": ["fact"],
    "set_budget": ["category", "amount", "month?"],
    "move_money": ["from_category", "to_category", "amount", "month?"],
    "add_transaction": ["amount", "merchant", "category?", "account?", "date?", "memo?"],
}
TOOLS = pytest.mark.parametrize("tool", catalog.CATALOG, ids=lambda tool: tool.name)


@pytest.mark.parametrize("name", CONTRACT)
def test_names_and_arguments_are_the_contracts(name: str) -> None:
    """Each tool has exactly the arguments that CONTRACT.md gives it, the optional ones optional."""
    tool = catalog.find(name)
    assert tool is not None
    schema = tool.spec()["input_schema"]
    assert [n if n in schema["required"] else f"{n}?" for n in schema["properties"]] == CONTRACT[name]


@TOOLS
def test_a_schema_has_nothing_of_users_sql_addresses_or_code(tool: Tool[Args]) -> None:
    """No argument of any tool names a user, tenant, SQL, URL, code, path or table."""
    names = tool.spec()["input_schema"]["properties"]
    forbidden = re.compile(r"user|tenant|owner|sql|query|url|uri|link|code|script|path|table|column|where|filter")
    assert [name for name in names if forbidden.search(name)] == []


@TOOLS
def test_a_schema_is_flat_and_closed(tool: Tool[Args]) -> None:
    """A schema is one object of plain values, without references or unions, and takes nothing else."""
    spec = tool.spec()
    schema = spec["input_schema"]
    assert schema["type"] == "object"
    assert schema["additionalProperties"] is False
    assert {p.get("type") for p in schema["properties"].values()} <= {"string", "number", "integer", "boolean"}
    assert not re.search(r"\$ref|\$defs|anyOf|oneOf|title", json.dumps(schema))
    assert len(json.dumps(spec)) < 2000


@TOOLS
async def test_an_argument_too_many_is_refused_by_name(tool: Tool[Args], newcomer: ToolContext) -> None:
    """A user id among the arguments is refused, and the answer says what the tool takes."""
    result = await catalog.call(newcomer, tool.name, {"user_id": "someone else's"})
    assert not result.ok
    assert "'user_id' is not an argument" in result.summary
    assert "someone" not in result.summary


def test_names_are_unique() -> None:
    """No two tools have one name."""
    names = [tool.name for tool in catalog.CATALOG]
    assert len(set(names)) == len(names)


def test_reads_and_writes_are_told_apart() -> None:
    """A tool that makes proposals says so; the reads do not."""
    assert not any(tool.writes for tool in READS)
    assert all(tool.writes for tool in catalog.CATALOG if tool not in READS)


async def test_an_unknown_tool_names_the_tools(newcomer: ToolContext) -> None:
    """A tool that does not exist is answered with those that do."""
    result = await catalog.call(newcomer, "drop_tables", {})
    assert not result.ok
    assert "get_spending" in result.summary


async def test_a_missing_and_a_wrong_argument_are_both_named(newcomer: ToolContext) -> None:
    """One answer says everything that is wrong."""
    result = await catalog.call(newcomer, "compare_periods", {"period_a": ["x"]})
    assert not result.ok
    assert "period_a: input should be a valid string" in result.summary
    assert "period_b is needed" in result.summary


async def test_a_penny_error_becomes_an_answer(newcomer: ToolContext) -> None:
    """What a tool refuses is told, not raised."""
    result = await catalog.call(newcomer, "get_spending", {"by": "category", "period": "banana"})
    assert not result.ok
    assert "“banana” is not a period I know" in result.summary


async def test_a_defect_propagates(newcomer: ToolContext) -> None:
    """An exception that is not Penny's own is not swallowed."""

    async def broken(_: ToolContext, __: Args) -> ToolResult:
        raise RuntimeError("a defect")

    tool = replace(READS[0], run=broken)
    with pytest.raises(RuntimeError, match="a defect"):
        await catalog.call(newcomer, tool.name, {}, tools=[tool])


def test_null_and_empty_count_as_left_out() -> None:
    """Models send null and empty text for what the user did not say."""
    tool = catalog.find("get_spending")
    assert tool is not None
    args = tool.args.model_validate({"by": "category", "period": None, "category": "  "})
    assert args.model_dump() == {"by": "category", "period": None, "category": None}


@pytest.mark.parametrize(("written", "value"), [(42.5, "42.5"), ("$1,200.50", "1200.50"), ("12", "12"), ("€3", "3")])
def test_an_amount_may_be_written_as_people_write_it(written: object, value: str) -> None:
    """Signs and separators of thousands are understood."""
    assert _Priced.model_validate({"amount": written}).amount == Decimal(value)


@pytest.mark.parametrize("written", ["42,50", -5, "NaN", "Infinity", 10**13, "many", True])
def test_what_is_no_amount_is_refused(written: object) -> None:
    """A decimal comma is not read as a thousands separator: ten times too much is worse than a question."""
    with pytest.raises(ValueError, match="amount"):
        _Priced.model_validate({"amount": written})


@pytest.mark.parametrize(
    ("name", "args", "words"),
    [
        (
            "get_spending",
            {"by": "category", "category": "Groceries", "period": "october"},
            "Looking at Groceries in October",
        ),
        ("get_spending", {"by": "merchant", "period": "last week"}, "Looking at spending by merchant last week"),
        ("get_budget_status", {}, "Looking at your budgets"),
        ("list_transactions", {"merchant": "Target"}, "Looking at Target transactions"),
        ("compare_periods", {"period_a": "May", "period_b": "June"}, "Comparing spending: May and June"),
        ("get_spending", {"by": "nonsense"}, "Get spending"),
        ("no_such_tool", {}, "Trying no_such_tool"),
    ],
)
def test_a_call_is_labelled_in_words(name: str, args: dict[str, object], words: str) -> None:
    """A label says what is being looked at, for valid and for invalid calls."""
    assert catalog.label(name, args) == words


def test_a_context_speaks_the_users_money(newcomer: ToolContext) -> None:
    """Amounts are in the user's currency and shown as their locale writes them."""
    assert newcomer.amount(Decimal("12.50")) == Money(1250, "USD")
    assert newcomer.show(Money(-123456, "USD")) == "-$1,234.56"
    assert newcomer.today == date(2026, 11, 22)


class _Priced(Args):
    amount: AnyAmount
