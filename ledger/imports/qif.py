"""QIF: a line per field, named by its first character; records end with "^". A split is a run of S, E
and $ lines: category, memo and amount of each part."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from domain.money import exponent
from ledger.imports.amounts import NotAnAmount, Written, decimal_mark, take_apart, to_minor
from ledger.imports.days import order_of, to_day
from ledger.imports.mapping import Mapping
from ledger.imports.statement import Part, Progress, Rows, Statement, StatementLine, UnreadableFile
from ledger.imports.text import MEMO_LENGTH, MERCHANT_LENGTH, clean, decode

_CASH: Final = ("bank", "ccard", "cash", "oth a", "oth l")


@dataclass(slots=True)
class _Record:
    line: int
    fields: dict[str, str] = field(default_factory=dict)
    parts: list[dict[str, str]] = field(default_factory=list)


def read(data: bytes, currency: str, mapping: Mapping, progress: Progress) -> Statement:
    """The file's lines in `currency`; QIF itself names none. Raises UnreadableFile, AmbiguousFile, RowsRefused."""
    text, encoding = decode(data, mapping.encoding)
    records = _records(text)
    rows = Rows(progress, len(records))
    order = mapping.date_order or order_of([_day(record) for record in records])
    written = [take_apart(record.fields.get("T") or record.fields.get("U") or "") for record in records]
    shares = [[take_apart(part.get("$", "")) for part in record.parts] for record in records]
    figures = [w.digits for own in (written, *shares) for w in own if w]
    mark, places = mapping.decimal or decimal_mark(figures, currency), exponent(currency)
    sign = -1 if mapping.sign == "inverted" else 1

    def minor(amount: Written | None, of: str) -> int:
        if amount is None:
            raise NotAnAmount(f"The {of} has no amount.")
        return sign * to_minor(amount, mark, currency, places)

    for record, amount, own in zip(records, written, shares, strict=True):
        payee, memo = record.fields.get("P", ""), record.fields.get("M", "")
        try:
            day, whole = to_day(_day(record), order), minor(amount, "transaction (T)")
            parts = _parts(record, [minor(one, "part ($)") if one or "$" in part else None
                                    for one, part in zip(own, record.parts, strict=True)], whole)  # fmt: skip
        except NotAnAmount as wrong:
            rows.refuse(record.line, str(wrong))
        except ValueError:
            rows.refuse(record.line, f"“{clean(record.fields.get('D', ''), 32)}” is not a day.")
        else:
            rows.add(
                StatementLine(
                    line=record.line,
                    day=day,
                    minor=whole,
                    merchant=clean(payee or memo, MERCHANT_LENGTH),
                    memo=clean(memo, MEMO_LENGTH) if payee else "",
                    category=parts[0].category if len(parts) == 1 else _category(record.fields.get("L", "")),
                    parts=parts if len(parts) > 1 else (),
                )
            )
    notes = [f"QIF in {encoding}."]
    if rows.lines:
        notes.append(f"The first transaction is of {rows.lines[0].day}.")
    if split := sum(bool(line.parts) for line in rows.lines):
        notes.append(f"{split} {'is' if split == 1 else 'are'} split between categories.")
    return rows.done("qif", notes)


def _parts(record: _Record, minors: list[int | None], whole: int) -> tuple[Part, ...]:
    """The parts that are not of nothing; one without an amount is the rest. Raises NotAnAmount when they do not come to
    the whole."""
    rest = whole - sum(minor or 0 for minor in minors)
    if minors.count(None) == 1:
        minors, rest = [rest if minor is None else minor for minor in minors], 0
    if minors and rest:
        raise NotAnAmount("The parts of the split (S, $) do not come to its amount (T).")
    return tuple(
        Part(minor, _category(own.get("S", "")), clean(own.get("E", ""), MEMO_LENGTH))
        for minor, own in zip(minors, record.parts, strict=True)
        if minor
    )


def _category(said: str) -> str | None:
    """The category's name, without its class; none for a transfer to another account ("[Savings]")."""
    name = said.split("/")[0]
    return None if name.startswith("[") else clean(name, MERCHANT_LENGTH) or None


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
            code, value = line[0], line[1:].strip()
            if code == "S":
                now.parts.append({code: value})
            elif code in "E$" and now.parts:
                now.parts[-1].setdefault(code, value)
            else:
                now.fields.setdefault(code, value)
    return found


def _day(record: _Record) -> str:
    """The day with the apostrophe and spaces of Quicken ("1/ 5'26") made plain."""
    return record.fields.get("D", "").replace("'", "/").replace(" ", "")
