"""OFX and QFX: 1.x, which is SGML whose values have no end tags, and 2.x, which is XML, by one scanner of tags.

Banks deviate from the specification in ways that a strict reader refuses (empty values, tags of their own, texts too
long), so only what a posting needs is read. Entities of a document type are refused; there is nothing to expand.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from datetime import date
from typing import Final

from domain.money import exponent
from ledger.imports.amounts import NotAnAmount, plain_minor
from ledger.imports.statement import Progress, Rows, Statement, StatementLine, UnreadableFile
from ledger.imports.text import ID_LENGTH, MEMO_LENGTH, MERCHANT_LENGTH, clean, decode

_TAG = re.compile(r"<(/?)([A-Za-z0-9._]{1,40})\s*/?>([^<]*)")
_CDATA = re.compile(r"<!\[CDATA\[([^\]<]{0,1000})\]\]>")
_NO_ID: Final = {"", "0", "NONE", "NONREF", "NOTPROVIDED", "N/A", "NULL"}
_STATEMENTS: Final = {"STMTRS", "CCSTMTRS", "INVSTMTRS"}
_CHARSET = re.compile(rb"CHARSET:\s*(\d+)")

Fields = dict[str, str]


def is_ofx(head: str) -> bool:
    """Whether the beginning of a file is OFX."""
    return "OFXHEADER" in head.upper() or "<OFX>" in head.upper()


def read(data: bytes, currency: str, progress: Progress) -> Statement:
    """The lines of the file's one statement. Raises UnreadableFile, RowsRefused."""
    text = _text(data)
    rows = Rows(progress)
    places = exponent(currency)
    for line, fields in _transactions(text):
        try:
            _check_currency(fields, currency)
            amount = fields.get("TRNAMT", "").replace(" ", "")
            minor = plain_minor(amount, currency, places)
            day = _day(fields.get("DTPOSTED") or fields.get("DTUSER") or "")
        except NotAnAmount as wrong:
            rows.refuse(line, str(wrong))
            continue
        except ValueError:
            rows.refuse(line, f"“{clean(fields.get('DTPOSTED', ''), 32)}” is not a day (DTPOSTED).")
            continue
        name = fields.get("NAME") or fields.get("PAYEE.NAME") or ""
        memo = fields.get("MEMO", "")
        bank_id = clean(fields.get("FITID", ""), ID_LENGTH)
        rows.add(
            StatementLine(
                line=line,
                day=day,
                minor=minor,
                merchant=clean(name or memo, MERCHANT_LENGTH),
                memo=clean(memo, MEMO_LENGTH) if name and memo != name else "",
                bank_id=None if bank_id.upper() in _NO_ID else bank_id,
                pending=fields.get("PENDING") == "Y",
            )
        )
    return rows.done("ofx", ["OFX, deduplicated by the bank's identifiers (FITID)."])


def _text(data: bytes) -> str:
    declared = _CHARSET.search(data[:1024])
    encoding = None
    if declared and not data.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
        encoding = f"cp{declared[1].decode()}"
        try:
            data.decode("utf-8")
            encoding = None  # as many banks do whatever their header says
        except UnicodeDecodeError:
            pass
    text, _ = decode(data, encoding)
    head = text[:4096].upper()
    if "<!DOCTYPE" in head or "<!ENTITY" in text.upper():
        raise UnreadableFile("The file defines entities of its own, which a statement does not.")
    begin = text.upper().find("<OFX>")
    if begin < 0:
        raise UnreadableFile("The file is called OFX but has no <OFX> part.")
    return text[:begin].count("\n") * "\n" + _CDATA.sub(lambda m: html.escape(m[1]), text[begin:])


def _transactions(text: str) -> Iterator[tuple[int, Fields]]:
    """Each <STMTTRN>: the line it is on, and its values, with the statement's currency as "CURDEF"."""
    fields: Fields | None = None
    currency, within, at, begun, statements = "", "", 0, 1, 0
    for tag in _TAG.finditer(text):
        closing, name, value = tag[1], tag[2].upper(), tag[3].strip()
        if closing:
            if name == "STMTTRN" and fields is not None:
                yield begun, fields
                fields = None
            elif name == within:
                within = ""
        elif name == "STMTTRN":
            if fields is not None:
                raise UnreadableFile(f"Line {begun}: a transaction begins that does not end.")
            begun += text.count("\n", at, tag.start())
            at = tag.start()
            fields, within = {"CURDEF": currency}, ""
        elif name in _STATEMENTS:
            statements += 1
            if statements > 1 or name == "INVSTMTRS":
                raise UnreadableFile("The file has several accounts or investments; export one account by itself.")
        elif name == "CURDEF":
            currency = value.upper()
        elif fields is not None:
            if name in ("PAYEE", "CURRENCY", "ORIGCURRENCY"):
                within = name
            elif value:
                fields.setdefault(f"{within}.{name}" if within else name, html.unescape(value))
    if fields is not None:
        raise UnreadableFile(f"Line {begun}: the file ends within a transaction.")


def _check_currency(fields: Fields, currency: str) -> None:
    """ORIGCURRENCY only says what the amount was before the bank converted it; CURRENCY says what TRNAMT is in."""
    own = fields.get("CURRENCY.CURSYM") or fields["CURDEF"]
    if own and own.upper() != currency:
        raise NotAnAmount(f"The transaction is in {own[:8]}, but the account is in {currency}.")


def _day(text: str) -> date:
    """The day of an OFX time (YYYYMMDD, with more behind it): as the bank wrote it, in its own time zone."""
    if not re.match(r"\d{8}(\d{4,6}|$|\D)", text):
        raise ValueError(text)
    return date(int(text[:4]), int(text[4:6]), int(text[6:8]))
