"""The tools that look and never change anything, one module each."""

from __future__ import annotations

from typing import Any

from tools.reads.accounts import LIST_ACCOUNTS
from tools.reads.budget_status import GET_BUDGET_STATUS
from tools.reads.comparison import COMPARE_PERIODS
from tools.reads.goals import LIST_GOALS
from tools.reads.history import GET_CHANGE_HISTORY
from tools.reads.recurring import FIND_RECURRING
from tools.reads.spending import GET_SPENDING
from tools.reads.transactions import LIST_TRANSACTIONS
from tools.tool import Tool

READS: tuple[Tool[Any], ...] = (
    GET_BUDGET_STATUS,
    LIST_TRANSACTIONS,
    GET_SPENDING,
    COMPARE_PERIODS,
    FIND_RECURRING,
    LIST_ACCOUNTS,
    LIST_GOALS,
    GET_CHANGE_HISTORY,
)
