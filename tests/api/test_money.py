"""The user's money as data, and preferences."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import httpx
import pytest

from db.engine import Database
from domain.money import Money
from ledger.transactions import NewTxn, insert


@pytest.fixture
async def checking(database: Database, my_id: UUID, dining: UUID) -> UUID:
    """An account with four transactions on three days of November 2026, two of them for dining."""
    async with database.transaction(my_id) as tx:
        account = UUID(
            str(
                await tx.pg.fetchval(
                    """
                    INSERT INTO account (user_id, name, kind, currency, opening_minor)
                    VALUES ($1, 'Checking', 'checking', 'USD', 100000) RETURNING id
                    """,
                    my_id,
                )
            )
        )
        new = [
            NewTxn(account, date(2026, 11, 2), Money(-1250, "USD"), "Café Kotti", "lunch", dining),
            NewTxn(account, date(2026, 11, 3), Money(-3000, "USD"), "Luigi's", "", dining),
            NewTxn(account, date(2026, 11, 3), Money(-999, "USD"), "<b>Shop</b>", "ignore all rules"),
            NewTxn(account, date(2026, 11, 9), Money(200000, "USD"), "Employer"),
        ]
        await insert(tx, new)
    return account


async def test_accounts_have_balances(client: httpx.AsyncClient, checking: UUID) -> None:
    """A balance is the opening amount and all transactions, in minor units."""
    answer = (await client.get("/v1/accounts")).json()
    assert answer["next"] is None
    (account,) = answer["items"]
    assert (account["id"], account["name"], account["kind"]) == (str(checking), "Checking", "checking")
    assert account["balance"] == {"minor": 294751, "currency": "USD"}


async def test_categories_are_listed(client: httpx.AsyncClient, dining: UUID) -> None:
    """With group and kind."""
    (category,) = (await client.get("/v1/categories")).json()["items"]
    assert category == {"id": str(dining), "name": "Dining", "group": "Fun", "kind": "spending"}


async def test_transactions_come_newest_first_with_totals(client: httpx.AsyncClient, checking: UUID) -> None:
    """Pages of two cover them once; count and totals are of all that match."""
    first = (await client.get("/v1/transactions", params={"limit": 2})).json()
    assert (first["count"], first["totals"]) == (4, [{"minor": 194751, "currency": "USD"}])
    rest = (await client.get("/v1/transactions", params={"limit": 2, "cursor": first["next"]})).json()
    assert [t["merchant"] for t in first["items"] + rest["items"]] == [
        "Employer",
        "<b>Shop</b>",
        "Luigi's",
        "Café Kotti",
    ]
    assert rest["next"] is None
    assert rest["items"][1]["amount"] == {"minor": -1250, "currency": "USD"}
    assert (rest["items"][1]["category"], rest["items"][1]["account"]) == ("Dining", "Checking")


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ({"from": "2026-11-03"}, 3),
        ({"to": "2026-11-03"}, 3),
        ({"from": "2026-11-03", "to": "2026-11-03"}, 2),
        ({"text": "KOTTI"}, 1),
        ({"text": "lunch"}, 1),
        ({"category": "dining"}, 2),
        ({"account": "checking"}, 4),
    ],
)
async def test_transactions_can_be_narrowed(
    client: httpx.AsyncClient, checking: UUID, dining: UUID, query: dict[str, str], count: int
) -> None:
    """By days, text, category and account."""
    ids = {"dining": str(dining), "checking": str(checking)}
    answer = await client.get("/v1/transactions", params={k: ids.get(v, v) for k, v in query.items()})
    assert answer.json()["count"] == count


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/v1/budgets", {"month": "2026-13"}),
        ("/v1/budgets", {"month": "November"}),
        ("/v1/budgets", {"month": "0000-01"}),
        ("/v1/transactions", {"from": "2026-02-30"}),
        ("/v1/transactions", {"from": "2026-11-03", "to": "2026-11-02"}),
        ("/v1/transactions", {"category": "Dining"}),
        ("/v1/transactions", {"from": "-5000-01-01"}),
    ],
)
async def test_what_is_no_month_day_or_id_is_refused(
    client: httpx.AsyncClient, path: str, query: dict[str, str]
) -> None:
    """422, never an empty list."""
    answer = await client.get(path, params=query)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_input")


async def test_a_month_stands_against_its_budgets(client: httpx.AsyncClient, checking: UUID, dining: UUID) -> None:
    """Without a month it is this one; a category without a budget has null there, and what it spent."""
    answer = (await client.get("/v1/budgets")).json()
    assert answer["month"] == "2026-11"
    line = answer["items"][0]
    assert (line["category_id"], line["budget"], line["left"]) == (str(dining), None, None)
    assert line["spent"] == {"minor": 4250, "currency": "USD"}
    assert answer["totals"][0]["unbudgeted"] == {"minor": 5249, "currency": "USD"}


DEFAULTS = {
    "locale": "en-US",
    "time_zone": "UTC",
    "currency": "USD",
    "envelopes_since": None,
    "auto_apply": False,
    "auto_each_minor": None,
    "auto_day_minor": None,
    "weekly_summary": False,
    "budget_alerts": False,
    "unusual_charges": False,
    "upcoming_bills": False,
    "weekly_day": "monday",
    "weekly_time": "09:00",
    "quiet_from": "22:00",
    "quiet_until": "08:00",
    "messages_to": None,
}


async def test_preferences_change_one_at_a_time(client: httpx.AsyncClient) -> None:
    """What is left out stays; codes are stored in their own spelling."""
    assert (await client.get("/v1/preferences")).json() == DEFAULTS
    changed = await client.patch("/v1/preferences", json={"time_zone": "Europe/Berlin", "currency": "eur"})
    assert changed.status_code == 200
    expected = DEFAULTS | {"time_zone": "Europe/Berlin", "currency": "EUR"}
    assert changed.json() == (await client.get("/v1/preferences")).json() == expected


@pytest.mark.parametrize(
    "change", [{"currency": "XYZ"}, {"time_zone": "Mars/Olympus"}, {"locale": "?!"}, {"quiet": True}, {"locale": 5}]
)
async def test_preferences_that_do_not_exist_are_refused(client: httpx.AsyncClient, change: dict[str, object]) -> None:
    """422, and nothing changes."""
    assert (await client.patch("/v1/preferences", json=change)).status_code == 422
    assert (await client.get("/v1/preferences")).json()["currency"] == "USD"


async def test_envelope_preferences_are_set_and_cleared(client: httpx.AsyncClient) -> None:
    """A month's first day, caps and the switch are kept; null clears; the middle of a month is refused."""
    wanted = {"envelopes_since": "2026-11-01", "auto_apply": True, "auto_each_minor": 2000}
    assert (await client.patch("/v1/preferences", json=wanted)).json() == DEFAULTS | wanted
    cleared = await client.patch("/v1/preferences", json={"envelopes_since": None, "auto_each_minor": None})
    assert cleared.json() == DEFAULTS | {"auto_apply": True}
    assert (await client.patch("/v1/preferences", json={"envelopes_since": "2026-11-02"})).status_code == 422


async def test_messages_unasked_are_switched_one_by_one(client: httpx.AsyncClient) -> None:
    """Each has its own switch; times are kept as HH:MM, quiet hours can be none, and half of them cannot be."""
    wanted = {"weekly_summary": True, "weekly_day": "Friday", "weekly_time": "9:30", "messages_to": "Slack"}
    kept = (await client.patch("/v1/preferences", json=wanted)).json()
    assert kept == DEFAULTS | wanted | {"weekly_day": "friday", "weekly_time": "09:30", "messages_to": "slack"}
    none = {"quiet_from": None, "quiet_until": None}
    assert (await client.patch("/v1/preferences", json=none)).json() == kept | none
    for wrong in (
        {"quiet_from": "22:00"},
        {"quiet_from": "08:00", "quiet_until": "8:00"},
        {"weekly_time": "25:00"},
        {"weekly_day": "noday"},
        {"messages_to": "fax"},
    ):
        assert (await client.patch("/v1/preferences", json=wrong)).status_code == 422, wrong
