"""QIF: a line per field, named by its first character; records end with "^". Splits are taken as their sum."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from domain.money import exponent
from ledger.imports.amounts import NotAnAmount, decimal_mark, take_apart, to_minor
from ledger.imports.days import order_of, to_day
from ledger.imports.mapping import Mapping
from ledger.imports.statement import Progress, Rows, Statement, StatementLine, UnreadableFile
from ledger.imports.text import MEMO_LENGTH, MERCHANT_LENGTH, clean, decode

_CASH: Final = ("bank", "ccard", "cash", "oth a", "oth l")


@dataclass(slots=True)
class _Record:
    line: int
    fields: dict[str, str] = field(default_factory=dict)


def read(data: bytes, currency: str, mapping: Mapping, progress: Progress) -> Statement:
    """The file's lines in `currency`; QIF itself names none. Raises UnreadableFile, AmbiguousFile, RowsRefused."""
    text, encoding = decode(data, mapping.encoding)
    records = _records(text)
    rows = Rows(progress, len(records))
    order = mapping.date_order or order_of([_day(record) for record in records])
    written = [take_apart(record.fields.get("T") or record.fields.get("U") or "") for record in records]
    mark = mapping.decimal or decimal_mark([w.digits for w in written if w], currency)
    places, flipped = exponent(currency), mapping.sign == "inverted"
    for record, amount in zip(records, written, strict=True):
        payee, memo = record.fields.get("P", ""), record.fields.get("M", "")
        category = record.fields.get("L", "").split("/")[0]
        try:
            day = to_day(_day(record), order)
            if amount is None:
                raise NotAnAmount("The transaction has no amount (T).")
            minor = to_minor(amount, mark, currency, places)
        except NotAnAmount as wrong:
            rows.refuse(record.line, str(wrong))
        except ValueError:
            rows.refuse(record.line, f"“{clean(record.fields.get('D', ''), 32)}” is not a day.")
        else:
            rows.add(
                StatementLine(
                    line=record.line,
                    day=day,
                    minor=-minor if flipped else minor,
                    merchant=clean(payee or memo, MERCHANT_LENGTH),
                    memo=clean(memo, MEMO_LENGTH) if payee else "",
                    category=None if category.startswith("[") else clean(category, MERCHANT_LENGTH) or None,
                )
            )
    notes = [f"QIF in {encoding}."]
    if rows.lines:
        notes.append(f"The first transaction is of {rows.lines[0].day}.")
    return rows.done("qif", notes)


def _records(text: str) -> list[_Record]:
    """The transactions of the file's one account. Raises UnreadableFile for investments and several accounts."""
    found: list[_Record] = []
    now: _Record | None = None
    taking, accounts = False, 0
    for number, raw in enumerate(text.splitlines(), start=1):
        line = raw.strip()
        if line.startswith("!"):
            name = line[1:].casefold()
            taking = name.startswith("type:") and name.removeprefix("type:").strip() in _CASH
            accounts += taking
            if name.startswith("type:invst"):
                raise UnreadableFile(f"Line {number}: investment transactions cannot be imported.")
            if accounts > 1:
                raise UnreadableFile(f"Line {number}: the file has several accounts; export each one by itself.")
            now = None
        elif taking and line == "^":
            now = None
        elif taking and line:
            if now is None:
                now = _Record(number)
                found.append(now)
            now.fields.setdefault(line[0], line[1:].strip())
    return found


def _day(record: _Record) -> str:
    """The day with the apostrophe and spaces of Quicken ("1/ 5'26") made plain."""
    return record.fields.get("D", "").replace("'", "/").replace(" ", "")
