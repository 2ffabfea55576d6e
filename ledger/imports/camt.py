"""CAMT.053, the bank statement of ISO 20022, in all versions. A document type, so every entity, is refused."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Final
from xml.etree.ElementTree import ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from domain.errors import PennyError
from domain.money import exponent
from ledger.imports.amounts import NotAnAmount, plain_minor
from ledger.imports.statement import Progress, Rows, Statement, StatementLine, UnreadableFile
from ledger.imports.text import ID_LENGTH, MEMO_LENGTH, MERCHANT_LENGTH, clean

_DEPTH: Final = 64
_NO_ID: Final = {"", "0", "NONREF", "NOTPROVIDED"}
_DETAILS: Final = "NtryDtls/TxDtls/"
_PIECE: Final = 4_000

Fields = dict[str, str]


class _Entries:
    """Takes the parser's events and hands on each <Ntry> of the statement: its line, and texts by path."""

    def __init__(self, take: Callable[[int, Fields], None]) -> None:
        self.line: Callable[[], int] = lambda: 0
        self.statements = 0
        self._take = take
        self._path: list[str] = []
        self._base = 0
        self._begun = 0
        self._fields: Fields | None = None
        self._text: list[str] = []

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        name = tag.rpartition("}")[2]
        self._path.append(name)
        if len(self._path) > _DEPTH:
            raise UnreadableFile(f"Line {self.line()}: the file is nested deeper than a statement is.")
        self._text.clear()
        if name == "Stmt" and len(self._path) == 3:
            self.statements += 1
        elif name == "Ntry" and self._fields is None:
            self._fields, self._base, self._begun = {}, len(self._path), self.line()
        elif self._fields is not None and "Ccy" in attributes:
            self._put("@Ccy", attributes["Ccy"])

    def data(self, text: str) -> None:
        if self._fields is not None:
            self._text.append(text)

    def end(self, tag: str) -> None:
        if self._fields is not None:
            if len(self._path) == self._base:
                fields, self._fields = self._fields, None
                self._take(self._begun, fields)
            elif text := "".join(self._text).strip()[:_PIECE]:
                self._put("", text)
        self._text.clear()
        self._path.pop()

    def close(self) -> None:
        """The parser asks for it; everything was handed on."""

    def _put(self, suffix: str, text: str) -> None:
        assert self._fields is not None
        path = "/".join(self._path[self._base :]) + suffix
        if path.endswith("Ustrd") and path in self._fields:
            self._fields[path] = f"{self._fields[path]} {text}"[:_PIECE]
        else:
            self._fields.setdefault(path, text)


def read(data: bytes, currency: str, progress: Progress) -> Statement:
    """The booked and pending entries of the file's one account. Raises UnreadableFile, RowsRefused."""
    rows = Rows(progress)
    places = exponent(currency)
    entries = _Entries(lambda line, fields: _add(rows, line, fields, currency, places))
    parser = DefusedXMLParser(target=entries, forbid_dtd=True)
    entries.line = lambda: int(parser.parser.CurrentLineNumber)
    try:
        parser.feed(data)
        parser.close()
    except DefusedXmlException:
        raise UnreadableFile("The file has a document type or entities, which a statement does not.") from None
    except (ParseError, ValueError, LookupError) as error:
        if isinstance(error, PennyError):
            raise
        raise UnreadableFile(f"Line {entries.line()}: this is not well-formed XML.") from None
    if entries.statements == 0:
        raise UnreadableFile("This XML is no CAMT.053 bank statement.")
    return rows.done("camt.053", ["CAMT.053, deduplicated by the bank's references (AcctSvcrRef)."])


def _add(rows: Rows, line: int, fields: Fields, currency: str, places: int) -> None:
    status = fields.get("Sts/Cd") or fields.get("Sts") or "BOOK"
    try:
        if (own := fields.get("Amt@Ccy", currency)) != currency:
            raise NotAnAmount(f"The entry is in {own[:8]}, but the account is in {currency}.")
        minor = plain_minor(fields.get("Amt", ""), currency, places)
        day = date.fromisoformat((fields.get("BookgDt/Dt") or fields.get("BookgDt/DtTm") or _value_day(fields))[:10])
        direction = fields.get("CdtDbtInd")
        if direction not in ("CRDT", "DBIT"):
            raise NotAnAmount("The entry does not say whether it is a credit or a debit (CdtDbtInd).")
    except NotAnAmount as wrong:
        rows.refuse(line, str(wrong))
        return
    except ValueError:
        rows.refuse(line, "The entry has no day (BookgDt).")
        return
    out = direction == "DBIT"
    party = _party(fields, "Cdtr" if out else "Dbtr")
    memo = fields.get(f"{_DETAILS}RmtInf/Ustrd") or fields.get("AddtlNtryInf") or ""
    reference = fields.get("AcctSvcrRef") or fields.get(f"{_DETAILS}Refs/AcctSvcrRef") or ""
    bank_id = clean(reference, ID_LENGTH)
    rows.add(
        StatementLine(
            line=line,
            day=day,
            minor=-minor if out else minor,
            merchant=clean(party or memo, MERCHANT_LENGTH),
            memo=clean(memo, MEMO_LENGTH) if party else "",
            bank_id=None if bank_id.upper() in _NO_ID else bank_id,
            pending=status == "PDNG",
        )
    )


def _value_day(fields: Fields) -> str:
    return fields.get("ValDt/Dt") or fields.get("ValDt/DtTm") or ""


def _party(fields: Fields, role: str) -> str:
    """The name of the other side; version 8 of the message put a party's name one level deeper."""
    where = f"{_DETAILS}RltdPties/"
    return next(
        (
            name
            for path in (f"{role}/Nm", f"{role}/Pty/Nm", f"Ultmt{role}/Nm", f"Ultmt{role}/Pty/Nm")
            if (name := fields.get(where + path))
        ),
        "",
    )
