"""What the model may propose to change. Nothing here changes anything: each tool stores a proposal."""

from typing import Any, Final

from tools.tool import Tool
from tools.writes.budgets import MOVE_MONEY, SET_BUDGET
from tools.writes.categorize import CATEGORIZE
from tools.writes.edits import DELETE_TRANSACTION, EDIT_TRANSACTION, RECORD_REFUND
from tools.writes.envelopes import COVER_OVERSPENDING, CREATE_CATEGORY, HOLD_FOR_NEXT_MONTH, SET_ROLLOVER
from tools.writes.facts import FORGET_FACT, REMEMBER_FACT
from tools.writes.goals import SET_GOAL
from tools.writes.setup import CREATE_ACCOUNT, SET_PREFERENCE, SET_RATE
from tools.writes.splits import SPLIT_TRANSACTION
from tools.writes.transactions import ADD_TRANSACTION
from tools.writes.transfers import TRANSFER
from tools.writes.undo import UNDO_CHANGE

WRITES: Final[tuple[Tool[Any], ...]] = (
    SET_BUDGET,
    MOVE_MONEY,
    COVER_OVERSPENDING,
    HOLD_FOR_NEXT_MONTH,
    SET_ROLLOVER,
    ADD_TRANSACTION,
    EDIT_TRANSACTION,
    DELETE_TRANSACTION,
    SPLIT_TRANSACTION,
    RECORD_REFUND,
    TRANSFER,
    CATEGORIZE,
    CREATE_CATEGORY,
    SET_GOAL,
    CREATE_ACCOUNT,
    SET_RATE,
    SET_PREFERENCE,
    REMEMBER_FACT,
    FORGET_FACT,
    UNDO_CHANGE,
)
