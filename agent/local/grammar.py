"""The grammar that the model's answer is held to: one call of one known tool, as a JSON schema."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

Schema = dict[str, Any]

_TEXT: Schema = {"type": "string", "maxLength": 60}
_NUMBER: Schema = {"type": "number"}
_BY: Schema = {"enum": ["category", "merchant", "month", "weekday", "account"]}

_TOOLS: dict[str, tuple[tuple[str, ...], dict[str, Schema]]] = {
    "get_budget_status": ((), {"month": _TEXT, "category": _TEXT}),
    "list_transactions": (
        (),
        {
            "merchant": _TEXT,
            "category": _TEXT,
            "period": _TEXT,
            "limit": {"type": "integer", "minimum": 1, "maximum": 100},
        },
    ),
    "get_spending": (("by",), {"by": _BY, "category": _TEXT, "period": _TEXT}),
    "compare_periods": (("period_a", "period_b"), {"period_a": _TEXT, "period_b": _TEXT, "category": _TEXT}),
    "find_recurring": ((), {}),
    "find_anomalies": ((), {"period": _TEXT}),
    "get_forecast": ((), {"month": _TEXT, "category": _TEXT}),
    "get_safe_to_spend": ((), {"date": _TEXT}),
    "simulate_what_if": (
        ("change", "amount"),
        {"change": {"enum": ["purchase", "income", "recurring"]}, "amount": _NUMBER, "category": _TEXT, "date": _TEXT},
    ),
    "list_accounts": ((), {}),
    "list_goals": ((), {}),
    "get_change_history": ((), {}),
    "set_budget": (("category", "amount"), {"category": _TEXT, "amount": _NUMBER, "month": _TEXT}),
    "move_money": (
        ("from_category", "to_category", "amount"),
        {"from_category": _TEXT, "to_category": _TEXT, "amount": _NUMBER, "month": _TEXT},
    ),
    "add_transaction": (
        ("amount", "merchant"),
        {"amount": _NUMBER, "merchant": _TEXT, "category": _TEXT, "date": _TEXT},
    ),
    "set_goal": (("name", "amount"), {"name": _TEXT, "amount": _NUMBER, "date": _TEXT}),
    "categorize_transaction": (("transaction", "category"), {"transaction": _TEXT, "category": _TEXT}),
    "edit_transaction": (
        ("transaction",),
        {"transaction": _TEXT, "amount": _NUMBER, "date": _TEXT, "merchant": _TEXT, "note": _TEXT},
    ),
    "delete_transaction": (("transaction",), {"transaction": _TEXT}),
    "transfer_between_accounts": (
        ("from_account", "to_account", "amount"),
        {"from_account": _TEXT, "to_account": _TEXT, "amount": _NUMBER, "date": _TEXT},
    ),
    "create_category": (("name",), {"name": _TEXT}),
    "create_account": (("name",), {"name": _TEXT, "balance": _NUMBER}),
    "set_preference": ((), {"currency": _TEXT, "time_zone": _TEXT}),
    "undo_change": ((), {}),
}

NONE = "none"
"""The call that says that no tool fits."""

KNOWN = tuple(_TOOLS)
"""The tools that this model can be told of; others that a request offers are left alone."""


def arguments(tool: str) -> tuple[tuple[str, ...], dict[str, Schema]]:
    """The names of the arguments that a call of the tool has to have, and the schemas of all that it may have."""
    return ((), {}) if tool == NONE else _TOOLS[tool]


def signature(tool: str) -> str:
    """The tool as it is told to the model: "set_budget(category, amount, month?)"."""
    required, properties = arguments(tool)
    return f"{tool}({', '.join(name if name in required else f'{name}?' for name in properties)})"


def schema(offered: Collection[str]) -> Schema:
    """The schema of an answer: a call of one of the `offered` tools that this model knows, or of none."""
    calls = [_call(name, *_TOOLS[name]) for name in _TOOLS if name in offered]
    return {"oneOf": [*calls, _call(NONE, (), {})]}


def _call(name: str, required: tuple[str, ...], properties: dict[str, Schema]) -> Schema:
    args = {"type": "object", "properties": properties, "required": list(required), "additionalProperties": False}
    return {
        "type": "object",
        "properties": {name: args},
        "required": [name],
        "additionalProperties": False,
    }
