"""The beancount export: a plain-text double-entry ledger that beancount's own checker accepts."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import AsyncIterator, Iterable
from datetime import date
from typing import Final
from uuid import UUID

from asyncpg import Record

from db.engine import Transaction
from domain.money import Money
from ledger import categories
from ledger.categories import UNCATEGORIZED
from ledger.export import everything

_ROOTS: Final = {"credit": "Liabilities", "loan": "Liabilities"}
_KINDS: Final = {"spending": "Expenses", "income": "Income", "transfer": "Equity:Transfers"}
_OPENING: Final = "Equity:Opening-Balances"
_PIECE: Final = 64 * 1024


async def stream(tx: Transaction) -> AsyncIterator[bytes]:
    """The ledger in pieces (UTF-8): accounts are Assets and Liabilities, categories Expenses, Income and
    Equity:Transfers, opening balances come from Equity. A transaction's id and its bank's identifier are metadata."""
    own = await everything.accounts(tx)
    names = _Names()
    account_names = {row["id"]: names.make(_ROOTS.get(row["kind"], "Assets"), row["name"]) for row in own}
    category_names: dict[UUID | None, str] = {None: names.make("Expenses", UNCATEGORIZED)}
    for category in await categories.list_(tx):
        category_names[category.id] = names.make(_KINDS[category.kind], category.group, category.name)
    lines = list(_head(own, account_names, category_names.values()))
    size = 0
    async for row in everything.transactions(tx):
        lines += _transaction(row, account_names[row["account_id"]], category_names[row["category_id"]])
        size += 1
        if size % 500 == 0:
            yield "".join(lines).encode()
            lines.clear()
    yield "".join(lines).encode()


def _head(own: list[Record], account_names: dict[UUID, str], categories_: Iterable[str]) -> Iterable[str]:
    begin = min((row["first_day"] or row["created_at"].date() for row in own), default=date(1970, 1, 1))
    begin = min([begin, *(row["created_at"].date() for row in own)])
    yield 'option "title" "Penny"\n'
    for currency in sorted({row["currency"] for row in own}):
        yield f'option "operating_currency" "{currency}"\n'
    yield "\n"
    for row in own:
        yield f"{begin} open {account_names[row['id']]} {row['currency']}\n"
    for name in (*categories_, _OPENING):
        yield f"{begin} open {name}\n"
    yield "\n"
    for row in own:
        if row["opening_minor"]:
            amount = _amount(row["opening_minor"], row["currency"])
            back = _amount(-row["opening_minor"], row["currency"])
            yield f'{begin} * "Opening balance"\n  {account_names[row["id"]]}  {amount}\n  {_OPENING}  {back}\n\n'


def _transaction(row: Record, account: str, category: str) -> Iterable[str]:
    flag = "!" if row["pending"] else "*"
    yield f'{row["day"]} {flag} "{_quoted(row["merchant"])}" "{_quoted(row["memo"])}"\n  id: "{row["id"]}"\n'
    if row["import_id"]:
        yield f'  import-id: "{_quoted(row["import_id"])}"\n'
    yield f"  {account}  {_amount(row['amount_minor'], row['currency'])}\n"
    yield f"  {category}  {_amount(-row['amount_minor'], row['currency'])}\n\n"


def _amount(minor: int, currency: str) -> str:
    return f"{Money(minor, currency).amount:f} {currency}"


def _quoted(text: str) -> str:
    return " ".join(text.replace("\\", "\\\\").replace('"', '\\"').split())


class _Names:
    """Makes account names as beancount wants them: components that begin with a capital or digit, each name once."""

    def __init__(self) -> None:
        self._made = {_OPENING.casefold()}

    def make(self, *parts: str) -> str:
        """A name that was not made before, of a root and texts of people; empty ones are left out."""
        root, *texts = parts
        plain = ":".join([root, *(_component(text) for text in texts if text)])
        name, number = plain, 2
        while name.casefold() in self._made:
            name, number = f"{plain}-{number}", number + 1
        self._made.add(name.casefold())
        return name


def _component(text: str) -> str:
    """Letters, digits and hyphens, a capital letter first; accents go, and other scripts' letters stay."""
    decomposed = unicodedata.normalize("NFKD", text)
    ascii_ = "".join(c for c in decomposed if not unicodedata.combining(c))
    words = re.findall(r"[^\W_]+", unicodedata.normalize("NFC", ascii_))
    name = "-".join(words)
    return name[:1].upper() + name[1:] if name[:1].isascii() and name else f"X{name}"
