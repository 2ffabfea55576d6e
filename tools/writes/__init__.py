"""What the model may propose to change. Nothing here changes anything: each tool stores a proposal."""

from typing import Any, Final

from tools.tool import Tool
from tools.writes.budgets import MOVE_MONEY, SET_BUDGET
from tools.writes.categorize import CATEGORIZE
from tools.writes.transactions import ADD_TRANSACTION
from tools.writes.undo import UNDO_CHANGE

WRITES: Final[tuple[Tool[Any], ...]] = (SET_BUDGET, MOVE_MONEY, ADD_TRANSACTION, CATEGORIZE, UNDO_CHANGE)
