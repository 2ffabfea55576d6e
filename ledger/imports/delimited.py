"""CSV: delimiter, headings, columns, order of days, decimal mark and signs are found from the data, or mapped."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Final

from domain.money import exponent
from ledger.imports import columns
from ledger.imports.amounts import NotAnAmount, Written, decimal_mark, take_apart, to_minor
from ledger.imports.columns import Columns
from ledger.imports.days import Order, looks_like_day, order_of, to_day
from ledger.imports.direction import Sign, outgoing, sign_of, tells_direction
from ledger.imports.mapping import Mapping, Role
from ledger.imports.statement import (
    MAX_ROWS,
    AmbiguousFile,
    FileTooLarge,
    Progress,
    Rows,
    Statement,
    StatementLine,
    UnreadableFile,
)
from ledger.imports.text import ID_LENGTH, MEMO_LENGTH, MERCHANT_LENGTH, clean, decode

_DELIMITERS: Final = ",;\t|"
_NAMES: Final = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
_SAMPLE_LINES: Final = 60
_PENDING: Final = {"pending", "vorgemerkt", "authorised", "authorized", "yes", "true", "in progress", "offen"}
_VOID: Final = {"declined", "reverted", "failed", "cancelled", "canceled", "rejected"}
AMOUNTS: Final[tuple[Role, ...]] = ("amount", "debit", "credit")
_MARKS: Final = {".": "point", ",": "comma"}
_ORDERS: Final = {"dmy": "day, month, year", "mdy": "month, day, year", "ymd": "year, month, day"}


@dataclass(frozen=True, slots=True)
class _Record:
    """A row of the file: the line it begins on, and its cells."""

    line: int
    cells: Sequence[str]

    def cell(self, at: int | None) -> str:
        return self.cells[at].strip() if at is not None and at < len(self.cells) else ""


@dataclass(frozen=True, slots=True)
class _Value:
    """A row's amount before the sign convention: positive or negative as written, or by column or direction word."""

    minor: int
    settled: bool


MOST_COLUMNS = 200
"""Roles are looked for in every column, and every pair of them is compared."""


def read(data: bytes, currency: str, account_kind: str, mapping: Mapping, progress: Progress) -> Statement:
    """The file's lines in `currency`. `account_kind` is the account's ("credit" has its own sign conventions).

    Raises UnreadableFile, AmbiguousFile, RowsRefused, FileTooLarge.
    """
    text, encoding = decode(data, mapping.encoding)
    delimiter = mapping.delimiter or _delimiter(text)
    records, place = _body(_records(text, delimiter), mapping)
    records, skipped = _without_end(records, place)
    records, void = _without_posting(records, place)
    table = _Table(records, place, currency, account_kind, mapping, Rows(progress, len(records)))
    notes = [f"CSV in {encoding}, separated by {_NAMES.get(delimiter, delimiter)}."]
    return table.read(notes, skipped + void)


def _delimiter(text: str) -> str:
    """The character that cuts the first lines into rows of one width, the more of them and the wider the better."""
    lines = text.splitlines(keepends=True)[:_SAMPLE_LINES]
    best, score = ",", (0, 0)
    for delimiter in _DELIMITERS:
        try:
            widths = Counter(len(row) for row in csv.reader(lines, delimiter=delimiter) if len(row) > 1)
        except csv.Error:
            continue
        if widths and (found := max((count * (width - 1), count) for width, count in widths.items())) > score:
            best, score = delimiter, found
    if not score[0]:
        raise UnreadableFile("This is no CSV, OFX, QIF or CAMT.053 file: its lines have no columns.")
    return best


def _records(text: str, delimiter: str) -> list[_Record]:
    found: list[_Record] = []
    source = io.StringIO(text, newline="")
    reader = csv.reader(source, delimiter=delimiter, skipinitialspace=True)
    begin = 1
    try:
        for cells in reader:
            if len(cells) > MOST_COLUMNS:
                raise UnreadableFile(f"Line {begin} has more than {MOST_COLUMNS} columns; no bank's file has.")
            if any(cell.strip() for cell in cells):
                found.append(_Record(begin, cells))
            begin = reader.line_num + 1
            if len(found) > MAX_ROWS + 1_000:
                raise FileTooLarge(f"A file may have {MAX_ROWS} transactions at most; split it.")
    except csv.Error:
        raise UnreadableFile(f"Line {begin}: a cell is too long or a quotation mark is never closed.") from None
    return found


def _body(records: list[_Record], mapping: Mapping) -> tuple[list[_Record], Columns]:
    """The rows below the headings, and which column is what."""
    if mapping.header is None:
        at = columns.find_headings([record.cells for record in records])
    elif mapping.header == 0:
        at = None
    else:
        at = next((n for n, record in enumerate(records) if record.line == mapping.header), None)
        if at is None:
            raise AmbiguousFile(f"Line {mapping.header}, which the mapping names for the headings, is empty.")
    headings = records[at].cells if at is not None else ()
    body = records[at + 1 :] if at is not None else records
    width = max((len(record.cells) for record in body), default=0)
    place, without = columns.given(mapping, headings, max(width, len(headings)))
    if at is None and not {"date", "amount"} <= place.keys() and not {"date", "debit", "credit"} <= place.keys():
        body = [r for r in body if len(r.cells) > 1]
        place = columns.by_content([record.cells for record in body]) | place
    elif at is not None:
        known: Columns = {
            role: n for role, n in columns.roles_of(headings).items() if role not in place and n not in place.values()
        }
        if {"debit", "credit"} & place.keys():
            known.pop("amount", None)
        elif "amount" in place:
            known = {role: n for role, n in known.items() if role not in ("debit", "credit")}
        place = known | place
        if not {"merchant", "memo", "payer"} & place.keys():
            text = columns.longest_text([record.cells for record in body], list(place.values()))
            place |= {"merchant": text} if text is not None else {}
    for role in without:
        place.pop(role, None)
    _check(place)
    if "currency" not in mapping.columns and not columns.are_codes([r.cell(place.get("currency")) for r in body]):
        place.pop("currency", None)  # "Valuta" is a currency in some languages and a day in others
    return body, place


def _check(place: Columns) -> None:
    missing = [role for role in ("date",) if role not in place]
    if not {"amount", "debit", "credit"} & place.keys():
        missing.append("amount")
    if missing:
        raise AmbiguousFile(
            f"No column is known to be the {missing[0]}; name it in the mapping: “columns”: {{“{missing[0]}”: 1}}.",
            field="columns",
        )


def _without_end(records: list[_Record], place: Columns) -> tuple[list[_Record], int]:
    """Without the rows after the last one that has a day: totals and legal notes."""
    last = len(records)
    while last and not looks_like_day(records[last - 1].cell(place["date"])):
        cells = [cell for cell in records[last - 1].cells if cell.strip()]
        if records[last - 1].cell(place["date"]) and len(cells) > 2:
            break  # a row like the others, with a day that cannot be read
        last -= 1
    return records[:last], len(records) - last


def _without_posting(records: list[_Record], place: Columns) -> tuple[list[_Record], int]:
    """Without rows that carry none: payments that came to nothing, or have no day yet; a balance brought forward."""
    amounts = [place[role] for role in AMOUNTS if role in place]

    def carries(record: _Record) -> bool:
        if record.cell(place.get("status")).casefold() in _VOID or record.cell(place["date"]).casefold() in _PENDING:
            return False
        return any(record.cell(n) for n in amounts) or not take_apart(record.cell(place.get("balance")))

    standing = [record for record in records if carries(record)]
    return standing, len(records) - len(standing)


class _Table:
    """The rows of one file on their way to lines."""

    def __init__(
        self, records: list[_Record], place: Columns, currency: str, kind: str, mapping: Mapping, rows: Rows
    ) -> None:
        self.records, self.place, self.rows, self.mapping = records, place, rows, mapping
        self.currency, self.kind, self.places = currency, kind, exponent(currency)
        self._days: dict[str, date] = {}
        self._amounts = [role for role in AMOUNTS if role in place]

    def read(self, notes: list[str], skipped: int) -> Statement:
        if tells_direction([self._cell(record, "memo") for record in self.records]):
            self.place.pop("memo", None)
        order = self.mapping.date_order or order_of([self._cell(r, "date") for r in self.records])
        written = [self._written(record) for record in self.records]
        digits = [w.digits for row in written for w in row.values()]
        mark = self.mapping.decimal or decimal_mark(digits, self.currency)
        values = [self._value(r, w, mark) for r, w in zip(self.records, written, strict=True)]
        sign, why = self._sign(values, mark)
        for record, value in zip(self.records, values, strict=True):
            if value is not None:
                self._line(record, value, order, sign)
        if self.rows.lines:
            example, day = next(iter(self._days.items()))
            notes.append(f"“{clean(example, 32)}” is {day}; decimals follow a {_MARKS[mark]}.")
        if why:
            spent = "negative" if sign == "as_is" else "positive"
            notes.append(f"Spending is {spent} in this file, by {why}.")
        return self.rows.done("csv", notes, skipped)

    def _cell(self, record: _Record, role: Role) -> str:
        return record.cell(self.place.get(role))

    def _written(self, record: _Record) -> dict[Role, Written]:
        """The amounts of a row that can be taken apart; zero and empty cells of a debit or credit column are none."""
        found: dict[Role, Written] = {}
        for role in self._amounts:
            if cell := self._cell(record, role):
                amount = take_apart(cell)
                if amount is not None and (role == "amount" or amount.digits.strip("0.,")):
                    found[role] = amount
        return found

    def _value(self, record: _Record, written: dict[Role, Written], mark: str) -> _Value | None:
        currency = self._cell(record, "currency").upper()
        try:
            if currency and currency != self.currency:
                raise NotAnAmount(f"The transaction is in {currency[:8]}, but the account is in {self.currency}.")
            if "amount" in self.place:
                if "amount" not in written:
                    raise NotAnAmount(f"“{self._cell(record, 'amount')[:32]}” is not an amount.")
                minor = to_minor(written["amount"], mark, self.currency, self.places)
                out = outgoing(self._cell(record, "direction")) if self._directed else None
                return _Value(minor, False) if out is None else _Value(-minor if out else minor, True)
            return self._from_columns(record, written, mark)
        except NotAnAmount as wrong:
            self.rows.refuse(record.line, str(wrong))
            return None

    def _from_columns(self, record: _Record, written: dict[Role, Written], mark: str) -> _Value:
        for role in ("debit", "credit"):
            cell = self._cell(record, role)
            if cell and cell not in ("-", "--") and role not in written and take_apart(cell) is None:
                raise NotAnAmount(f"“{cell[:32]}” is not an amount.")
        if len(written) > 1:
            raise NotAnAmount("The row has both a debit and a credit.")
        if not written:
            if take_apart(self._cell(record, "debit")) or take_apart(self._cell(record, "credit")):
                return _Value(0, True)
            raise NotAnAmount("The row has no amount.")
        ((role, amount),) = written.items()
        minor = to_minor(amount, mark, self.currency, self.places)
        if role == "debit":
            return _Value(minor if self._debits_negative else -minor, True)
        return _Value(minor, True)

    @cached_property
    def _directed(self) -> bool:
        """Whether a column says of every amount, none of which has a minus, if it went out or came in."""
        cells = [self._cell(record, "direction") for record in self.records]
        amounts = [take_apart(self._cell(record, "amount")) for record in self.records]
        return tells_direction(cells) and not any(a is not None and a.negative for a in amounts)

    @cached_property
    def _debits_negative(self) -> bool:
        """Whether the file's debit column has a minus before every amount."""
        debits = [w for r in self.records if (w := self._written(r).get("debit"))]
        return bool(debits) and all(amount.negative for amount in debits)

    def _sign(self, values: Sequence[_Value | None], mark: str) -> tuple[Sign, str]:
        if self.mapping.sign:
            return self.mapping.sign, "the mapping"
        open_ = [(r, v) for r, v in zip(self.records, values, strict=True) if v is not None and not v.settled]
        if not open_:
            return "as_is", ""
        balances = [self._balance(record, mark) for record, _ in open_]
        card = self.kind == "credit"
        texts = [f"{self._cell(r, 'merchant')} {self._cell(r, 'memo')}" if card else "" for r, _ in open_]
        return sign_of([value.minor for _, value in open_], texts, balances, self.kind)

    def _balance(self, record: _Record, mark: str) -> int | None:
        written = take_apart(self._cell(record, "balance"))
        try:
            return to_minor(written, mark, self.currency, self.places) if written else None
        except NotAnAmount:
            return None

    def _line(self, record: _Record, value: _Value, order: Order, sign: Sign) -> None:
        written_day = self._cell(record, "date")
        day = self._days.get(written_day)
        if day is None:
            try:
                day = self._days[written_day] = to_day(written_day, order)
            except ValueError:
                self.rows.refuse(record.line, f"“{clean(written_day, 32)}” is not a day ({_ORDERS[order]}).")
                return
        minor = -value.minor if sign == "inverted" and not value.settled else value.minor
        payer = self._cell(record, "payer") if minor > 0 else ""
        merchant = clean(payer or self._cell(record, "merchant"), MERCHANT_LENGTH)
        memo = clean(self._cell(record, "memo"), MEMO_LENGTH)
        self.rows.add(
            StatementLine(
                line=record.line,
                day=day,
                minor=minor,
                merchant=merchant or memo[:MERCHANT_LENGTH].rstrip(),
                memo=memo if merchant else "",
                bank_id=clean(self._cell(record, "id"), ID_LENGTH) or None,
                category=clean(self._cell(record, "category"), MERCHANT_LENGTH) or None,
                pending=self._cell(record, "status").casefold() in _PENDING,
            )
        )
