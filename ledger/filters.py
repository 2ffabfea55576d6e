"""Which transactions a question is about, as a value, and as the SQL condition that selects them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from domain.money import Money
from domain.periods import DateRange

SAID = "(t.memo <> '' OR t.note <> '' OR t.tags <> '')"
"""Transactions with words beside the merchant; an index holds just them, by this very condition."""


@dataclass(frozen=True, slots=True)
class TxnFilter:
    """Every condition that is set must hold; none set means every transaction.

    `merchant` is part of a merchant's name and `text` part of the merchant, memo, note or tags, in any case;
    `merchant_is` is the whole name and `merchants` any of several, in any case. `at_least` and `at_most` bound the
    amount's size without its sign, and keep to their own currency, since amounts of unlike currencies are not compared.
    `flow` is money that was spent or that was earned; what moves between own accounts is neither.
    """

    days: DateRange | None = None
    category: UUID | None = None
    uncategorized: bool = False
    account: UUID | None = None
    merchant: str | None = None
    merchant_is: str | None = None
    merchants: tuple[str, ...] = ()
    text: str | None = None
    at_least: Money | None = None
    at_most: Money | None = None
    flow: Literal["out", "in"] | None = None
    noted: tuple[UUID, ...] = ()
    """Transactions that `text` is in by their sealed memo or note, which SQL cannot see (ledger.noted)."""

    @property
    def narrow(self) -> bool:
        """Whether it asks for more than days, category and account, so that single transactions must be looked at."""
        names = self.merchant or self.merchant_is or self.merchants or self.text
        return bool(names or self.at_least or self.at_most or self.flow)


def condition(wanted: TxnFilter, params: list[object]) -> str:
    """The SQL condition on `txn t` and its values, which are appended to `params` (the user's id stands there first).

    Only placeholders are spliced, never a value.
    """

    def arg(value: object) -> str:
        params.append(value.replace("\0", "") if isinstance(value, str) else value)
        return f"${len(params)}"

    parts = ["t.user_id = $1"]
    if wanted.days:
        parts.append(f"t.day BETWEEN {arg(wanted.days.start)} AND {arg(wanted.days.end)}")
    if wanted.category:
        parts.append(f"t.category_id = {arg(wanted.category)}")
    if wanted.uncategorized:
        parts.append("t.category_id IS NULL")
    if wanted.account:
        parts.append(f"t.account_id = {arg(wanted.account)}")
    if wanted.merchant:
        parts.append(_merchant_has(arg(wanted.merchant)))
    if wanted.merchant_is:
        parts.append(f"t.merchant_key = lower({arg(wanted.merchant_is)})")
    if wanted.merchants:
        names = arg([name.replace("\0", "") for name in wanted.merchants])
        parts.append(f"t.merchant_key = ANY (ARRAY(SELECT lower(name) FROM unnest({names}::text[]) name))")  # noqa: S608
    if wanted.text:
        text = arg(wanted.text)
        own = "lower(t.memo || E'\\n' || t.note || E'\\n' || t.tags)"
        noted = f" OR t.id = ANY ({arg(list(wanted.noted))}::uuid[])" if wanted.noted else ""
        parts.append(f"({_merchant_has(text)} OR {SAID} AND strpos({own}, (SELECT lower({text}::text))) > 0{noted})")
    for bound, compare in ((wanted.at_least, ">="), (wanted.at_most, "<=")):
        if bound:
            parts.append(f"(t.currency = {arg(bound.currency)} AND abs(t.amount_minor) {compare} {arg(bound.minor)})")
    if wanted.flow:
        parts.append(f"t.amount_minor {'<' if wanted.flow == 'out' else '>'} 0 AND t.transfer_id IS NULL")
        parts.append(
            "NOT EXISTS (SELECT FROM category moved WHERE moved.user_id = $1 AND moved.id = t.category_id"
            " AND moved.kind = 'transfer')"
        )
    return " AND ".join(parts)


def _merchant_has(text: str) -> str:
    """By way of the merchants' own list, which is short, and the index on names."""
    return (
        "t.merchant_key = ANY (ARRAY(SELECT m.key FROM merchant m"  # noqa: S608
        f" WHERE m.user_id = $1 AND strpos(m.key, lower({text})) > 0))"
    )
