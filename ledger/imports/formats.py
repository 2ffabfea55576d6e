"""Which format a file is, by its contents, and its reading by that format's module."""

from __future__ import annotations

import re

from ledger.imports import camt, delimited, ofx, qif
from ledger.imports.mapping import Mapping
from ledger.imports.statement import MAX_BYTES, FileTooLarge, Format, Progress, Statement, UnreadableFile


def silent(_: str, __: int, ___: int) -> None:
    """Progress that nobody follows."""


def read(
    data: bytes, currency: str, account_kind: str, mapping: Mapping | None = None, progress: Progress = silent
) -> Statement:
    """The statement that the file holds, in the account's `currency`; takes seconds of CPU for a large one.

    Raises FileTooLarge, UnreadableFile, AmbiguousFile, RowsRefused.
    """
    if len(data) > MAX_BYTES:
        raise FileTooLarge(f"A file may have {MAX_BYTES // 1024 // 1024} MB at most; export a shorter period.")
    if not data.strip():
        raise UnreadableFile("The file is empty.")
    mapping = mapping or Mapping()
    match format_of(data):
        case "ofx":
            return ofx.read(data, currency, progress)
        case "camt.053":
            return camt.read(data, currency, progress)
        case "qif":
            return qif.read(data, currency, mapping, progress)
        case _:
            return delimited.read(data, currency, account_kind, mapping, progress)


def format_of(data: bytes) -> Format:
    """The format by the file's first bytes, whatever it is called; what is nothing else is taken for CSV. Raises
    UnreadableFile for a web page."""
    head = data[:4096]
    encoding = "utf-16" if head.startswith((b"\xff\xfe", b"\xfe\xff")) else "latin-1"
    start = head.decode(encoding, "ignore").lstrip("\ufeff").removeprefix("ï»¿").lstrip()
    if ofx.is_ofx(start):
        return "ofx"
    if re.match(r"<!doctype html|<html", start, re.IGNORECASE):
        raise UnreadableFile(
            "This is a web page, perhaps the bank's log-in; export the statement as CSV, OFX, QIF or CAMT.053."
        )
    if start.startswith("<"):
        return "camt.053"
    return "qif" if re.match(r"!(type|account|option|clear)", start, re.IGNORECASE) else "csv"
