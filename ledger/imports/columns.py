"""Which column of a CSV file holds what: by its headings in the languages of banks, or without them by the cells."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final, get_args

from ledger.imports.amounts import take_apart
from ledger.imports.days import looks_like_day
from ledger.imports.mapping import Mapping, Role
from ledger.imports.statement import AmbiguousFile
from ledger.imports.text import identity

HEADINGS: Final[dict[Role, tuple[str, ...]]] = {
    "date": (
        "transaction date", "trans date", "started date", "date of transaction", "buchungstag", "buchungsdatum",
        "booking date", "date", "datum", "fecha", "fecha operación", "data", "data operazione", "data movimento",
        "date opération", "date de l opération", "date operation", "boekdatum", "取引日", "お取引日", "ご利用日",
        "日付", "年月日", "posting date", "posted date", "post date", "completed date", "value date", "valutadatum",
        "wertstellung", "data transakcji", "data operacji",
    ),
    "amount": (
        "amount", "transaction amount", "betrag", "umsatz", "montant", "importe", "importo", "bedrag", "kwota",
        "belopp", "valor", "金額", "お取引金額", "ご利用金額", "value", "amount local currency",
    ),
    "debit": (
        "debit", "debit amount", "paid out", "money out", "withdrawal", "withdrawals", "withdrawal amount", "soll",
        "débit", "cargo", "cargos", "addebito", "dare", "uscite", "お支払金額", "出金", "出金金額", "お引出し",
        "支払金額", "ausgang", "outflow",
    ),
    "credit": (
        "credit", "credit amount", "paid in", "money in", "deposit", "deposits", "deposit amount", "haben", "crédit",
        "abono", "abonos", "accredito", "avere", "entrate", "お預り金額", "お預かり金額", "入金", "入金金額",
        "お預入れ", "預り金額", "eingang", "inflow",
    ),
    "direction": (
        "debit credit", "dr cr", "cr dr", "credit debit indicator", "soll haben", "soll haben kennzeichen", "s h",
        "af bij", "transaction type", "type", "debit or credit",
    ),
    "balance": (
        "balance", "running balance", "running bal", "account balance", "saldo", "kontostand", "saldo nach buchung",
        "solde", "差引残高", "残高", "saldo na mutatie",
    ),
    "payer": ("zahlungspflichtige r", "payer", "debtor", "debtor name"),
    "merchant": (
        "zahlungsempfänger in",
        "merchant", "merchant name", "payee", "beguenstigter zahlungspflichtiger", "begünstigter zahlungspflichtiger",
        "begünstigter auftraggeber", "auftraggeber begünstigter", "auftraggeber empfänger", "zahlungsempfänger",
        "empfänger", "name zahlungsbeteiligter", "counterparty", "counterparty name", "name", "name description",
        "naam omschrijving", "description", "transaction description", "narrative", "details", "libellé", "concepto",
        "descripción", "descrizione", "omschrijving", "お取引内容", "取引内容", "摘要", "内容",
        "ご利用店名", "ご利用店名 商品名", "verwendungszweck", "memo", "opis",
    ),
    "memo": (
        "memo", "notes", "note", "verwendungszweck", "buchungstext", "mededelingen", "additional information",
        "extended description", "reference", "description", "details", "備考", "摘要内容",
    ),
    "category": ("category", "kategorie", "catégorie", "categoria", "categoría"),
    "currency": ("currency", "currency code", "währung", "waehrung", "devise", "divisa", "ccy", "通貨", "munt"),
    "status": ("status", "state", "transaction status", "pending"),
    "id": ("transaction id", "transactionid", "fitid", "unique transaction id", "unique id", "transaktions id"),
}  # fmt: skip
"""By role, the better heading first, as `heading` reduces them."""

_UNIT = re.compile(r"\s*[(\[](?:[a-z]{3}|[€£$¥円]|in [a-z]{3}|[€£$¥]|.{0,3}円)[)\]]|\s+in\s+(?:eur|usd|gbp|[€£$])$|円$")
_LOOKED_AT: Final = 30

Columns = dict[Role, int]


def heading(text: str) -> str:
    """A heading as it is compared: small letters, words only, without a unit ("Betrag (€)" is "betrag")."""
    return identity(_UNIT.sub("", text.strip().casefold()))


def roles_of(headings: Sequence[str]) -> Columns:
    """The columns that the headings name. A column has one role; of several for a role the better heading wins."""
    plain = [heading(text) for text in headings]
    found: Columns = {}
    for role in get_args(Role):
        for wanted in HEADINGS[role]:
            at = next((n for n, name in enumerate(plain) if name == identity(wanted) and n not in found.values()), None)
            if at is not None:
                found[role] = at
                break
    if "debit" in found and "credit" in found:
        found.pop("amount", None)
    return found


def is_heading_row(cells: Sequence[str]) -> bool:
    """Whether the row names a day and an amount, and holds none."""
    found = roles_of(cells)
    named = "date" in found and bool({"amount", "debit", "credit"} & found.keys())
    return named and not any(looks_like_day(cell) for cell in cells)


def find_headings(rows: Sequence[Sequence[str]]) -> int | None:
    """The index of the row with the headings, among the first ones, or None."""
    return next((n for n, row in enumerate(rows[:_LOOKED_AT]) if is_heading_row(row)), None)


def given(mapping: Mapping, headings: Sequence[str], width: int) -> tuple[Columns, set[Role]]:
    """The columns that the mapping names, and the roles it takes from every column. Raises AmbiguousFile for a
    heading or number that the file does not have."""
    plain = [heading(text) for text in headings]
    named: Columns = {}
    for role, column in mapping.columns.items():
        if isinstance(column, int):
            if not 1 <= column <= width:
                raise AmbiguousFile(f"The mapping's column {column} for {role} is not there: there are {width}.")
            named[role] = column - 1
        elif column is not None:
            if heading(column) not in plain:
                raise AmbiguousFile(f"The mapping's column “{column[:40]}” for {role} is not among the headings.")
            named[role] = plain.index(heading(column))
    return named, {role for role, column in mapping.columns.items() if column is None}


def by_content(rows: Sequence[Sequence[str]]) -> Columns:
    """The columns of a file without headings: the day, the one column of amounts, the longest text. Raises
    AmbiguousFile when there are several columns of amounts or none."""
    width = max((len(row) for row in rows), default=0)
    cells = [[row[n].strip() for row in rows if n < len(row) and row[n].strip()] for n in range(width)]
    days = [n for n in range(width) if _mostly(cells[n], looks_like_day)]
    amounts = [n for n in range(width) if n not in days and _mostly(cells[n], _is_amount) and len(set(cells[n])) > 1]
    decimals = [n for n in amounts if any(re.search(r"[.,]\d{2}\D*$", cell) for cell in cells[n])]
    amounts = decimals or amounts or [n for n in range(width) if cells[n] and _mostly(cells[n], _is_amount)]
    if not days or len(set(amounts) - set(days)) != 1:
        raise AmbiguousFile(
            "The columns have no headings that are known, and their contents do not say which is the day and which the "
            "amount; name them in the mapping: “columns”: {“date”: 1, “amount”: 2, “merchant”: 3}.",
            field="columns",
        )
    found: Columns = {"date": days[0], "amount": next(n for n in amounts if n not in days)}
    texts = [n for n in range(width) if n not in days and n not in amounts]
    texts = [n for n in texts if not _mostly(cells[n], _is_amount)]
    if texts:
        by_length = sorted(texts, key=lambda n: -sum(map(len, cells[n])))
        found["merchant"] = by_length[0]
    return found


def _is_amount(cell: str) -> bool:
    return take_apart(cell) is not None


def _mostly(cells: Sequence[str], test: Callable[[str], bool]) -> bool:
    return bool(cells) and sum(map(test, cells)) * 10 >= 9 * len(cells)
