"""What the data decides, what it leaves open, and what is refused by line."""

from __future__ import annotations

import json
from typing import Any

import pytest

from domain.errors import InvalidInput
from ledger.imports import formats, mapping
from ledger.imports.statement import MAX_BYTES, AmbiguousFile, FileTooLarge, RowsRefused, UnreadableFile


def read(data: str | bytes, currency: str = "USD", kind: str = "checking", **chosen: Any) -> list[tuple[str, int, str]]:
    raw = data.encode() if isinstance(data, str) else data
    found = formats.read(raw, currency, kind, mapping.Mapping.model_validate(chosen))
    return [(line.day.isoformat(), line.minor, line.merchant) for line in found.lines]


def amounts(*cells: str, currency: str = "USD", **chosen: Any) -> list[int]:
    rows = "".join(f'2026-11-{n:02};Shop;"{cell}"\n' for n, cell in enumerate(cells, start=1))
    return [minor for _, minor, _ in read("Date;Payee;Amount\n" + rows, currency, **chosen)]


def days(*cells: str, **chosen: Any) -> list[str]:
    rows = "".join(f"{cell};Shop;-1.00\n" for cell in cells)
    return [day for day, _, _ in read("Date;Payee;Amount\n" + rows, **chosen)]


@pytest.mark.parametrize(
    ("cells", "currency", "expected"),
    [
        (("-1,234.50", "3"), "USD", [-123450, 300]),
        (("-1.234,50", "3"), "EUR", [-123450, 300]),
        (("-1'234.50", "3.00"), "CHF", [-123450, 300]),
        (("-1 234,50", "3,00"), "EUR", [-123450, 300]),
        (("(12.50)", "3.00"), "USD", [-1250, 300]),
        (("12.50-", "3.00"), "USD", [-1250, 300]),
        (("-$12.50", "$3.00"), "USD", [-1250, 300]),
        (("−12,50 €", "3,00 EUR"), "EUR", [-1250, 300]),
        (("12.50 DR", "3.00 CR"), "USD", [-1250, 300]),
        (("-1,234", "5"), "JPY", [-1234, 5]),
        (("-1.234", "5"), "EUR", [-123400, 500]),
        (("-1,234,567", "5"), "USD", [-123456700, 500]),
        (("-1.250", "5.125", "0.001"), "KWD", [-1250, 5125, 1]),
        (("-12,34,567.50", "1"), "INR", [-123456750, 100]),
        (("-.5", "1.5"), "USD", [-50, 150]),
    ],
)
def test_amounts_are_read_as_banks_write_them(cells: tuple[str, ...], currency: str, expected: list[int]) -> None:
    """The decimal mark is found from all amounts and the currency's decimals."""
    assert amounts(*cells, currency=currency) == expected


def test_amounts_that_leave_the_mark_open_are_asked_about() -> None:
    """With three decimals 1,234 may be either; with both habits in one file nothing is guessed. The mapping decides."""
    with pytest.raises(AmbiguousFile, match="“decimal”"):
        amounts("-1,234", "5", currency="KWD")
    assert amounts("-1,234", "5", currency="KWD", decimal=",") == [-1234, 5000]
    with pytest.raises(AmbiguousFile, match="“decimal”"):
        amounts("-1.50", "2,50")


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (("13/11/2026", "02/11/2026"), ["2026-11-13", "2026-11-02"]),
        (("11/13/2026", "11/02/2026"), ["2026-11-13", "2026-11-02"]),
        (("2.11.26", "3.11.26"), ["2026-11-02", "2026-11-03"]),
        (("10/01/2026", "11/01/2026", "01/02/2026"), ["2026-01-10", "2026-01-11", "2026-02-01"]),
        (("2026/11/02", "20261103"), ["2026-11-02", "2026-11-03"]),
        (("2 Nov 2026", "Nov 3, 2026", "04-Dez-26"), ["2026-11-02", "2026-11-03", "2026-12-04"]),
        (("2026-11-02T23:59:59Z", "2026-11-03 08:00"), ["2026-11-02", "2026-11-03"]),
        (("29/02/2028", "01/03/2028"), ["2028-02-29", "2028-03-01"]),
    ],
)  # fmt: skip
def test_days_are_read_as_banks_write_them(cells: tuple[str, ...], expected: list[str]) -> None:
    """The order is found from a number over 12, from the order of rows, or from how the day is written."""
    assert days(*cells) == expected


def test_days_that_leave_the_order_open_are_asked_about() -> None:
    """03/04 may be April or March: the mapping decides."""
    with pytest.raises(AmbiguousFile, match="“date_order”"):
        days("03/04/2026", "05/04/2026")
    assert days("03/04/2026", date_order="dmy") == ["2026-04-03"]
    assert days("03/04/2026", date_order="mdy") == ["2026-03-04"]


def test_signs_that_stay_open_are_asked_about() -> None:
    """Only positive amounts may be spending or income; a running balance or the mapping decides."""
    open_ = "Date,Payee,Amount\n2026-11-01,a,5.00\n2026-11-02,b,7.00\n2026-11-03,c,1.00\n"
    with pytest.raises(AmbiguousFile, match="“sign”"):
        read(open_)
    assert [minor for _, minor, _ in read(open_, sign="inverted")] == [-500, -700, -100]
    told = "Date,Payee,Amount,Balance\n2026-11-01,a,5.00,95\n2026-11-02,b,7.00,88\n2026-11-03,c,1.00,87\n"
    assert [minor for _, minor, _ in read(told)] == [-500, -700, -100]


def test_a_mapping_names_the_columns() -> None:
    """By heading or by number, also of a file whose headings are unknown or that has none."""
    file = "When|What|How much|Left\n2026-11-01|Shop|-5.00|3\n"
    columns = {"date": "When", "merchant": "What", "amount": "how MUCH"}
    assert read(file, columns=columns, header=1) == [("2026-11-01", -500, "Shop")]
    bare = "x;2026-11-01;-5.00;-1.00;Shop\ny;2026-11-02;-6.00;-2.00;Shop\n"
    with pytest.raises(AmbiguousFile, match="“columns”"):
        read(bare)
    assert read(bare, columns={"date": 2, "amount": 3, "merchant": 5})[0] == ("2026-11-01", -500, "Shop")
    with pytest.raises(AmbiguousFile, match="column 9"):
        read(bare, columns={"date": 9, "amount": 3})


@pytest.mark.parametrize(
    "text",
    ['{"dates": "dmy"}', '{"columns": {"price": 1}}', '{"date_order": "ydm"}', "[", '{"header": true}', " " * 99_999],
)  # fmt: skip
def test_a_mapping_that_says_something_else_is_refused(text: str) -> None:
    """Unknown names and values are named, not ignored."""
    with pytest.raises(InvalidInput, match="mapping"):
        mapping.parse(text)


def test_a_mapping_is_json() -> None:
    """What the documentation shows is read."""
    chosen = mapping.parse(json.dumps({"columns": {"date": 1, "amount": "Betrag", "memo": None}, "decimal": ","}))
    assert chosen.columns == {"date": 1, "amount": "Betrag", "memo": None}


def test_rows_that_cannot_be_taken_are_named_by_line() -> None:
    """Every one of them, with its line in the file, quoted cells with line breaks counted in."""
    file = (
        'Date,Payee,Amount,Currency\n2026-11-01,"two\nlines",-5.00,USD\n2026-13-01,a,-5.00,USD\n'
        "2026-11-02,b,five,USD\n2026-11-02,c,-5.00,EUR\n2026-11-02,d,-5.001,USD\n2026-11-02,e,-€5.00,USD\n"
        "0001-01-01,f,-5.00,USD\n2026-11-03,g,-5.00,USD\n"
    )
    with pytest.raises(RowsRefused) as refused:
        read(file)
    assert refused.value.details["row_errors"] == 6
    told = {row["line"]: row["message"] for row in refused.value.details["rows"]}
    assert told.keys() == {4, 5, 6, 7, 8, 9}
    assert "not a day" in told[4]
    assert "EUR" in told[6]
    assert "more decimals" in told[7]


@pytest.mark.parametrize("name", ["ofx", "camt", "qif"])
def test_rows_of_other_formats_are_named_by_line(name: str) -> None:
    """A wrong currency or amount is told with the line its transaction begins on."""
    files = {
        "ofx": ("<OFX>\n<STMTRS><CURDEF>EUR\n<STMTTRN>\n<DTPOSTED>20261101<TRNAMT>-5.00<FITID>1\n</STMTTRN>", 3),
        "camt": (
            '<Document>\n<B><Stmt>\n<Ntry><Amt Ccy="EUR">5</Amt><CdtDbtInd>DBIT</CdtDbtInd></Ntry>'
            "</Stmt></B></Document>",
            3,
        ),
        "qif": ("!Type:Bank\nD11/30/2026\nTfive\n^\n", 2),
    }
    data, line = files[name]
    with pytest.raises(RowsRefused) as refused:
        read(data)
    assert [row["line"] for row in refused.value.details["rows"]] == [line]


def test_ends_of_files_that_are_no_rows_are_left_out() -> None:
    """Totals and notes below the transactions do not matter, nor does a blank line."""
    file = "Date,Payee,Amount\n2026-11-01,Shop,-5.00\n\n,Total,-5.00\nThis is no offer.\n"
    assert read(file) == [("2026-11-01", -500, "Shop")]


BOMB = '<!DOCTYPE d [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]>'
OUTSIDE = '<!DOCTYPE d [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
HOSTILE: dict[str, str | bytes] = {
    "empty": b"",
    "blank": b" \n\n ",
    "zip": b"PK\x03\x04" + b"\0" * 100,
    "gzip": b"\x1f\x8b\x08" + b"\0" * 100,
    "pdf": b"%PDF-1.7\n",
    "nul": b"Date,Payee,Amount\n2026-11-01,Sh\x00op,-5.00\n",
    "binary": bytes(range(256)) * 40,
    "prose": b"Dear bank,\nplease send me a statement.\n",
    "headings only": b"Date,Payee,Amount\n",
    "open quotation": b'Date,Payee,Amount\n2026-11-01,"' + b"x" * 200_000,
    "entity bomb": f"<?xml version='1.0'?>{BOMB}<Document><B><Stmt>&b;</Stmt></B></Document>",
    "external entity": f"<?xml version='1.0'?>{OUTSIDE}<Document><B><Stmt>&a;</Stmt></B></Document>",
    "entity bomb in OFX": f"<?xml version='1.0'?>{BOMB}<OFX><STMTRS><STMTTRN></STMTTRN></STMTRS></OFX>",
    "deep XML": "<a>" * 100_000,
    "broken XML": "<Document><B><Stmt><Ntry></Stmt>",
    "another XML": "<html><body/></html>",
    "XML of no known encoding": "<?xml version='1.0' encoding='klingon'?><Document/>",
    "OFX that ends early": "<OFX><STMTRS><STMTTRN><DTPOSTED>20261101<TRNAMT>-5",
    "OFX of two accounts": "<OFX><STMTRS></STMTRS><STMTRS></STMTRS></OFX>",
    "OFX without end tags": "OFXHEADER:100\n<OFX>" + "<![CDATA[" * 200_000,
    "OFX of an odd charset": "OFXHEADER:100\nCHARSET:99999\n<OFX>\xff".encode("latin-1"),
    "QIF of investments": "!Type:Invst\nD11/30/2026\nNBuy\n^\n",
    "huge amount": "Date,Payee,Amount\n2026-11-01,Shop,-" + "9" * 40 + ".00\n",
    "exponent": "Date,Payee,Amount\n2026-11-01,Shop,-1e9\n2026-11-02,Shop,-1.00\n",
    "not a number": "Date,Payee,Amount\n2026-11-01,Shop,NaN\n",
    "13th month": "Date,Payee,Amount\n2026-13-01,Shop,-5.00\n",
    "one field of 9 MB": b"Date,Payee,Amount\n2026-11-01," + b"x" * (9 * 1024 * 1024),
    "9 MB of separators": b"," * (9 * 1024 * 1024),
    "9 MB of tags": b"<OFX>" + b"<A>" * (3 * 1024 * 1024),
}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.timeout(30)
def test_hostile_files_are_refused(name: str) -> None:
    """With an error that has a code and a sentence, soon, whatever they hold."""
    data = HOSTILE[name]
    with pytest.raises(InvalidInput) as refused:
        read(data)
    assert isinstance(refused.value, (UnreadableFile, AmbiguousFile, RowsRefused, FileTooLarge))
    assert refused.value.message.endswith((".", ")"))
    assert "\x00" not in refused.value.message
    assert len(refused.value.message) < 400


def test_a_file_over_ten_megabytes_is_refused() -> None:
    """Before anything of it is read."""
    with pytest.raises(FileTooLarge):
        read(b"x" * (MAX_BYTES + 1))


def test_texts_are_cleaned_and_capped() -> None:
    """No control, bidi or zero-width characters, one line, at most 80 and 200 characters; letters stay."""
    merchant = "Ca\u0301fe\u200b \u202eevil\u202c\x07 \ufeffBar\u2066"
    file = f'Date,Payee,Memo,Amount\n2026-11-01,{merchant},"a\nb{"é" * 500}",-5.00\n'
    (line,) = formats.read(file.encode(), "USD", "checking").lines
    assert line.merchant == "Cáfe evil Bar"
    assert line.memo.startswith("a bé")
    assert len(line.memo) == 200
