"""Merchants as people name them, and where what is spent at one usually goes."""

from __future__ import annotations

import re
import string
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from rapidfuzz import fuzz

from db.engine import Transaction
from domain.errors import InvalidInput
from ledger import rules, transactions
from tools.names import Ambiguous, either, matching, plain
from tools.unsaid import lookalike
from tools.wording import cell


@dataclass(frozen=True, slots=True)
class Habit:
    """The category that a merchant's transactions belong in by a rule, or mostly went to."""

    category_id: UUID
    merchant: str
    by_rule: bool

    def why(self, category: str) -> str:
        """ "Groceries is where Luigi's usually goes."."""
        name = cell(self.merchant)
        return (
            f"Your rule files {name} under {category}." if self.by_rule else f"{category} is where {name} usually goes."
        )


async def spelled(tx: Transaction, said: str, words: Sequence[str]) -> str:
    """The merchant's name for a new transaction: as the ledger writes it when it is there, else as it was said.

    `words` are the user's own; a name that is neither in them nor in the ledger is nobody's but the model's. Raises
    InvalidInput for that.
    """
    name = _clean(said)
    for known in await transactions.merchants(tx):
        if plain(known).rstrip("s") == plain(name).rstrip("s"):
            return known
    if words and not _said(name, words):
        raise InvalidInput(f"Where was it? You did not mention “{cell(name)}”.")
    return string.capwords(name) if name == name.lower() else name


async def shop(tx: Transaction, said: str) -> tuple[str, ...]:
    """Every name in the ledger of the one merchant that was meant; they differ in store numbers only.

    Raises InvalidInput when there is none, Ambiguous when there are several.
    """
    found = matching(said, await transactions.merchants(tx))
    if not found:
        raise InvalidInput(f"You have no transactions at “{cell(said)}”.")
    shops: dict[str, list[str]] = {}
    for name in found:
        shops.setdefault(_without_numbers(name), []).append(name)
    if _without_numbers(said) in shops:
        return tuple(shops[_without_numbers(said)])
    if len(shops) > 1:
        names = [cell(names[0]) for names in shops.values()][:6]
        raise Ambiguous(f"Which merchant: {either(names)}?", choices=names)
    return tuple(found)


async def habit(tx: Transaction, merchant: str) -> Habit | None:
    """Where the merchant's transactions belong by a rule, or mostly went so far; None when that is not clear."""
    habits: dict[UUID, Habit] = {}
    for name in matching(merchant, await transactions.merchants(tx))[:10] or (merchant,):
        rule = await rules.for_merchant(tx, name)
        usual = rule.category_id if rule else await transactions.usual_category(tx, name)
        if usual is None:
            continue
        found = Habit(usual, name, by_rule=rule is not None)
        if plain(name) == plain(merchant):
            return found
        habits.setdefault(usual, found)
    return next(iter(habits.values())) if len(habits) == 1 else None


def _clean(said: str) -> str:
    """One line of printable characters."""
    name = " ".join("".join(c if c.isprintable() else " " for c in said).split())
    if not plain(name):
        raise InvalidInput("A transaction needs the name of a merchant.")
    return name


def _said(name: str, words: Sequence[str]) -> bool:
    """Or misspelt; but an account's number is that number or another, and letters of two scripts are not alike."""
    if lookalike(name, words):
        return False
    return fuzz.partial_ratio(plain(name), plain(" ".join(words))) >= 80


def _without_numbers(name: str) -> str:
    return " ".join(word for word in plain(name).split() if not re.search(r"\d", word)) or plain(name)
