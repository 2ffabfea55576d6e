"""The user's money as data: accounts, categories, budgets, transactions. Changes are proposals, made in a session."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import Field

from api.caller import CallerDep
from api.cursors import decode, encode
from api.problems import documented
from api.shapes import Amount, Cursor, Limit, Output, Page, Text
from domain.clock import today
from domain.periods import DateRange, Month
from ledger import accounts, budgets, categories, preferences, transactions
from ledger.filters import TxnFilter

router = APIRouter(prefix="/v1", tags=["money"])


class AccountView(Output):
    """A place money is in, or owed to; `balance` counts every transaction, pending ones too."""

    id: UUID
    name: str
    kind: str
    currency: str
    balance: Amount


class CategoryView(Output):
    """What money is spent on (kind spending), where it comes from (income), or a move between own accounts (transfer)."""

    id: UUID
    name: str
    group: str
    kind: str


class BudgetView(Output):
    """A category's budget in a month, and what the month's transactions took of it."""

    category_id: UUID
    category: str
    budget: Amount
    spent: Amount
    left: Amount


class BudgetMonth(Output):
    """The budgets of a month."""

    month: str = Field(description="YYYY-MM.")
    items: list[BudgetView]


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


class TransactionPage(Page[TransactionView]):
    """One page, newest first; `count` and `totals` (signed, one per currency) are of everything that matches."""

    count: int
    totals: list[Amount]


@router.get("/accounts", summary="List accounts")
async def list_accounts(caller: CallerDep) -> Page[AccountView]:
    """All accounts, by name."""
    async with caller.transaction() as tx:
        found = await accounts.list_(tx)
    items = [
        AccountView(id=a.id, name=a.name, kind=a.kind, currency=a.currency, balance=Amount.of(a.balance)) for a in found
    ]
    return Page(items=items, next=None)


@router.get("/categories", summary="List categories")
async def list_categories(caller: CallerDep) -> Page[CategoryView]:
    """All categories: spending first, then income, then transfers, each by name."""
    async with caller.transaction() as tx:
        found = await categories.list_(tx)
    return Page(items=[CategoryView(id=c.id, name=c.name, group=c.group, kind=c.kind) for c in found], next=None)


@router.get("/transactions", summary="List transactions", responses=documented(404))
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
    after = decode(cursor, lambda day, no: (date.fromisoformat(day), int(no)))
    wanted = TxnFilter(days=days, category=category, account=account, text=text)
    async with caller.transaction() as tx:
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
    )
