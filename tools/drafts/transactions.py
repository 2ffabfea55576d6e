"""Drafts about transactions: adding one, and filing one or a merchant's all under a category."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from db.engine import Transaction
from db.sealing.ring import Ring
from domain.errors import InvalidInput, NotFound
from domain.ids import new_id
from domain.money import Money
from ledger import preferences
from ledger.changes import Change, inserted, opened, updated
from ledger.rows import Row, Table
from tools.drafts import lookup
from tools.drafts.draft import Draft, Intent
from tools.wording import cell, counted, short_day

MOST_AT_ONCE = 500
"""How many transactions one proposal may touch."""


def adding(account_id: UUID, amount: Money, day: date, merchant: str, memo: str, category_id: UUID | None) -> Intent:
    """To have a new transaction; `amount` is negative for spending, in the account's currency."""
    return Intent(
        "add_transaction",
        {
            "id": str(new_id()),
            "account": str(account_id),
            "day": day.isoformat(),
            "merchant": merchant,
            "memo": memo,
            "category": str(category_id) if category_id else None,
            **amount.json(),
        },
    )


def filing_one(transaction_id: UUID, category_id: UUID, remember: Sequence[str]) -> Intent:
    """To have this transaction in the category, and the merchants `remember` filed there from now on."""
    return Intent(
        "categorize_transaction",
        {"transaction": str(transaction_id), "category": str(category_id), "remember": list(remember)},
    )


def filing_all(merchants: Sequence[str], category_id: UUID, remember: Sequence[str]) -> Intent:
    """To have all transactions of merchants with these names (in any case) in the category."""
    return Intent(
        "categorize_transaction",
        {"merchants": list(merchants), "category": str(category_id), "remember": list(remember)},
    )


async def add_transaction(tx: Transaction, args: Mapping[str, Any]) -> Draft:
    """The draft of `adding`."""
    locale = (await preferences.get(tx)).locale
    amount = Money(args["minor"], args["currency"])
    account = await lookup.account(tx, args["account"])
    category = await lookup.category(tx, args["category"]) if args["category"] else None
    change = inserted(
        "txn",
        {"id": args["id"]},
        account_id=args["account"],
        day=args["day"],
        amount_minor=amount.minor,
        currency=amount.currency,
        merchant=args["merchant"],
        memo=args["memo"],
        category_id=args["category"],
    )
    kind = "spent at" if amount.minor < 0 else "received from"
    filed = f"in {cell(category.name)}" if category else "without a category"
    day = short_day(date.fromisoformat(args["day"]), locale)
    text = (
        f"Add {abs(amount).format(locale)} {kind} {cell(args['merchant'])} on {day}, {filed}, on {cell(account.name)}."
    )
    return Draft(text, (change,))


async def categorize(tx: Transaction, args: Mapping[str, Any]) -> Draft:
    """The draft of `filing_one` and `filing_all`. Raises InvalidInput for more than MOST_AT_ONCE transactions."""
    category = await lookup.category(tx, args["category"])
    rows = await _one(tx, args["transaction"]) if "transaction" in args else await _all_of(tx, args["merchants"])
    if category.kind != "transfer" and any(row["transfer_id"] for _, row in rows):
        raise InvalidInput(f"That is one end of a transfer between your accounts; it is not {cell(category.name)}.")
    filed = tuple(
        updated("txn", key, row, category_id=args["category"])
        for key, row in rows
        if row["category_id"] != args["category"]
    )
    if len(filed) > MOST_AT_ONCE:
        raise InvalidInput(
            f"That would move {counted(len(filed), 'transaction')} to {cell(category.name)};"
            f" at most {MOST_AT_ONCE} can be changed at once."
        )
    rules = await _rules(tx, args["remember"], args["category"])
    if not filed and not rules:
        which = await _which(tx, args, [row for _, row in rows])
        is_already = "is already" if len(rows) == 1 else "are already"
        return Draft(f"{which[0].upper()}{which[1:]} {is_already} in {cell(category.name)}.")
    parts = []
    if filed:
        moved = await _which(tx, args, [change.before or {} for change in filed])
        others = " that are not there yet" if 1 < len(filed) < len(rows) else ""
        parts.append(f"put {moved}{others} into {cell(category.name)}")
    if rules:
        parts.append(f"file {_names(args['remember'])} under {cell(category.name)} from now on")
    text = " and ".join(parts)
    return Draft(f"{text[0].upper()}{text[1:]}.", (*filed, *rules))


async def _which(tx: Transaction, args: Mapping[str, Any], rows: Sequence[Row]) -> str:
    """ "transaction 1042 (Shell, Nov 20, 2026, $40.10)", "the 23 transactions at Netflix"."""
    if "merchants" in args:
        them = counted(len(rows), "transaction") if len(rows) > 1 else "transaction"
        return f"the {them} at {_names(args['merchants'])}"
    row, locale = rows[0], (await preferences.get(tx)).locale
    amount = abs(Money(int(row["amount_minor"] or 0), str(row["currency"]))).format(locale)
    day = short_day(date.fromisoformat(str(row["day"])), locale)
    return f"transaction {row['no']} ({cell(str(row['merchant']))}, {day}, {amount})"


def _names(merchants: Sequence[str]) -> str:
    shown = [cell(name) for name in merchants[:4]]
    if len(merchants) > 4:
        return f"{', '.join(shown)} and {len(merchants) - 4} more"
    return " and ".join([", ".join(shown[:-1]), shown[-1]]) if len(shown) > 1 else shown[0]


async def _one(tx: Transaction, transaction_id: str) -> list[tuple[Row, Row]]:
    found = await tx.pg.fetch("SELECT * FROM txn WHERE user_id = $1 AND id = $2", tx.user, UUID(transaction_id))
    if not found:
        raise NotFound("That transaction is not there any more.")
    return [_keyed(tx.ring, "txn", row) for row in found]


async def _all_of(tx: Transaction, merchants: Sequence[str]) -> list[tuple[Row, Row]]:
    found = await tx.pg.fetch(
        """
        SELECT * FROM txn
         WHERE user_id = $1 AND merchant_key = ANY (SELECT lower(name) FROM unnest($2::text[]) AS name)
           AND transfer_id IS NULL
         ORDER BY day DESC, no DESC
        """,
        tx.user,
        list(merchants),
    )
    if not found:
        raise NotFound(f"There is no transaction at {_names(merchants)} any more.")
    return [_keyed(tx.ring, "txn", row) for row in found]


async def _rules(tx: Transaction, merchants: Sequence[str], category_id: str) -> tuple[Change, ...]:
    """The changes after which these merchants are filed under the category without asking."""
    found = await tx.pg.fetch(
        """
        SELECT * FROM rule
         WHERE user_id = $1 AND lower(merchant) = ANY (SELECT lower(name) FROM unnest($2::text[]) AS name)
        """,
        tx.user,
        list(merchants),
    )
    there = {str(row["merchant"]).lower(): (key, row) for key, row in (_keyed(tx.ring, "rule", row) for row in found)}
    changes = []
    for merchant in {name.lower(): name for name in merchants}.values():
        if merchant.lower() not in there:
            changes.append(inserted("rule", {"id": str(new_id())}, merchant=merchant, category_id=category_id))
        elif there[merchant.lower()][1]["category_id"] != category_id:
            key, row = there[merchant.lower()]
            changes.append(updated("rule", key, row, category_id=category_id))
    return tuple(changes)


def _keyed(ring: Ring, table: Table, row: Any) -> tuple[Row, Row]:
    key: Row = {"id": str(row["id"])}
    return key, opened(ring, table, key, row)
