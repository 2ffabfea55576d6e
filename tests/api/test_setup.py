"""Accounts, categories and rates, set up over HTTP."""

from __future__ import annotations

from typing import Any

import httpx
import pytest


async def test_an_account_is_made_at_once_and_can_be_undone(client: httpx.AsyncClient) -> None:
    """201 with its opening balance; it is listed, and stands in the journal as a change like others."""
    made = await client.post("/v1/accounts", json={"name": "Cash", "kind": "cash", "currency": "kwd", "opening": 1500})
    assert made.status_code == 201
    account = made.json()
    assert (account["name"], account["kind"], account["balance"]) == (
        "Cash",
        "cash",
        {"minor": 1500, "currency": "KWD"},
    )
    assert (await client.get("/v1/accounts")).json()["items"] == [account]
    (entry,) = (await client.get("/v1/journal")).json()["items"]
    assert (entry["kind"], entry["approval"], entry["text"]) == ("create_account", "http", "Added the account Cash.")
    undone = await client.post(f"/v1/journal/{entry['id']}/undo")
    assert undone.status_code in (200, 201)
    assert (await client.get("/v1/accounts")).json()["items"] == []


async def test_an_account_is_in_the_users_currency(client: httpx.AsyncClient) -> None:
    """Unless another is named."""
    await client.patch("/v1/preferences", json={"currency": "JPY"})
    assert (await client.post("/v1/accounts", json={"name": "A"})).json()["currency"] == "JPY"


async def test_a_category_is_made_at_once(client: httpx.AsyncClient) -> None:
    """201; listed with its group and kind."""
    made = await client.post("/v1/categories", json={"name": "Pets", "group": "Home"})
    assert made.status_code == 201
    assert (await client.get("/v1/categories")).json()["items"] == [made.json()]
    assert made.json()["kind"] == "spending"


@pytest.mark.parametrize("path", ["/v1/accounts", "/v1/categories"])
async def test_a_name_is_there_once(client: httpx.AsyncClient, path: str) -> None:
    """409 for the same name in other letters' case, and nothing is made."""
    await client.post(path, json={"name": "One"})
    again = await client.post(path, json={"name": " oNE "})
    assert (again.status_code, again.json()["code"]) == (409, "name_taken")
    assert len((await client.get(path)).json()["items"]) == 1


RATE = {"base": "EUR", "quote": "USD", "rate": "1.1", "date": "2026-11-01"}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/accounts", {"name": "  "}),
        ("/v1/accounts", {"name": "x" * 81}),
        ("/v1/accounts", {"name": "a\u202eb"}),
        ("/v1/accounts", {"name": "A", "kind": "piggy bank"}),
        ("/v1/accounts", {"name": "A", "currency": "XYZ"}),
        ("/v1/accounts", {"name": "A", "opening": 10**16}),
        ("/v1/accounts", {"name": "A", "opening": 1.5}),
        ("/v1/accounts", {"name": "A", "user_id": "x"}),
        ("/v1/categories", {"name": "uncategorized"}),
        ("/v1/categories", {"name": "A", "kind": "fun"}),
        ("/v1/rates", {**RATE, "quote": "EUR"}),
        ("/v1/rates", {**RATE, "base": "XYZ"}),
        ("/v1/rates", {**RATE, "rate": "0"}),
        ("/v1/rates", {**RATE, "rate": "-1"}),
        ("/v1/rates", {**RATE, "rate": "NaN"}),
        ("/v1/rates", {**RATE, "rate": "1e30"}),
        ("/v1/rates", {**RATE, "rate": "0.0000000000001"}),
        ("/v1/rates", {**RATE, "date": "2026-13-01"}),
        ("/v1/rates", {**RATE, "date": "2099-01-01"}),
        ("/v1/rates", {"rates": []}),
        ("/v1/rates", {"rates": [RATE, {**RATE, "rate": "0"}]}),
    ],
)
async def test_what_cannot_be_set_up_is_refused(client: httpx.AsyncClient, path: str, body: dict[str, Any]) -> None:
    """422, and nothing is stored."""
    answer = await client.post(path, json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_input")
    assert (await client.get(path)).json()["items"] == []


async def test_rates_are_entered_and_listed(client: httpx.AsyncClient) -> None:
    """One or many at once, exact, the newest first, by pages and by currency; the same day's is replaced."""
    one = await client.post("/v1/rates", json=RATE)
    assert one.status_code == 201
    assert one.json()["items"] == [RATE | {"source": "http"}]
    many = [RATE | {"rate": "1.123456789012", "source": "bank"}, RATE | {"base": "GBP", "date": "2026-11-02"}]
    assert (await client.post("/v1/rates", json={"rates": many})).status_code == 201
    first = (await client.get("/v1/rates", params={"limit": 1})).json()
    rest = (await client.get("/v1/rates", params={"cursor": first["next"]})).json()
    assert [rate["base"] for rate in first["items"] + rest["items"]] == ["GBP", "EUR"]
    assert rest["items"][0]["rate"] == "1.123456789012"
    assert rest["next"] is None
    assert len((await client.get("/v1/rates", params={"base": "gbp"})).json()["items"]) == 1
    assert (await client.get("/v1/rates", params={"base": "ab\x00"})).status_code == 422
    assert (await client.get("/v1/rates", params={"cursor": "x"})).status_code == 422


async def test_rates_and_preferences_are_undone_by_their_entry(client: httpx.AsyncClient) -> None:
    """Both stand in the journal with what they were before; undone, the earlier values are back."""
    await client.post("/v1/rates", json=RATE)
    await client.post("/v1/rates", json=RATE | {"rate": "1.2"})
    await client.patch("/v1/preferences", json={"time_zone": "Asia/Tokyo"})
    entries = (await client.get("/v1/journal")).json()["items"]
    assert [entry["text"] for entry in entries[:2]] == [
        "Set the time zone from UTC to Asia/Tokyo.",
        "Entered the EUR to USD rate of 2026-11-01: 1.2.",
    ]
    for entry in entries[:2]:
        assert (await client.post(f"/v1/journal/{entry['id']}/undo")).status_code in (200, 201)
    assert [rate["rate"] for rate in (await client.get("/v1/rates")).json()["items"]] == ["1.1"]
    assert (await client.get("/v1/preferences")).json()["time_zone"] == "UTC"


async def test_net_worth_is_shown_with_its_rates(client: httpx.AsyncClient, stranger: httpx.AsyncClient) -> None:
    """Null and a question without a rate; with one the total, the rate and its day. Nobody else's rate counts."""
    await client.post("/v1/accounts", json={"name": "A", "currency": "USD", "opening": 100000})
    await client.post("/v1/accounts", json={"name": "B", "currency": "EUR", "opening": -10000})
    await stranger.post("/v1/rates", json=RATE)
    net = (await client.get("/v1/accounts")).json()["net_worth"]
    assert (net["total"], net["conversions"]) == (None, [])
    assert net["missing"].startswith("I have no EUR to USD rate for ")
    await client.post("/v1/rates", json=RATE)
    net = (await client.get("/v1/accounts")).json()["net_worth"]
    assert net["total"] == {"minor": 89000, "currency": "USD"}
    assert net["conversions"] == [
        {
            "original": {"minor": -10000, "currency": "EUR"},
            "amount": {"minor": -11000, "currency": "USD"},
            "rate": "1.1",
            "date": "2026-11-01",
        }
    ]
    assert net["missing"] is None
