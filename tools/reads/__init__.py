"""The tools that look and never change anything, one module each."""

from __future__ import annotations

from typing import Any

from tools.reads.accounts import LIST_ACCOUNTS
from tools.reads.anomalies import FIND_ANOMALIES
from tools.reads.budget_status import GET_BUDGET_STATUS
from tools.reads.comparison import COMPARE_PERIODS
from tools.reads.facts import LIST_FACTS
from tools.reads.forecast import GET_FORECAST
from tools.reads.goals import LIST_GOALS
from tools.reads.history import GET_CHANGE_HISTORY
from tools.reads.recurring import FIND_RECURRING
from tools.reads.safe_to_spend import GET_SAFE_TO_SPEND
from tools.reads.spending import GET_SPENDING
from tools.reads.transactions import LIST_TRANSACTIONS
from tools.reads.what_if import SIMULATE_WHAT_IF
from tools.tool import Tool

READS: tuple[Tool[Any], ...] = (
    GET_BUDGET_STATUS,
    LIST_TRANSACTIONS,
    GET_SPENDING,
    COMPARE_PERIODS,
    FIND_RECURRING,
    FIND_ANOMALIES,
    GET_FORECAST,
    GET_SAFE_TO_SPEND,
    SIMULATE_WHAT_IF,
    LIST_ACCOUNTS,
    LIST_GOALS,
    GET_CHANGE_HISTORY,
    LIST_FACTS,
)
