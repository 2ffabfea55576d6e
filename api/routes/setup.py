"""What the user or the host app sets up: accounts, categories and exchange rates. All of it is made at once."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import Field

from api.caller import JSON_BODY, CallerDep
from api.cursors import decode, encode
from api.problems import documented
from api.shapes import Amount, Cursor, Input, Limit, Output, Page, Text
from domain.clock import today
from domain.money import MAX_MINOR, Money, check_currency
from ledger import accounts, categories, preferences, rates, setup, worth

router = APIRouter(prefix="/v1", tags=["money"])

Name = Annotated[Text, Field(min_length=1, max_length=160)]
Currency = Annotated[Text, Field(min_length=3, max_length=3, description="ISO 4217.")]
Day = date  # for models that have a field `date` with a default, which hides the type
Number = Annotated[Decimal, Field(gt=0, lt=10**9, max_digits=24, allow_inf_nan=False)]


class AccountView(Output):
    """A place money is in, or owed to; `balance` counts every transaction, pending ones too."""

    id: UUID
    name: str
    kind: str
    currency: str
    balance: Amount

    @classmethod
    def of(cls, a: accounts.Account) -> AccountView:
        return cls(id=a.id, name=a.name, kind=a.kind, currency=a.currency, balance=Amount.of(a.balance))


class ConversionView(Output):
    """An amount in another currency, by a rate (what one unit is worth, to ten digits) and the day it is of."""

    original: Amount
    amount: Amount
    rate: str
    date: date


class NetWorthView(Output):
    """What all accounts hold less what they owe: a sum per currency, and `total` in the user's own. Without a rate for
    it `total` is null, and `missing` asks for the rate."""

    date: date
    by_currency: list[Amount]
    total: Amount | None
    conversions: list[ConversionView]
    missing: str | None

    @classmethod
    def of(cls, net: worth.NetWorth) -> NetWorthView:
        return cls(
            date=net.day,
            by_currency=[Amount.of(money) for money in net.by_currency],
            total=Amount.of(net.total) if net.total is not None else None,
            conversions=[
                ConversionView(
                    original=Amount.of(one.original), amount=Amount.of(one.amount), rate=f"{one.rate:f}", date=one.day
                )
                for one in net.conversions
            ],
            missing=net.missing.message if net.missing else None,
        )


class AccountPage(Page[AccountView]):
    """All accounts, and what they are worth together."""

    net_worth: NetWorthView


class NewAccount(Input):
    """`opening` is what the account holds before its first transaction, in minor units; negative for a debt."""

    name: Name
    kind: accounts.Kind = "checking"
    currency: Currency | None = Field(None, description="The user's own when left out.")
    opening: Annotated[int, Field(ge=-MAX_MINOR, le=MAX_MINOR)] = 0


class CategoryView(Output):
    """What money is spent on (spending), where it comes from (income), or moves between own accounts (transfer)."""

    id: UUID
    name: str
    group: str
    kind: str

    @classmethod
    def of(cls, c: categories.Category) -> CategoryView:
        return cls(id=c.id, name=c.name, group=c.group, kind=c.kind)


class NewCategory(Input):
    """A category; `group` is a heading it stands under."""

    name: Name
    group: Annotated[Text, Field(max_length=160)] = ""
    kind: categories.Kind = "spending"


class RateView(Output):
    """One unit of `base` is worth `rate` units of `quote` on the day; decimal text, exact."""

    base: str
    quote: str
    date: date
    rate: str
    source: str

    @classmethod
    def of(cls, r: rates.Rate) -> RateView:
        return cls(base=r.base, quote=r.quote, date=r.day, rate=f"{r.value:f}", source=r.source)


class NewRate(Input):
    """One unit of `base` is worth `rate` units of `quote`; sent as text, `rate` keeps every decimal (at most 12)."""

    base: Currency
    quote: Currency
    rate: Number
    date: Annotated[Day | None, Field(description="Today when left out.")] = None
    source: Annotated[Text, Field(max_length=80)] = ""


class NewRates(Input):
    """One day's or many days' rates, all or none of which are stored."""

    rates: Annotated[list[NewRate], Field(min_length=1, max_length=1000)]


@router.get("/accounts", summary="List accounts")
async def list_accounts(caller: CallerDep) -> AccountPage:
    """All accounts, by name, and the net worth by today's rates."""
    async with caller.read() as tx:
        own = await preferences.get(tx)
        day = today(caller.services.clock, own.time_zone)
        found, net = await worth.of_user(tx, day, own.currency)
    return AccountPage(items=[AccountView.of(a) for a in found], next=None, net_worth=NetWorthView.of(net))


@router.post(
    "/accounts",
    status_code=201,
    summary="Add an account",
    dependencies=[JSON_BODY],
    responses=documented(400, 409, 413, 415),
)
async def add_account(caller: CallerDep, wanted: NewAccount) -> AccountView:
    """Makes it at once; it can be undone like every change. 409 when there is one of that name."""
    async with caller.transaction() as tx:
        currency = check_currency(wanted.currency or (await preferences.get(tx)).currency)
        made = await setup.add_account(tx, wanted.name, wanted.kind, Money(wanted.opening, currency), "http")
    return AccountView.of(made)


@router.get("/categories", summary="List categories")
async def list_categories(caller: CallerDep) -> Page[CategoryView]:
    """All categories: spending first, then income, then transfers, each by name."""
    async with caller.read() as tx:
        found = await categories.list_(tx)
    return Page(items=[CategoryView.of(c) for c in found], next=None)


@router.post(
    "/categories",
    status_code=201,
    summary="Add a category",
    dependencies=[JSON_BODY],
    responses=documented(400, 409, 413, 415),
)
async def add_category(caller: CallerDep, wanted: NewCategory) -> CategoryView:
    """Makes it at once; it can be undone like every change. 409 when there is one of that name."""
    async with caller.transaction() as tx:
        made = await setup.add_category(tx, wanted.name, wanted.group, wanted.kind, "http")
    return CategoryView.of(made)


@router.get("/rates", summary="List exchange rates")
async def list_rates(
    caller: CallerDep,
    base: Annotated[Currency | None, Query(description="Of this currency.")] = None,
    quote: Annotated[Currency | None, Query(description="In this currency.")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[RateView]:
    """The rates as they were entered, the newest day first."""
    after = decode(
        cursor, lambda day, base, quote: (date.fromisoformat(day), check_currency(base), check_currency(quote))
    )
    base, quote = (check_currency(code) if code else None for code in (base, quote))
    async with caller.read() as tx:
        found, following = await rates.list_(tx, base, quote, limit, after)
    return Page(items=[RateView.of(r) for r in found], next=encode(following))


@router.post(
    "/rates",
    status_code=201,
    summary="Enter exchange rates",
    dependencies=[JSON_BODY],
    responses=documented(400, 413, 415),
)
async def add_rates(caller: CallerDep, wanted: NewRate | NewRates) -> Page[RateView]:
    """One rate, or many as `rates`; a rate of the same currencies and day is replaced. They can be undone like every
    change, but “the last change” passes over them, as an app may send them daily."""
    many = wanted.rates if isinstance(wanted, NewRates) else [wanted]
    async with caller.transaction() as tx:
        now = today(caller.services.clock, (await preferences.get(tx)).time_zone)
        entered = [rates.Rate.of(r.base, r.quote, r.date or now, r.rate, r.source or "http") for r in many]
        await setup.enter_rates(tx, entered, now, "http")
    return Page(items=[RateView.of(r) for r in entered], next=None)
