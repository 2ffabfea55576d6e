"""The beancount export: a plain-text double-entry ledger that beancount's own checker accepts."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import AsyncIterator, Iterable, Mapping
from datetime import date
from typing import Final
from uuid import UUID

from asyncpg import Record

from db.engine import Transaction
from domain.money import Money
from ledger import categories
from ledger.categories import UNCATEGORIZED
from ledger.export import everything
from ledger.export.everything import Posted

_ROOTS: Final = {"credit": "Liabilities", "loan": "Liabilities"}
_KINDS: Final = {"spending": "Expenses", "income": "Income", "transfer": "Equity:Transfers"}
_OPENING: Final = "Equity:Opening-Balances"
_Made = Mapping[UUID | None, str]


async def stream(tx: Transaction) -> AsyncIterator[bytes]:
    """The ledger in pieces (UTF-8): accounts are Assets and Liabilities, categories Expenses, Income and
    Equity:Transfers, opening balances come from Equity. A split is one transaction with several postings, the two ends
    of a transfer are one as well, with the price paid when the currencies differ. Ids, the bank's identifiers and notes
    are metadata, tags are tags."""
    own = await everything.accounts(tx)
    names = _Names()
    account_names: dict[UUID | None, str] = {
        row["id"]: names.make(_ROOTS.get(row["kind"], "Assets"), row["name"]) for row in own
    }
    category_names: dict[UUID | None, str] = {None: names.make("Expenses", UNCATEGORIZED)}
    for category in await categories.list_(tx):
        category_names[category.id] = names.make(_KINDS[category.kind], category.group, category.name)
    lines = list(_head(own, account_names, category_names.values()))
    size = 0
    async for posted in everything.transactions(tx):
        lines += _transaction(posted, account_names, category_names)
        size += 1
        if size % 500 == 0:
            yield "".join(lines).encode()
            lines.clear()
    yield "".join(lines).encode()


def _head(own: list[Record], account_names: _Made, categories_: Iterable[str]) -> Iterable[str]:
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


def _transaction(posted: Posted, account_names: _Made, category_names: _Made) -> Iterable[str]:
    row, account = posted.row, account_names[posted.row["account_id"]]
    if row["other_id"] and (row["amount_minor"], row["id"]) > (row["other_minor"], row["other_id"]):
        return  # the end that money left tells of both
    flag = "!" if row["pending"] else "*"
    tags = "".join(f" #{tag}" for tag in _tags(row["tags"]))
    yield f'{row["day"]} {flag} "{_quoted(row["merchant"])}" "{_quoted(row["memo"])}"{tags}\n  id: "{row["id"]}"\n'
    for name in ("import_id", "transfer_id", "refund_of"):
        if row[name]:
            yield f'  {name.replace("_", "-")}: "{_quoted(str(row[name]))}"\n'
    if row["note"] and not posted.parts:
        yield f'  note: "{_quoted(row["note"])}"\n'
    amount = _amount(posted.amount.minor, row["currency"])
    if row["other_id"]:
        other = _amount(row["other_minor"], row["other_currency"])
        price = f" @@ {_amount(abs(row['other_minor']), row['other_currency'])}"
        yield f"  {account}  {amount}{price if row['currency'] != row['other_currency'] else ''}\n"
        yield f'  {account_names[row["other_account_id"]]}  {other}\n    id: "{row["other_id"]}"\n'
        if row["other_import_id"]:
            yield f'    import-id: "{_quoted(row["other_import_id"])}"\n'
        yield "\n"
        return
    yield f"  {account}  {amount}\n"
    if not posted.parts:
        yield f"  {category_names[row['category_id']]}  {_amount(-posted.amount.minor, row['currency'])}\n"
    for part in posted.parts:
        yield f"  {category_names[part.category_id]}  {_amount(-part.amount.minor, row['currency'])}\n"
        yield f'    id: "{part.id}"\n'
        if part.note:
            yield f'    note: "{_quoted(part.note)}"\n'
    yield "\n"


def _tags(tags: str) -> Iterable[str]:
    """The tags as beancount has them: what is no letter, digit, hyphen, slash, point or underscore is a hyphen."""
    return dict.fromkeys(plain for tag in tags.split() if (plain := re.sub(r"[^A-Za-z0-9_/.-]+", "-", tag).strip("-")))


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
