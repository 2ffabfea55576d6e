"""create_account, set_rate and set_preference, as proposals."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from domain.errors import InvalidInput
from domain.hours import clock_time
from domain.money import Money
from ledger import accounts, preferences
from ledger.rates import Rate
from ledger.setup import checked_name
from tools import dates
from tools.currencies import currency
from tools.drafts import setup
from tools.proposals.propose import propose
from tools.reads import scope
from tools.regions import locale, time_zone
from tools.result import Fact, ToolResult
from tools.tool import AnyAmount, Args, Phrase, Tool, ToolContext, plain_number
from tools.wording import outside
from tools.writes.budgets import sensible

OWED: tuple[accounts.Kind, ...] = ("credit", "loan")
"""Kinds of account whose balance people tell as what they owe."""


class CreateAccountArgs(Args):
    name: Annotated[str, Field(max_length=80)] = Field(description="its name, in the user's words")
    kind: Literal["checking", "savings", "credit", "cash", "investment", "loan"] | None = Field(
        None, description="default: checking"
    )
    currency: Phrase | None = Field(None, description="ISO 4217 or its name; default: the user's own")
    balance: AnyAmount | None = Field(None, description="what it holds now; of a credit card or loan: what is owed")


class SetRateArgs(Args):
    base: Phrase = Field(description="the currency of which one unit is valued, by name or ISO 4217")
    rate: Annotated[Decimal, Field(gt=0, lt=10**9, allow_inf_nan=False), BeforeValidator(plain_number)] = Field(
        description="what one unit is worth"
    )
    quote: Phrase | None = Field(None, description="the currency it is valued in; default: the user's own")
    date: Phrase | None = Field(None, description="a day in the user's words or YYYY-MM-DD; default: today")


class SetPreferenceArgs(Args):
    currency: Phrase | None = Field(None, description="the currency of budgets, by name or ISO 4217")
    time_zone: Phrase | None = Field(None, description="a city or country, or an IANA name such as Europe/Berlin")
    locale: Phrase | None = Field(None, description="a language or country, or a tag such as de-DE: how figures look")
    envelopes_since: Phrase | None = Field(
        None, description="the month from which money without a budget adds up; “none”: each month stands for itself"
    )
    messages_on: Phrase | None = Field(
        None,
        description="messages to send unasked to a linked chat, of: weekly (summary), budget (nearly spent), unusual "
        "(charges), bills (upcoming); with commas, or “all”",
    )
    messages_off: Phrase | None = Field(None, description="those of them to send no more")
    messages_to: Phrase | None = Field(
        None, description="the app they go to: slack, telegram, whatsapp, twilio (SMS); “any”: the one used last"
    )
    weekly_at: Phrase | None = Field(None, description="day and time of the weekly summary, as “friday 18:00”")
    quiet_hours: Phrase | None = Field(None, description="when no such message comes, as “22:00-08:00”; “none”")


async def create_account(ctx: ToolContext, args: CreateAccountArgs) -> ToolResult:
    name, kind = checked_name(outside(args.name), "account"), args.kind or "checking"
    code = currency(args.currency, ctx.preferences.currency) if args.currency else ctx.preferences.currency
    told = sensible(ctx, Money.of(args.balance or 0, code))
    return await propose(ctx, args, setup.opening(name, kind, -told if kind in OWED else told))


async def set_rate(ctx: ToolContext, args: SetRateArgs) -> ToolResult:
    own = ctx.preferences.currency
    base, quote = currency(args.base, own), currency(args.quote, own) if args.quote else own
    day = dates.day(args.date, ctx.today, locale=ctx.preferences.locale) if args.date else ctx.today
    if day > ctx.today:
        raise InvalidInput(f"{day} has not come yet; a rate is of today or earlier.")
    rate = Rate.of(base, quote, day, args.rate)
    about = f"{base} to {quote} rate"
    facts = (Fact(about, rate.value, "rate"), Fact(f"day of the {about}", day))
    return await propose(ctx, args, setup.valuing(rate), facts=facts)


async def set_preference(ctx: ToolContext, args: SetPreferenceArgs) -> ToolResult:
    wanted: dict[str, str | bool | None] = {}
    note = ""
    if args.currency is not None:
        wanted["currency"] = currency(args.currency, ctx.preferences.currency)
        note = "Accounts, budgets and amounts stay in the currency they are in."
    if args.time_zone is not None:
        wanted["time_zone"] = time_zone(args.time_zone)
    if args.locale is not None:
        wanted["locale"] = locale(args.locale)
    if args.envelopes_since is not None:
        none = args.envelopes_since.casefold() in ("none", "never", "no")
        wanted["envelopes_since"] = None if none else scope.month(ctx, args.envelopes_since).first.isoformat()
    wanted |= _messages(args)
    if not wanted:
        raise InvalidInput(
            "Which of them: the currency, the time zone, the language and country, the envelopes, or messages unasked?"
        )
    return await propose(ctx, args, setup.preferring(**wanted), note)


def _messages(args: SetPreferenceArgs) -> dict[str, str | bool | None]:
    """What is preferred of messages unasked. Raises InvalidInput for times that are none."""
    wanted: dict[str, str | bool | None] = {}
    for said, on in ((args.messages_on, True), (args.messages_off, False)):
        wanted |= {preferences.SWITCHES[kind]: on for kind in _kinds(said or "")}
    if args.messages_to is not None:
        app = args.messages_to.casefold()
        wanted["messages_to"] = None if app in ("any", "none") else {"sms": "twilio"}.get(app, app)
    if args.weekly_at is not None:
        found = re.fullmatch(r"([a-z]+)?\s*(?:at\s+)?(\d{1,2}:\d{2})?", args.weekly_at.casefold())
        if found is None:
            raise InvalidInput("Say the day and time of the weekly summary as in “friday 18:00”.")
        wanted |= {name: said for name, said in zip(("weekly_day", "weekly_time"), found.groups(), strict=True) if said}
    if args.quiet_hours is not None:
        if args.quiet_hours.casefold() in ("none", "never", "no"):
            return wanted | {"quiet_from": None, "quiet_until": None}
        times = re.fullmatch(r"(\d{1,2}:\d{2})\s*(?:-|–|to|until)\s*(\d{1,2}:\d{2})", args.quiet_hours.casefold())
        if times is None:
            raise InvalidInput("Say quiet hours as in “22:00-08:00”, or “none”.")
        wanted |= {"quiet_from": clock_time(times[1]), "quiet_until": clock_time(times[2])}
    return wanted


def _kinds(said: str) -> list[preferences.Notice]:
    """The kinds of messages that are named, by their first words. Raises InvalidInput for one that is none."""
    words = [word.strip() for word in re.split(r",|;|\band\b", said.casefold()) if word.strip()]
    if words == ["all"]:
        return list(preferences.SWITCHES)
    found = [next((kind for kind in preferences.SWITCHES if kind.rstrip("s") in word), None) for word in words]
    if None in found:
        raise InvalidInput(f"Which messages: {', '.join(preferences.SWITCHES)}, or all?")
    return [kind for kind in found if kind]


CREATE_ACCOUNT: Tool[Any] = Tool(
    name="create_account",
    description="Propose a new account of the user's in their records: checking, savings, credit card, cash, "
    "investment or loan. It opens nothing at a bank. The user confirms it; it is not done yet.",
    args=CreateAccountArgs,
    run=create_account,
    label=lambda args: f"Preparing the account {args.name}",
    writes=True,
)

SET_RATE: Tool[Any] = Tool(
    name="set_rate",
    description="Propose an exchange rate that the user tells you, of a day, for conversions; never one of your own. "
    "The user confirms it; it is not done yet.",
    args=SetRateArgs,
    run=set_rate,
    label=lambda args: f"Preparing a rate of {args.base}",
    writes=True,
)

SET_PREFERENCE: Tool[Any] = Tool(
    name="set_preference",
    description="Propose another currency of budgets, time zone, language and country, first month of envelopes, or "
    "which messages the user gets unasked in a messaging app, and when. "
    "The user confirms it; it is not done yet.",
    args=SetPreferenceArgs,
    run=set_preference,
    label=lambda args: "Preparing a change of preferences",
    writes=True,
)
