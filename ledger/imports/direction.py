"""Which way the money went: the sign convention of a CSV file's amounts, found from what else the file says."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, Literal

from ledger.imports.statement import AmbiguousFile
from ledger.imports.text import identity

Sign = Literal["as_is", "inverted"]

OUT: Final = {"debit", "dr", "d", "s", "soll", "af", "out", "db", "debet", "dbit", "addebito", "cargo", "débit", "出金"}
IN: Final = {"credit", "cr", "c", "h", "haben", "bij", "in", "crdt", "kredit", "accredito", "abono", "crédit", "入金"}

_PAID = re.compile(r"\b(payment|autopay|thank you|refund|return|credit|gutschrift|zahlung|merci|paiement|pago)\b", re.I)


def outgoing(word: str) -> bool | None:
    """Whether a word such as "DR", "Soll" or "Credit" says that money left; None when it says nothing."""
    plain = identity(word)
    return True if plain in OUT else False if plain in IN else None


def tells_direction(cells: Sequence[str]) -> bool:
    """Whether a column's cells say the direction: every one that is not empty is such a word."""
    words = {identity(cell) for cell in cells if cell.strip()}
    return bool(words) and words <= (OUT | IN)


def sign_of(
    amounts: Sequence[int], texts: Sequence[str], balances: Sequence[int | None], account_kind: str
) -> tuple[Sign, str]:
    """Whether negative amounts are money that left (as_is) or the other way round (inverted), and by what it was known.

    A running balance decides; else negative amounts on an account that is no credit card; else, on a credit card, on
    which side payments and refunds stand. Raises AmbiguousFile when nothing tells.
    """
    if (by_balance := _by_balance(amounts, balances)) is not None:
        return by_balance, "the running balance"
    out, back = sum(a < 0 for a in amounts), sum(a > 0 for a in amounts)
    if account_kind != "credit" and out:
        return "as_is", "the minus signs"
    if not back:
        return "as_is", "the minus signs"
    paid_out = sum(bool(_PAID.search(t)) for a, t in zip(amounts, texts, strict=True) if a < 0)
    paid_back = sum(bool(_PAID.search(t)) for a, t in zip(amounts, texts, strict=True) if a > 0)
    if account_kind == "credit" and bool(paid_out) != bool(paid_back):
        return ("inverted" if paid_out else "as_is"), "the payments to the card"
    raise AmbiguousFile(
        "It cannot be told whether positive amounts are money spent or money received; say so in the mapping: "
        "“sign”: “inverted” when spending is positive, “sign”: “as_is” when spending is negative.",
        field="sign",
    )


def _by_balance(amounts: Sequence[int], balances: Sequence[int | None]) -> Sign | None:
    """By the steps of the running balance, in the file's order or against it; None when they do not tell."""
    steps = [
        (amounts[n - 1], amounts[n], after - before)
        for n in range(1, len(amounts))
        if (before := balances[n - 1]) is not None and (after := balances[n]) is not None
    ]
    if len(steps) < 2:
        return None
    readings: dict[Sign, bool] = {
        "as_is": all(step == late for _, late, step in steps) or all(step == -early for early, _, step in steps),
        "inverted": all(step == -late for _, late, step in steps) or all(step == early for early, _, step in steps),
    }
    return next((sign for sign, holds in readings.items() if holds), None) if sum(readings.values()) == 1 else None
