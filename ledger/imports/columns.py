"""Which column of a CSV file holds what: by its headings in the languages of banks, or without them by the cells."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from itertools import pairwise
from typing import Final, get_args

from ledger.imports.amounts import NotAnAmount, decimal_mark, take_apart, to_minor
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
        "wertstellung", "data transakcji", "data operacji", "buchung", "dato", "bogført dato", "bokført dato",
        "bokföringsdag", "transaktionsdag", "boekingsdatum", "fecha contable", "fecha de operación", "data contabile",
        "data lançamento", "kirjauspäivä", "datum zaúčtování", "created at", "created", "transaction time", "timestamp",
    ),
    "amount": (
        "amount", "transaction amount", "betrag", "umsatz", "montant", "importe", "importo", "bedrag", "kwota",
        "belopp", "valor", "金額", "お取引金額", "ご利用金額", "value", "amount local currency", "beløb", "beløp",
        "montant operation", "montant de l opération", "kwota operacji", "částka", "összeg", "summa", "määrä",
        "netto", "net", "net amount", "brutto", "gross", "gross amount",
    ),
    "debit": (
        "debit", "debit amount", "paid out", "money out", "withdrawal", "withdrawals", "withdrawal amount", "soll",
        "débit", "cargo", "cargos", "addebito", "dare", "uscite", "お支払金額", "出金", "出金金額", "お引出し",
        "支払金額", "ausgang", "outflow", "lastschrift", "belastung", "debet", "debe", "withdrawal amt", "ud", "ut",
    ),
    "credit": (
        "credit", "credit amount", "paid in", "money in", "deposit", "deposits", "deposit amount", "haben", "crédit",
        "abono", "abonos", "accredito", "avere", "entrate", "お預り金額", "お預かり金額", "入金", "入金金額",
        "お預入れ", "預り金額", "eingang", "inflow", "gutschrift", "kredit", "haber", "deposit amt", "ind", "inn",
    ),
    "direction": (
        "debit credit", "dr cr", "cr dr", "credit debit indicator", "soll haben", "soll haben kennzeichen", "s h",
        "af bij", "transaction type", "type", "debit or credit",
    ),
    "balance": (
        "balance", "running balance", "running bal", "account balance", "saldo", "kontostand", "saldo nach buchung",
        "solde", "差引残高", "残高", "saldo na mutatie", "closing balance", "bokfört saldo",
        "available balance", "guthaben",
    ),
    "payer": ("zahlungspflichtige r", "payer", "debtor", "debtor name"),
    "merchant": (
        "zahlungsempfänger in",
        "merchant", "merchant name", "payee", "beguenstigter zahlungspflichtiger", "begünstigter zahlungspflichtiger",
        "begünstigter auftraggeber", "auftraggeber begünstigter", "auftraggeber empfänger", "zahlungsempfänger",
        "empfänger", "name zahlungsbeteiligter", "counterparty", "counterparty name", "name", "name description",
        "naam omschrijving", "description", "transaction description", "narrative", "details", "libellé", "concepto",
        "descripción", "descrizione", "omschrijving", "お取引内容", "取引内容", "摘要", "内容",
        "ご利用店名", "ご利用店名 商品名", "verwendungszweck", "memo", "opis", "libelle operation",
        "libelle", "narration",
        "transaction details", "particulars", "beschreibung", "descrição", "histórico", "operazione", "causale",
        "tekst", "text", "beskrivning", "beskrivelse", "opis operacji", "opis transakcji", "popis",
        "avisierungstext", "buchungstext", "payment reference", "remarks",
    ),
    "memo": (
        "memo", "notes", "note", "verwendungszweck", "buchungstext", "mededelingen", "additional information",
        "extended description", "reference", "description", "details", "備考", "摘要内容", "dettagli", "libelle court",
    ),
    "category": ("category", "kategorie", "catégorie", "categoria", "categoría", "kategori"),
    "currency": (
        "currency", "currency code", "währung", "waehrung", "devise", "divisa", "ccy", "通貨", "munt", "valuta",
        "moeda",
    ),
    "status": ("status", "state", "transaction status", "pending"),
    "id": ("transaction id", "transactionid", "fitid", "unique transaction id", "unique id", "transaktions id",
           "transferwise id", "identificador", "transaktionscode", "transaction code"),
}  # fmt: skip
"""By role, the better heading first, as `heading` reduces them."""

_UNIT = re.compile(
    r"\s*[(\[](?:[a-z]{3}|[€£$¥円]|in [a-z]{3}|.{0,3}円)[)\]]|\s+(?:in|en)\s+(?:[a-z]{3}|euros?|[€£$])$|\s+euros?$|円$"
)
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
    found: Columns = {}
    decimals = [n for n in amounts if any(re.search(r"[.,]\d{2}\D*$", cell) for cell in cells[n])]
    amounts = decimals or amounts or [n for n in range(width) if cells[n] and _mostly(cells[n], _is_amount)]
    if days and (pair := _with_balance(cells, [n for n in amounts if n not in days])):
        amounts, found["balance"] = [pair[0]], pair[1]
    if not days or len(set(amounts) - set(days)) != 1:
        raise AmbiguousFile(
            "The columns have no headings that are known, and their contents do not say which is the day and which the "
            "amount; name them in the mapping: “columns”: {“date”: 1, “amount”: 2, “merchant”: 3}.",
            field="columns",
        )
    found |= {"date": days[0], "amount": next(n for n in amounts if n not in days)}
    if (text := longest_text(rows, [*days, *found.values()])) is not None:
        found["merchant"] = text
    return found


def longest_text(rows: Sequence[Sequence[str]], taken: Collection[int]) -> int | None:
    """Of the columns that are not taken the one with the most text, None when there is none."""
    width = max((len(row) for row in rows), default=0)
    cells = {n: [row[n].strip() for row in rows if n < len(row) and row[n].strip()] for n in range(width)}
    texts = [
        n
        for n, own in cells.items()
        if own and n not in taken and not _mostly(own, looks_like_day) and not _mostly(own, _is_amount)
    ]
    return max(texts, key=lambda n: sum(map(len, cells[n])), default=None)


def are_codes(cells: Sequence[str]) -> bool:
    """Whether what is in the cells is written like currencies' codes."""
    return all(re.fullmatch(r"[A-Za-z]{3}", cell.strip()) for cell in cells if cell.strip())


def _with_balance(cells: Sequence[Sequence[str]], amounts: Sequence[int]) -> tuple[int, int] | None:
    """Of two columns of amounts the one that moves the other, and that other, a running balance; None when neither
    does, for every row."""
    values = []
    for n in amounts:
        taken = [written for cell in cells[n] if (written := take_apart(cell))]
        try:
            mark = decimal_mark([written.digits for written in taken], "USD")
            values.append([to_minor(written, mark, "USD", 4) for written in taken])
        except (NotAnAmount, AmbiguousFile):
            return None
    if len(values) != 2 or len(values[0]) != len(values[1]) or len(values[0]) < 2:
        return None
    found = []
    for (a, b), (amount, balance) in ((amounts, values), (amounts[::-1], values[::-1])):
        steps = [after - before for before, after in pairwise(balance)]
        if steps == amount[1:] or steps == [-minor for minor in amount[:-1]]:
            found.append((a, b))
    return found[0] if len(found) == 1 else None


def _is_amount(cell: str) -> bool:
    return take_apart(cell) is not None


def _mostly(cells: Sequence[str], test: Callable[[str], bool]) -> bool:
    return bool(cells) and sum(map(test, cells)) * 10 >= 9 * len(cells)
