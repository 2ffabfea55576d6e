"""Files in the shapes that banks export, read without being told anything."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

# By file: the account, and (day, minor units, merchant) of its transactions, oldest first.
SAMPLES: dict[str, tuple[str, list[tuple[str, int, str]]]] = {
    "us_checking.csv": (
        "Checking",
        [
            ("2026-11-13", 241290, "ACME CORP PAYROLL PPD ID: 123456"),
            ("2026-11-19", -645, "STARBUCKS STORE 00123"),
            ("2026-11-19", -645, "STARBUCKS STORE 00123"),
            ("2026-11-20", -8432, "WHOLEFDS MKT 10234 AUSTIN TX"),
        ],
    ),
    "us_card_positive.csv": (
        "Card",
        [
            ("2026-11-13", -1827, "LYFT *RIDE SUN 8PM"),
            ("2026-11-15", 50000, "AUTOPAY PAYMENT - THANK YOU"),
            ("2026-11-18", -4510, "TRADER JOE'S #123 AUSTIN TX"),
            ("2026-11-20", -125499, "AMAZON.COM*RT4Y12 SEATTLE WA"),
        ],
    ),
    "us_card_debit_credit.csv": (
        "Card",
        [("2026-11-15", 30000, "CAPITAL ONE MOBILE PYMT"), ("2026-11-18", -5216, "TARGET 00012345")],
    ),
    "german_giro_cp1252.csv": (
        "Giro",
        [
            ("2026-11-01", 426102, "Firma Köhler AG"),
            ("2026-11-16", -380, "Bäckerei Schröder"),
            ("2026-11-20", -104215, "REWE Markt GmbH, München"),
        ],
    ),
    "german_sparkasse.csv": (
        "Giro",
        [("2026-11-03", 2050, "Händler Österreich"), ("2026-11-12", -8900, "Stadtwerke München")],
    ),
    "japanese_cp932.csv": (
        "Yen",
        [("2026-11-15", 304000, "給与 カブシキガイシャ"), ("2026-11-20", -1280, "セブンイレブン 渋谷店")],
    ),
    "uk_paid_out_in.csv": (
        "Pounds",
        [
            ("2026-11-10", 126900, "A EMPLOYER LTD"),
            ("2026-11-12", -4100, "THAMES WATER"),
            ("2026-11-14", -2350, "TESCO STORES 2345"),
        ],
    ),
    "tabs_utf16.csv": (
        "Checking",
        [("2026-11-03", -1250, "Café “Zoë”"), ("2026-11-04", 300, "Refund Ltd")],
    ),
    "no_headings.csv": (
        "Checking",
        [("2026-11-13", 241290, "ACME PAYROLL"), ("2026-11-20", -8432, "PURCHASE AUTHORIZED ON 11/19 WHOLEFDS")],
    ),
    "dutch_af_bij.csv": (
        "Giro",
        [("2026-11-01", 250000, "Werkgever BV"), ("2026-11-20", -2345, "Albert Heijn 1234")],
    ),
    "revolut.csv": ("Giro", [("2026-11-18", -740, "Bolt"), ("2026-11-20", -1200, "Lidl")]),
    "ofx1_bank.ofx": ("Checking", [("2026-11-13", 241290, "ACME CORP"), ("2026-11-20", -8432, "CAFÉ & BAR")]),
    "ofx2_card.qfx": ("Card", [("2026-11-15", 50000, "PAYMENT"), ("2026-11-18", -4510, "TRADER JOE'S #123")]),
    "quicken.qif": (
        "Checking",
        [
            ("2026-11-05", -8400, "To savings"),
            ("2026-11-13", 241290, "Acme Corp"),
            ("2026-11-20", -108432, "Whole Foods"),
        ],
    ),
    "us_boa_beginning_balance.csv": (
        "Checking",
        [("2026-11-05", -50000, "CHECKCARD 1104 SAFEWAY #123"), ("2026-11-15", 200000, "PAYROLL ACME")],
    ),
    "german_ing.csv": ("Giro", [("2026-11-15", 250000, "Firma AG"), ("2026-11-20", -2345, "VISA REWE")]),
    "german_comdirect_open.csv": ("Giro", [("2026-11-20", -2345, "Auftraggeber: REWE Buchungstext: Einkauf Ref. 123")]),
    "french_bnp.csv": (
        "Giro",
        [
            ("2026-11-15", 215000, "VIR SEPA RECU /DE EMPLOYEUR"),
            ("2026-11-20", -5420, "FACTURE CARTE DU 191126 CARREFOUR PARIS"),
        ],
    ),
    "french_debit_credit.csv": (
        "Giro",
        [
            ("2026-11-15", 215000, "VIREMENT EN VOTRE FAVEUR EMPLOYEUR"),
            ("2026-11-20", -5420, "PAIEMENT PAR CARTE X1234 CARREFOUR"),
        ],
    ),
    "italian.csv": ("Giro", [("2026-11-15", 185000, "Stipendio"), ("2026-11-20", -4530, "Esselunga")]),
    "swedish.csv": ("Kronor", [("2026-11-15", 2800000, "LÖN"), ("2026-11-20", -43250, "ICA KVANTUM")]),
    "danish.csv": ("Kroner", [("2026-11-15", 2500000, "Løn"), ("2026-11-20", -13250, "Netto")]),
    "polish_mbank.csv": ("Zloty", [("2026-11-15", 850000, "PENSJA FIRMA"), ("2026-11-20", -4567, "BIEDRONKA")]),
    "swiss_postfinance.csv": ("Franken", [("2026-11-15", 550000, "LOHN FIRMA"), ("2026-11-20", -2345, "KAUF MIGROS")]),
    "brazilian.csv": (
        "Reais",
        [
            ("2026-11-15", 500000, "Transferência recebida pelo Pix - EMPRESA"),
            ("2026-11-20", -4590, "Compra no débito - PADARIA"),
        ],
    ),
    "indian_lakhs.csv": ("Rupees", [("2026-11-15", 10000000, "SALARY NOV"), ("2026-11-20", -45000, "UPI-SWIGGY-123")]),
    "australian_no_headings.csv": (
        "Dollars",
        [("2026-11-15", 200000, "Salary ACME"), ("2026-11-20", -2345, "WOOLWORTHS 1234 SYDNEY")],
    ),
    "created_at.csv": ("Checking", [("2026-11-20", -740, "Bolt"), ("2026-11-21", -1200, "Lidl")]),
    "camt053.xml": (
        "Giro",
        [
            ("2026-11-01", 426102, "Firma Köhler AG"),
            ("2026-11-20", -104215, "REWE Markt GmbH"),
            ("2026-11-20", -380, "Kartenzahlung"),
        ],
    ),
}


@pytest.mark.parametrize("name", SAMPLES)
async def test_a_banks_file_comes_in_as_it_says_and_once(
    name: str, samples: Path, bring: Callable[..., Awaitable[Any]], rows: Callable[[], Awaitable[list[dict[str, Any]]]]
) -> None:
    """Days, signed amounts and merchants are the file's, numbered by day; the same file again adds nothing."""
    account, expected = SAMPLES[name]
    data = (samples / name).read_bytes()
    report = await bring(data, account)
    found = [(row["day"], row["minor"], row["merchant"]) for row in await rows()]
    if name in ("camt053.xml", "no_headings.csv"):
        found.sort(key=lambda row: (row[0], row[1]))
        expected = sorted(expected, key=lambda row: (row[0], row[1]))
    assert found == expected
    assert (report.rows, report.added, report.duplicates) == (len(expected), len(expected), 0)
    again = await bring(data, account)
    assert (again.added, again.duplicates, again.journal_id) == (0, len(expected), None)
    assert len(await rows()) == len(expected)


def test_every_sample_is_tested(samples: Path) -> None:
    """No file lies there unread."""
    assert {path.name for path in samples.iterdir()} == SAMPLES.keys()


async def test_what_the_bank_says_beside_the_amount_is_kept(
    samples: Path, bring: Callable[..., Awaitable[Any]], rows: Callable[[], Awaitable[list[dict[str, Any]]]]
) -> None:
    """Identifier, memo, the category that a file names and the user has, and whether it is pending."""
    await bring((samples / "quicken.qif").read_bytes())
    await bring((samples / "camt053.xml").read_bytes(), "Giro")
    by_merchant = {row["merchant"]: row for row in await rows()}
    assert by_merchant["Whole Foods"]["category"] == "Groceries"
    assert by_merchant["To savings"]["category"] is None
    assert by_merchant["REWE Markt GmbH"]["import_id"] == "2026112000012345"
    assert by_merchant["REWE Markt GmbH"]["memo"] == "Einkauf München"
    assert by_merchant["Firma Köhler AG"]["import_id"] is None
    assert [row["merchant"] for row in by_merchant.values() if row["pending"]] == ["Kartenzahlung"]
