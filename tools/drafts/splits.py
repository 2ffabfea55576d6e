"""Drafts that split a posting into several of different categories, split it anew, or make one of it again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from db.engine import Transaction
from domain.errors import InvalidInput
from domain.ids import new_id
from domain.money import Money
from ledger import bonds, preferences
from ledger.changes import Change, deleted, inserted, updated
from tools.drafts import lookup
from tools.drafts.draft import Draft, Intent
from tools.drafts.editing import which
from tools.wording import cell

_INHERITED = ("account_id", "day", "currency", "merchant", "memo", "pending", "tags", "refund_of")


def splitting(transaction_id: UUID, parts: Sequence[tuple[UUID, int | None]]) -> Intent:
    """To have the transaction be these (category, minor units without sign); None is what the others leave."""
    told = [{"id": str(new_id()), "category": str(category), "minor": minor} for category, minor in parts]
    return Intent("split_transaction", {"transaction": str(transaction_id), "parts": told})


async def split_transaction(tx: Transaction, args: Mapping[str, Any]) -> Draft:
    """The draft of `splitting`: the first part keeps the transaction's number, the others get numbers of their own.

    Raises InvalidInput when the parts do not come to the transaction's amount to the minor unit.
    """
    locale = (await preferences.get(tx)).locale
    about = await bonds.posting(tx, args["transaction"])
    if about[1]["transfer_id"] is not None:
        raise InvalidInput("That is one end of a transfer between your accounts; a transfer is not split.")
    rows = await bonds.parts(tx, about)
    (first, kept), others = rows[0], rows[1:]
    if await bonds.refunds(tx, others):
        raise InvalidInput("There is a refund of one of its parts; delete that one first.")
    currency = str(kept["currency"])
    whole = sum(int(row["amount_minor"] or 0) for _, row in rows)
    minors = _amounts([part["minor"] for part in args["parts"]], Money(whole, currency), locale)
    if len(rows) == len(minors) == 1:
        raise InvalidInput("A split has at least two parts.")
    names = [cell((await lookup.category(tx, part["category"])).name) for part in args["parts"]]
    sign = 1 if whole > 0 else -1
    changes: list[Change] = [deleted("txn", key, row) for key, row in reversed(others)]
    changes.append(updated("txn", first, kept, amount_minor=sign * minors[0], category_id=args["parts"][0]["category"]))
    for part, minor in zip(args["parts"][1:], minors[1:], strict=True):
        changes.append(
            inserted(
                "txn",
                {"id": part["id"]},
                amount_minor=sign * minor,
                category_id=part["category"],
                split_of=first["id"],
                **{name: kept[name] for name in _INHERITED},
            )
        )
    shown = [f"{name} {Money(minor, currency).format(locale)}" for name, minor in zip(names, minors, strict=True)]
    what = which((first, {**kept, "amount_minor": whole}), locale)
    if len(shown) == 1:
        return Draft(f"Make {what} one again, in {names[0]}.", tuple(changes))
    return Draft(f"Split {what} into {', '.join(shown[:-1])} and {shown[-1]}.", tuple(changes))


def _amounts(minors: Sequence[int | None], whole: Money, locale: str) -> list[int]:
    """The parts' amounts, the one left out filled in. Raises InvalidInput when they are not the whole."""
    if any(minor is not None and minor <= 0 for minor in minors):
        raise InvalidInput("Each part needs an amount of more than nothing.")
    size = abs(whole)
    given = Money(sum(minor for minor in minors if minor is not None), size.currency)
    rest = size - given
    if None in minors and rest.minor <= 0:
        raise InvalidInput(f"{given.format(locale)} is all of the {size.format(locale)} or more; nothing is left over.")
    if None not in minors and rest.minor:
        off = f"{abs(rest).format(locale)} {'is missing' if rest.minor > 0 else 'too much'}"
        raise InvalidInput(f"The parts come to {given.format(locale)}, the whole is {size.format(locale)}: {off}.")
    return [rest.minor if minor is None else minor for minor in minors]
