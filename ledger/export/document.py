"""The JSON export: one document with everything, its sections written one after the other."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

import orjson

from db.engine import Transaction
from ledger import categories, goals, rules
from ledger.export import everything

Section = Callable[[Transaction], AsyncIterator[Any]]
"""Yields the items of one of the document's lists, as JSON values."""

_PIECE: Final = 64 * 1024


async def stream(tx: Transaction, now: datetime, others: Mapping[str, Section]) -> AsyncIterator[bytes]:
    """The document in pieces (UTF-8): user, exported_at, accounts, categories, budgets, transactions, rules, goals,
    facts, journal, sessions, and then holds and rates. Amounts are `{minor, currency}`, spending negative.

    `others` gives the sections that are not the ledger's ("sessions"); a section that nobody gives is an empty list.
    """
    head = {"user": str(tx.user), "exported_at": now.astimezone(UTC).isoformat()}
    buffer = bytearray(orjson.dumps(head)[:-1])
    sections: dict[str, Section] = {
        "accounts": _accounts,
        "categories": _categories,
        "budgets": _budgets,
        "transactions": _transactions,
        "rules": _rules,
        "goals": _goals,
        "facts": _none,
        "journal": everything.journal_entries,
        "sessions": _none,
        "holds": _holds,
        "rates": _rates,
        **others,
    }
    for name, section in sections.items():
        buffer += b",\n" + orjson.dumps(name) + b":["
        separator = b"\n"
        async for item in section(tx):
            buffer += separator + orjson.dumps(item)
            separator = b",\n"
            if len(buffer) > _PIECE:
                yield bytes(buffer)
                buffer.clear()
        buffer += b"]"
    yield bytes(buffer + b"}\n")


async def _none(_: Transaction) -> AsyncIterator[Any]:
    return
    yield


def _amount(minor: int, currency: str) -> dict[str, Any]:
    return {"minor": minor, "currency": currency}


async def _accounts(tx: Transaction) -> AsyncIterator[Any]:
    for row in await everything.accounts(tx):
        yield {
            "id": str(row["id"]),
            "name": row["name"],
            "kind": row["kind"],
            "currency": row["currency"],
            "opening": _amount(row["opening_minor"], row["currency"]),
            "balance": _amount(row["balance_minor"], row["currency"]),
        }


async def _categories(tx: Transaction) -> AsyncIterator[Any]:
    for category in await categories.list_(tx):
        yield {
            "id": str(category.id),
            "name": category.name,
            "group": category.group,
            "kind": category.kind,
            "rollover": category.rollover,
        }


async def _budgets(tx: Transaction) -> AsyncIterator[Any]:
    async for row in everything.budgets(tx):
        yield {
            "month": row["month"].isoformat()[:7],
            "category": row["category"],
            "amount": _amount(row["amount_minor"], row["currency"]),
        }


async def _transactions(tx: Transaction) -> AsyncIterator[Any]:
    async for posted in everything.transactions(tx):
        row = posted.row
        yield {
            "id": str(row["id"]),
            "date": row["day"].isoformat(),
            "amount": posted.amount.json(),
            "merchant": row["merchant"],
            "memo": row["memo"],
            "category": posted.category,
            "account": row["account"],
            "pending": row["pending"],
            "import_id": row["import_id"],
            "splits": [_part(part) for part in posted.parts],
            "transfer_id": _id(row["transfer_id"]),
            "note": "" if posted.parts else row["note"],
            "tags": [] if posted.parts else row["tags"].split(),
            "refund_of": _id(row["refund_of"]),
        }


def _part(part: everything.Part) -> dict[str, Any]:
    return {
        "id": str(part.id),
        "amount": part.amount.json(),
        "category": part.category,
        "note": part.note,
        "tags": list(part.tags),
    }


def _id(value: UUID | None) -> str | None:
    return str(value) if value else None


async def _rules(tx: Transaction) -> AsyncIterator[Any]:
    for rule in await rules.list_(tx):
        yield {"id": str(rule.id), "merchant": rule.merchant, "category": rule.category}


async def _goals(tx: Transaction) -> AsyncIterator[Any]:
    for goal in await goals.list_(tx):
        yield {
            "id": str(goal.id),
            "name": goal.name,
            "amount": goal.amount.json(),
            "due": goal.due.isoformat() if goal.due else None,
            "account": goal.account,
            "category": goal.category,
            "start_day": goal.start_day.isoformat(),
            "start": goal.start.json(),
        }


async def _holds(tx: Transaction) -> AsyncIterator[Any]:
    for row in await everything.holds(tx):
        yield {"month": row["month"].isoformat()[:7], "amount": _amount(row["amount_minor"], row["currency"])}


async def _rates(tx: Transaction) -> AsyncIterator[Any]:
    async for row in everything.exchange_rates(tx):
        yield {
            "date": row["day"].isoformat(),
            "base": row["base"],
            "quote": row["quote"],
            "rate": f"{row['rate'].normalize() + 0:f}",
            "source": row["source"],
        }
