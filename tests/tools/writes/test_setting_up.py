"""Accounts, rates and preferences by way of chat: proposals like all others, and in the journal from everywhere."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from domain.errors import InvalidInput
from domain.money import Money
from ledger import accounts, preferences, rates, setup
from ledger.preferences import Preferences
from ledger.rates import Rate
from tools import proposals
from tools.drafts.undo import NotUndoable

if TYPE_CHECKING:
    from conftest import Penny


async def apply(penny: Penny, name: str, /, **args: Any) -> UUID:
    """Proposes and confirms; the journal entry."""
    made = await penny.propose(name, **args)
    return (await proposals.confirm(penny.db, penny.user, UUID(made["id"]), made["hash"])).journal_id


async def rows(penny: Penny) -> dict[str, Any]:
    """What is set up."""
    async with penny.db.read(penny.user) as tx:
        return {
            "accounts": {a.name: (a.kind, a.balance) for a in await accounts.list_(tx)},
            "rates": {(r.base, r.quote, r.day): str(r.value) for r in (await rates.list_(tx))[0]},
            "preferences": await preferences.get(tx),
        }


async def test_an_account_is_proposed_made_and_undone(penny: Penny) -> None:
    """Nothing is there before the confirmation; what a card owes is negative; undone it is gone."""
    before = await rows(penny)
    made = await penny.propose("create_account", name="  Blue   Visa ", kind="credit", balance=512.5)
    assert made["text"] == "Add a credit account Blue Visa in USD, on which $512.50 is owed."
    opening = {"what": "Account Blue Visa", "field": "opening balance", "before": None}
    assert opening | {"after": {"minor": -51250, "currency": "USD"}} in made["diff"]
    assert await rows(penny) == before
    done = await proposals.confirm(penny.db, penny.user, UUID(made["id"]), made["hash"])
    assert (await rows(penny))["accounts"]["Blue Visa"] == ("credit", Money(-512_50, "USD"))
    await proposals.undo_now(penny.db, penny.user, done.journal_id)
    assert await rows(penny) == before


async def test_an_account_has_the_currency_that_was_named(penny: Penny) -> None:
    """By its name, with its decimals; a second account of the name is refused."""
    result = await penny.call("create_account", name="Kuwait", currency="Kuwaiti dinars", balance="1.234")
    assert result.summary.startswith("I can add a checking account Kuwait in KWD, with KWD")
    with pytest.raises(InvalidInput, match="There is an account Checking already"):
        await penny.call("create_account", name="checking")
    with pytest.raises(InvalidInput, match="more decimals"):
        await penny.call("create_account", name="Tokyo", currency="yen", balance=0.5)
    with pytest.raises(InvalidInput, match="characters"):
        await penny.call("create_account", name="\u200b")


async def test_a_rate_that_was_told_counts_and_is_undone(penny: Penny) -> None:
    """It says the equation and the day; a correction shows both values; undone one by one, each earlier one is back."""
    first = await penny.call("set_rate", base="euro", rate=1.0842, date="Nov 20")
    assert "enter the exchange rate 1 EUR = 1.0842 USD for Nov 20, 2026" in first.summary
    assert [f"{fact.label}: {fact.value}" for fact in first.facts][:2] == [
        "EUR to USD rate: 1.0842",
        "day of the EUR to USD rate: 2026-11-20",
    ]
    key = ("EUR", "USD", date(2026, 11, 20))
    one = await apply(penny, "set_rate", base="euro", rate=1.0842, date="Nov 20")
    made = await penny.propose("set_rate", base="EUR", quote="dollars", rate="1.1", date="2026-11-20")
    assert made["diff"] == [
        {"what": "EUR to USD rate, Nov 20, 2026", "field": "rate", "before": "1.0842", "after": "1.1"}
    ]
    two = (await proposals.confirm(penny.db, penny.user, UUID(made["id"]), made["hash"])).journal_id
    with pytest.raises(NotUndoable, match="Undo that one first"):
        await proposals.undo_now(penny.db, penny.user, one)
    await proposals.undo_now(penny.db, penny.user, two)
    assert (await rows(penny))["rates"] == {key: "1.0842"}
    await proposals.undo_now(penny.db, penny.user, one)
    assert (await rows(penny))["rates"] == {}


@pytest.mark.parametrize(
    ("args", "why"),
    [
        ({"base": "euro", "rate": 1.1, "date": "tomorrow"}, "not come yet"),
        ({"base": "dollars", "rate": 1.1}, "always 1"),
        ({"base": "moon coins", "rate": 1.1}, "ISO 4217"),
        ({"base": "euro", "rate": "0.0000000000001"}, "12 decimals"),
    ],
)
async def test_what_is_no_rate_is_not_proposed(penny: Penny, args: dict[str, Any], why: str) -> None:
    """Each with its reason."""
    with pytest.raises(InvalidInput, match=why):
        await penny.call("set_rate", **args)


async def test_preferences_are_proposed_together_and_undone(penny: Penny) -> None:
    """One change, each preference a line of the difference; undone all are as before, and asking again says so."""
    said = {"currency": "euros", "time_zone": "Berlin", "locale": "German", "envelopes_since": "october"}
    made = await penny.propose("set_preference", **said)
    assert made["text"] == (
        "Set the locale from en-US to de-DE, the time zone from UTC to Europe/Berlin, the currency from USD to EUR and "
        "the first month of the envelopes from none to 2026-10."
    )
    assert [(entry["field"], entry["before"], entry["after"]) for entry in made["diff"]] == [
        ("locale", "en-US", "de-DE"),
        ("time zone", "UTC", "Europe/Berlin"),
        ("currency", "USD", "EUR"),
        ("first month of the envelopes", None, "2026-10-01"),
    ]
    done = await proposals.confirm(penny.db, penny.user, UUID(made["id"]), made["hash"])
    wanted = Preferences("de-DE", "Europe/Berlin", "EUR", date(2026, 10, 1))
    assert (await rows(penny))["preferences"] == wanted
    again = await penny.call("set_preference", currency="EUR")
    assert (again.summary, again.proposal) == ("The currency is already EUR.", None)
    await proposals.undo_now(penny.db, penny.user, done.journal_id)
    assert (await rows(penny))["preferences"] == Preferences()


async def test_what_lifts_a_confirmation_is_not_set_by_chat(penny: Penny) -> None:
    """The tool takes nothing about applying without asking."""
    with pytest.raises(ValueError, match="auto_apply"):
        await penny.call("set_preference", auto_apply=True)


async def test_preferences_set_by_hand_are_in_the_journal(penny: Penny) -> None:
    """A change over HTTP or by command is one entry, undone like others; setting what is set already is none."""
    async with penny.db.transaction(penny.user) as tx:
        await setup.change_preferences(tx, Preferences(currency="chf", auto_apply=True, auto_each_minor=2000), "http")
        await setup.change_preferences(tx, Preferences(currency="CHF", auto_apply=True, auto_each_minor=2000), "http")
        entries = await tx.pg.fetch("SELECT kind, text, approval FROM journal WHERE user_id = $1", penny.user)
    assert [tuple(entry) for entry in entries] == [
        (
            "set_preference",
            "Set the currency from USD to CHF, the recording of small expenses without asking from off to on and the "
            "limit of each such expense from none to 2,000.",
            "http",
        )
    ]
    undone = await proposals.undo_now(penny.db, penny.user)
    assert {entry["field"]: entry["after"] for entry in undone.proposal["diff"]}["currency"] == "USD"
    assert (await rows(penny))["preferences"] == Preferences()


async def test_rates_of_a_file_are_undone_together(penny: Penny) -> None:
    """New and changed ones are one entry, unchanged ones in none; undone, the earlier values are back."""
    day = date(2026, 11, 2)

    def told(*pairs: tuple[str, str]) -> list[Rate]:
        return [Rate.of(base, "USD", day, value, "file") for base, value in pairs]

    async with penny.db.transaction(penny.user) as tx:
        assert await setup.enter_rates(tx, told(("EUR", "1.1"), ("GBP", "1.3")), date(2026, 11, 22), "cli") == 2
        again = told(("EUR", "1.10"), ("GBP", "1.35"), ("CHF", "1.25"))
        assert await setup.enter_rates(tx, again, date(2026, 11, 22), "cli") == 3
        assert await setup.enter_rates(tx, again, date(2026, 11, 22), "cli") == 3
        entries = await tx.pg.fetch("SELECT text FROM journal WHERE user_id = $1 ORDER BY at", penny.user)
    assert [entry["text"] for entry in entries] == [
        "Entered 2 exchange rates, among them the EUR to USD rate of 2026-11-02.",
        "Entered 2 exchange rates, among them the GBP to USD rate of 2026-11-02.",
    ]
    await proposals.undo_now(penny.db, penny.user)
    assert (await rows(penny))["rates"] == {("EUR", "USD", day): "1.1", ("GBP", "USD", day): "1.3"}


async def test_the_last_change_is_not_a_rate_that_an_app_sent(penny: Penny) -> None:
    """Undoing the last one means what a person did; a rate over HTTP is undone by its entry."""
    await apply(penny, "set_budget", category="dining", amount=280)
    async with penny.db.transaction(penny.user) as tx:
        await setup.enter_rates(tx, [Rate.of("EUR", "USD", date(2026, 11, 20), "1.1")], date(2026, 11, 22), "http")
    made = await penny.propose("undo_change")
    assert made["text"].startswith("Undo “Set the Dining budget")


async def test_a_proposal_made_before_another_change_is_refused_with_a_fresh_one(penny: Penny) -> None:
    """The fresh one starts from what the preference is now."""
    made = await penny.propose("set_preference", time_zone="Tokyo")
    async with penny.db.transaction(penny.user) as tx:
        kept = await preferences.get(tx)
        await setup.change_preferences(tx, replace(kept, time_zone="Europe/Paris"), "http")
    with pytest.raises(proposals.ProposalStale, match="from Europe/Paris to Asia/Tokyo"):
        await proposals.confirm(penny.db, penny.user, UUID(made["id"]), made["hash"])


async def test_messages_unasked_are_proposed_in_peoples_words(penny: Penny) -> None:
    """Kinds on and off, day and time, quiet hours and the app, each a line of the difference; none applied yet."""
    made = await penny.propose(
        "set_preference",
        messages_on="weekly summary, upcoming bills",
        weekly_at="friday 18:00",
        quiet_hours="21:00 to 7:30",
        messages_to="SMS",
    )
    assert [(entry["field"], entry["before"], entry["after"]) for entry in made["diff"]] == [
        ("weekly summary", None, "on"),
        ("reminder of upcoming bills", None, "on"),
        ("day of the weekly summary", "monday", "friday"),
        ("time of the weekly summary", "09:00", "18:00"),
        ("start of the quiet hours", "22:00", "21:00"),
        ("end of the quiet hours", "08:00", "07:30"),
        ("app for messages unasked", None, "twilio"),
    ]
    assert (await rows(penny))["preferences"].notices == frozenset()
    done = await proposals.confirm(penny.db, penny.user, UUID(made["id"]), made["hash"])
    assert (await rows(penny))["preferences"].notices == {"weekly", "bills"}
    again = await penny.call("set_preference", messages_on="bills", quiet_hours="21:00-07:30")
    assert again.summary.startswith("The reminder of upcoming bills is already on and")
    await proposals.undo_now(penny.db, penny.user, done.journal_id)
    assert (await rows(penny))["preferences"] == Preferences()


@pytest.mark.parametrize(
    "args", [{"quiet_hours": "at night"}, {"weekly_at": "18"}, {"messages_to": "fax"}, {"messages_on": "newsletter"}]
)
async def test_times_and_apps_that_are_none_are_refused(penny: Penny, args: dict[str, str]) -> None:
    """With how to say it, or what there is."""
    with pytest.raises(InvalidInput):
        await penny.call("set_preference", **args)
