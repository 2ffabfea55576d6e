"""Reads what a case is given."""

from __future__ import annotations

from dataclasses import fields, replace
from decimal import Decimal
from typing import Any, Final, cast, get_args

from domain.errors import PennyError
from domain.nodes import Node
from domain.periods import Month
from lab.cases.case import (
    AccountRow,
    BudgetRow,
    CategoryRow,
    Exchange,
    Given,
    GoalRow,
    RateRow,
    TxnRow,
)
from ledger.accounts import Kind as AccountKind
from ledger.categories import Kind as CategoryKind

_GIVEN: Final = tuple(field.name for field in fields(Given))


def parse(node: Node, shared: Given) -> Given:
    """What the case is given, on top of what its file gives all of them."""
    found: dict[str, Any] = {}
    for name, value in node.keys(_GIVEN).items():
        match name:
            case "household":
                found[name] = value.one_of(("sample", "empty"))
            case "today":
                found[name] = value.day()
            case "filler":
                found[name] = value.count()
            case "facts":
                found[name] = value.texts()
            case "rules":
                found[name] = tuple((shop, category.text()) for shop, category in value.pairs().items())
            case "locale" | "currency" | "time_zone":
                found[name] = value.text()
            case _:
                found[name] = value.each(_ROWS[name])
    return replace(shared, **found)


def _account(node: Node) -> AccountRow:
    keys = node.keys(("name", "kind", "opening", "currency"), ("name",))
    return AccountRow(
        keys["name"].text(),
        keys["kind"].one_of(get_args(AccountKind)) if "kind" in keys else "checking",
        keys["opening"].number() if "opening" in keys else Decimal(0),
        keys["currency"].text() if "currency" in keys else None,
    )


def _category(node: Node) -> CategoryRow:
    if not node.is_map:
        return CategoryRow(node.text())
    keys = node.keys(("name", "kind", "group"), ("name",))
    return CategoryRow(
        keys["name"].text(),
        keys["kind"].one_of(get_args(CategoryKind)) if "kind" in keys else "spending",
        keys["group"].text() if "group" in keys else "",
    )


def _budget(node: Node) -> BudgetRow:
    keys = node.keys(("category", "month", "amount"), ("category", "month", "amount"))
    try:
        month = str(Month.parse(keys["month"].text()))
    except (PennyError, ValueError):
        raise keys["month"].wrong("has to be a month like 2026-11.") from None
    return BudgetRow(keys["category"].text(), month, keys["amount"].number())


def _txn(node: Node) -> TxnRow:
    allowed = ("day", "amount", "merchant", "category", "account", "memo", "pending")
    keys = node.keys(allowed, ("day", "amount", "merchant"))
    return TxnRow(
        keys["day"].day(),
        keys["amount"].number(),
        keys["merchant"].text(),
        keys["category"].text() if "category" in keys else None,
        keys["account"].text() if "account" in keys else None,
        keys["memo"].text() if "memo" in keys else "",
        keys["pending"].flag() if "pending" in keys else False,
    )


def _goal(node: Node) -> GoalRow:
    keys = node.keys(("name", "amount", "date", "account"), ("name", "amount"))
    return GoalRow(
        keys["name"].text(),
        keys["amount"].number(),
        keys["date"].day() if "date" in keys else None,
        keys["account"].text() if "account" in keys else None,
    )


def _rate(node: Node) -> RateRow:
    names = ("base", "quote", "rate", "day")
    keys = node.keys(names, names)
    return RateRow(keys["base"].text(), keys["quote"].text(), keys["rate"].number(), keys["day"].day())


def _exchange(node: Node) -> Exchange:
    keys = node.keys(("user", "penny"), ("user", "penny"))
    return Exchange(keys["user"].text(), keys["penny"].text())


_ROWS: Final = cast(
    "dict[str, Any]",
    {
        "accounts": _account,
        "categories": _category,
        "budgets": _budget,
        "transactions": _txn,
        "goals": _goal,
        "rates": _rate,
        "history": _exchange,
    },
)
