"""Unusual purchases and double charges of generated households, against what was planted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from domain.periods import DateRange
from ledger.insights.anomalies import anomalies
from ledger.insights.history import Entry, History

SEEDS = range(15)
DAYS = DateRange(date(2025, 10, 1), date(2026, 8, 20))


def test_precision_and_recall_of_what_was_planted(
    home_of: Callable[[int], Any], record_property: Callable[[str, object], None]
) -> None:
    """Planted outliers are nearly all found; a few heavy real purchases are flagged beside them, of thousands."""
    right = wrong = missed = twice_right = twice_wrong = twice_missed = looked = 0
    for seed in SEEDS:
        home = home_of(seed)
        history = home.until(DAYS.end)
        found = anomalies(history, DAYS)
        looked += found.looked_at
        flagged = {u.entry.no for u in found.purchases}
        planted = {e.no for e in history.entries if e.no in home.odd and e.day in DAYS}
        right, wrong = right + len(flagged & planted), wrong + len(flagged - planted)
        missed += len(planted - flagged)
        doubles = {e.no for e in history.entries if e.no in home.twice and e.day in DAYS}
        seen = {e.no for t in found.twice for e in t.entries}
        twice_right, twice_missed = twice_right + len(doubles & seen), twice_missed + len(doubles - seen)
        twice_wrong += sum(not doubles & {e.no for e in t.entries} for t in found.twice)
    precision, recall = right / (right + wrong), right / (right + missed)
    record_property("anomaly_precision", precision)
    record_property("anomaly_recall", recall)
    record_property("anomalies_flagged_beside_those_planted", f"{wrong} of {looked} purchases")
    record_property("double_charges", f"{twice_right} found, {twice_missed} missed, {twice_wrong} wrongly")
    assert precision >= 0.7
    assert recall >= 0.85
    assert wrong <= looked / 500
    assert twice_missed == twice_wrong == 0


def entries(*lines: tuple[str, int, str]) -> tuple[Entry, ...]:
    return tuple(
        Entry(no, date.fromisoformat(day), cents, merchant, None, "Uncategorized")
        for no, (day, cents, merchant) in enumerate(lines, start=1)
    )


def past(today: str, own: tuple[Entry, ...]) -> History:
    return History(date.fromisoformat(today), "USD", own[0].day, own, names={None: "Uncategorized"})


def test_why_is_exact() -> None:
    """Usual is the median of what came before, and the multiple is of that."""
    usual = [(f"2026-0{m}-{d:02}", 40_00 + 100 * d, "Shop") for m in range(1, 6) for d in (3, 11, 24)]
    history = past("2026-06-30", entries(*usual, ("2026-06-15", 204_00, "Shop")))
    (found,) = anomalies(history, DateRange(date(2026, 6, 1), date(2026, 6, 30))).purchases
    assert (found.usual.minor, found.times, found.count, found.at) == (51_00, Decimal("4.0"), 15, "merchant")


def test_a_purchase_is_judged_by_what_was_known_before_it() -> None:
    """Dearer purchases later do not make it usual; too few earlier ones judge nothing."""
    later = [(f"2026-0{m}-05", 300_00, "Shop") for m in range(3, 9)]
    history = past("2026-08-31", entries(("2026-01-05", 10_00, "Shop"), ("2026-02-05", 300_00, "Shop"), *later))
    assert anomalies(history, DateRange(date(2026, 2, 1), date(2026, 2, 28))).purchases == ()


def test_a_category_far_above_its_own_months_is_told() -> None:
    """Against the same days of the months before, when several purchases make it."""
    own = [(f"2026-0{m}-{d:02}", 20_00, f"Shop {d}") for m in range(1, 8) for d in (2, 9)]
    busy = [(f"2026-08-{d:02}", 30_00, f"Other {d}") for d in range(1, 9)]
    history = past("2026-08-10", entries(*own, *busy))
    (found,) = anomalies(history, DateRange(date(2026, 8, 1), date(2026, 8, 10))).categories
    assert (found.amount.minor, found.usual.minor, found.times, found.count) == (240_00, 40_00, Decimal("6.0"), 6)


def test_equal_purchases_are_a_suspicion_only_where_they_are_rare() -> None:
    """Tickets bought in pairs each week are none; neither is a charge that was refunded."""
    pairs = [(f"2026-0{m}-07", 3_00, "Metro") for m in range(1, 9) for _ in range(2)]
    once = [("2026-08-03", 9_00, "Café"), ("2026-08-03", 9_00, "café")]
    history = past("2026-08-10", entries(*pairs, *once))
    august = DateRange(date(2026, 8, 1), date(2026, 8, 10))
    (found,) = anomalies(history, august).twice
    assert ({e.merchant for e in found.entries}, found.extra.minor) == ({"Café", "café"}, 9_00)
    back = entries(*pairs, *once, ("2026-08-05", -9_00, "Café"))
    assert anomalies(replace(history, entries=back), august).twice == ()
