"""Who the sample household is: its accounts, categories, budgets and habits. Amounts are in minor units (cents)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ledger.accounts import Kind as AccountKind
from ledger.categories import Kind as CategoryKind

CHECKING: Final = "Everyday Checking"
SAVINGS: Final = "Rainy Day Savings"
CARD: Final = "Visa Card"
EURO_CASH: Final = "Euro Cash"

ACCOUNTS: Final[tuple[tuple[str, AccountKind, str, int], ...]] = (
    # name, kind, currency, opening balance
    (CHECKING, "checking", "USD", 4_218_37),
    (SAVINGS, "savings", "USD", 11_500_00),
    (CARD, "credit", "USD", -612_48),
    (EURO_CASH, "cash", "EUR", 35_00),
)

CATEGORIES: Final[tuple[tuple[str, str, CategoryKind], ...]] = (
    # name, group, kind
    ("Rent", "Home", "spending"),
    ("Utilities", "Home", "spending"),
    ("Groceries", "Everyday", "spending"),
    ("Dining", "Everyday", "spending"),
    ("Transport", "Everyday", "spending"),
    ("Shopping", "Everyday", "spending"),
    ("Health", "Everyday", "spending"),
    ("Subscriptions", "Fun", "spending"),
    ("Entertainment", "Fun", "spending"),
    ("Travel", "Fun", "spending"),
    ("Income", "Money in", "income"),
    ("Transfers", "Between accounts", "transfer"),
)

BUDGETS: Final[dict[str, tuple[int, int]]] = {
    # before and from LATER_BUDGETS_MONTH on
    "Rent": (2_150_00, 2_225_00),
    "Utilities": (360_00, 360_00),
    "Groceries": (780_00, 820_00),
    "Dining": (350_00, 380_00),
    "Transport": (300_00, 300_00),
    "Shopping": (320_00, 300_00),
    "Health": (150_00, 150_00),
    "Subscriptions": (60_00, 60_00),
    "Entertainment": (120_00, 120_00),
    "Travel": (250_00, 250_00),
}
LATER_BUDGETS_MONTH: Final = 12
"""Months are counted from 0, the first; MONTHS is the one that today is in."""
MONTHS: Final = 18

RULES: Final[tuple[tuple[str, str], ...]] = (
    ("Trader Joe's", "Groceries"),
    ("Whole Foods", "Groceries"),
    ("Safeway", "Groceries"),
    ("Netflix", "Subscriptions"),
    ("Spotify", "Subscriptions"),
    ("Uber", "Transport"),
    ("Shell", "Transport"),
)


@dataclass(frozen=True, slots=True)
class Habit:
    """A shop that is visited between `least` and `most` times a month for `low` to `high` cents, on the card."""

    merchant: str
    category: str
    least: int
    most: int
    low: int
    high: int


HABITS: Final = (
    Habit("Trader Joe's", "Groceries", 3, 5, 38_00, 96_00),
    Habit("Whole Foods", "Groceries", 1, 3, 26_00, 104_00),
    Habit("Costco", "Groceries", 1, 2, 92_00, 218_00),
    Habit("Safeway", "Groceries", 2, 4, 12_00, 64_00),
    Habit("Blue Bottle Coffee", "Dining", 5, 8, 4_25, 11_50),
    Habit("Starbucks", "Dining", 2, 4, 4_95, 12_80),
    Habit("Chipotle", "Dining", 2, 3, 11_40, 27_90),
    Habit("Sweetgreen", "Dining", 1, 3, 13_95, 31_20),
    Habit("Thai Basil", "Dining", 1, 2, 32_00, 68_00),
    Habit("Pizzeria Delfina", "Dining", 0, 2, 38_00, 84_00),
    Habit("Shell", "Transport", 2, 3, 36_00, 61_00),
    Habit("Uber", "Transport", 2, 5, 9_40, 33_80),
    Habit("City Transit", "Transport", 3, 5, 5_00, 20_00),
    Habit("Amazon", "Shopping", 3, 5, 11_99, 88_00),
    Habit("Target", "Shopping", 1, 3, 14_50, 79_00),
    Habit("AMC Theatres", "Entertainment", 0, 2, 16_50, 47_00),
    Habit("Steam", "Entertainment", 0, 2, 9_99, 39_99),
    Habit("Ticketmaster", "Entertainment", 0, 1, 58_00, 142_00),
    Habit("CVS Pharmacy", "Health", 1, 2, 7_80, 36_00),
)


@dataclass(frozen=True, slots=True)
class Bill:
    """A fixed charge on one day of the month. `prices` are (first month, cents); it stops before the month `until`.
    `every` is months between charges, counted from the first price's month."""

    merchant: str
    category: str
    day: int
    prices: tuple[tuple[int, int], ...]
    account: str = CARD
    until: int | None = None
    every: int = 1


BILLS: Final = (
    Bill("Maple Street Apartments", "Rent", 1, ((0, 2_150_00), (12, 2_225_00)), CHECKING),
    Bill("Xfinity Internet", "Utilities", 8, ((0, 79_99),)),
    Bill("Verizon Wireless", "Utilities", 20, ((0, 95_00),)),
    Bill("Netflix", "Subscriptions", 5, ((0, 15_49), (11, 17_99))),
    Bill("Spotify", "Subscriptions", 12, ((0, 11_99),)),
    Bill("iCloud+", "Subscriptions", 17, ((0, 2_99),)),
    Bill("Audible", "Subscriptions", 9, ((0, 14_95),), until=13),
    Bill("Amazon Prime", "Subscriptions", 15, ((4, 139_00),), every=12),
    Bill("Planet Fitness", "Health", 3, ((0, 24_99),)),
)
