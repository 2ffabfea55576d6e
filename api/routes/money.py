"""The user's money as data: budgets and transactions. Changes are proposals, made in a session."""

from __future__ import annotations

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import Field

from api.caller import CallerDep
from api.cursors import decode, encode, whole
from api.shapes import Amount, Cursor, Limit, Output, Page, Text
from domain.clock import today
from domain.periods import DateRange, Month
from ledger import budgets, envelopes, preferences, transactions
from ledger.filters import TxnFilter

LAST_NUMBER = 2**63 - 1

router = APIRouter(prefix="/v1", tags=["money"])


class BudgetView(Output):
    """A spending category in a month. `budget`, `since` (the month it was set for) and `left` are null without a
    budget; `spent` has refunds taken off; `elsewhere` is what was spent in other currencies. `rollover` says what goes
    on into the next month (none, left, all: what is left or overspent), `carried` what came from the last one, and
    `available` is that and what is left."""

    category_id: UUID | None
    category: str
    group: str
    budget: Amount | None
    since: str | None
    spent: Amount
    left: Amount | None
    elsewhere: list[Amount]
    rollover: str
    carried: Amount | None
    available: Amount | None


class BudgetTotalView(Output):
    """All of one currency; `unbudgeted` was spent where there is no budget."""

    budget: Amount
    spent: Amount
    left: Amount
    unbudgeted: Amount


class UnassignedView(Output):
    """The money that no budget has taken, in the base currency: `amount` is what was `brought` from earlier months, and
    the `income`, less what is `assigned`, was spent `unbudgeted` and is `held` for the next month."""

    amount: Amount
    brought: Amount
    income: Amount
    assigned: Amount
    unbudgeted: Amount
    held: Amount


class BudgetMonth(Output):
    """A month against its budgets."""

    month: str = Field(description="YYYY-MM.")
    items: list[BudgetView]
    totals: list[BudgetTotalView]
    unassigned: UnassignedView


class TransactionView(Output):
    """A posting; `amount` is negative for money that left the account. `merchant` and `memo` come from outside."""

    id: UUID
    no: int = Field(description="The number the user knows it by.")
    date: date
    amount: Amount
    merchant: str
    memo: str
    category: str | None
    account: str
    pending: bool
    note: str
    tags: list[str]
    split_of: UUID | None = Field(description="The transaction that this is a part of.")
    transfer_id: UUID | None = Field(description="The same on both ends of a transfer between own accounts.")
    refund_of: UUID | None = Field(description="The purchase that this gives money back for.")


class TransactionPage(Page[TransactionView]):
    """One page, newest first; `count` and `totals` (signed, one per currency) are of everything that matches."""

    count: int
    totals: list[Amount]


@router.get("/budgets", summary="Get a month's budgets")
async def get_budgets(
    caller: CallerDep, month: Annotated[str | None, Query(max_length=16, description="YYYY-MM; this month.")] = None
) -> BudgetMonth:
    """Every spending category with its budget, what was spent and what is left, and the totals by currency."""
    wanted = Month.parse(month) if month is not None else None
    async with caller.read() as tx:
        own = await preferences.get(tx)
        wanted = wanted or Month.of(today(caller.services.clock, own.time_zone))
        status = await budgets.status(tx, wanted, own.currency)
        free = await envelopes.unassigned(tx, status, own.envelopes_since)
    return BudgetMonth(
        month=str(status.month),
        items=[
            BudgetView(
                category_id=line.category_id,
                category=line.category,
                group=line.group,
                budget=Amount.of(line.budget) if line.budget else None,
                since=str(line.since) if line.since else None,
                spent=Amount.of(line.spent),
                left=Amount.of(line.left) if line.left else None,
                elsewhere=[Amount.of(amount) for amount in line.elsewhere],
                rollover=line.rollover,
                carried=Amount.of(line.carried) if line.carried else None,
                available=Amount.of(line.available) if line.available else None,
            )
            for line in status.lines
        ],
        totals=[
            BudgetTotalView(
                budget=Amount.of(t.budget),
                spent=Amount.of(t.spent),
                left=Amount.of(t.left),
                unbudgeted=Amount.of(t.unbudgeted),
            )
            for t in status.totals
        ],
        unassigned=UnassignedView(
            amount=Amount.of(free.amount),
            brought=Amount.of(free.brought),
            income=Amount.of(free.income),
            assigned=Amount.of(free.assigned),
            unbudgeted=Amount.of(free.unbudgeted),
            held=Amount.of(free.held),
        ),
    )


@router.get("/transactions", summary="List transactions")
async def list_transactions(
    caller: CallerDep,
    start: Annotated[date | None, Query(alias="from", description="First day.")] = None,
    end: Annotated[date | None, Query(alias="to", description="Last day.")] = None,
    category: Annotated[UUID | None, Query(description="A category's id.")] = None,
    account: Annotated[UUID | None, Query(description="An account's id.")] = None,
    text: Annotated[Text | None, Query(max_length=80, description="Part of the merchant or the memo.")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> TransactionPage:
    """The user's transactions, newest first."""
    days = DateRange(start or date.min, end or date.max) if start or end else None
    after = decode(cursor, lambda day, no: (date.fromisoformat(day), whole(no, LAST_NUMBER)))
    wanted = TxnFilter(days=days, category=category, account=account, text=text)
    async with caller.read() as tx:
        found = await transactions.search(tx, wanted, limit, after)
    return TransactionPage(
        items=[_transaction(t) for t in found.items],
        next=encode(found.next),
        count=found.count,
        totals=[Amount.of(total) for total in found.totals],
    )


def _transaction(t: transactions.Txn) -> TransactionView:
    return TransactionView(
        id=t.id,
        no=t.no,
        date=t.day,
        amount=Amount.of(t.amount),
        merchant=t.merchant,
        memo=t.memo,
        category=t.category,
        account=t.account,
        pending=t.pending,
        note=t.note,
        tags=list(t.tags),
        split_of=t.split_of,
        transfer_id=t.transfer_id,
        refund_of=t.refund_of,
    )
