"""Messages unasked: what is found in a ledger, told once, in a person's language, at their hours, until they end it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from channels.watcher import Watcher
from db.engine import Database
from domain.clock import FixedClock
from ledger import preferences
from ledger.preferences import Preferences
from memory import links, notices

MONDAY = datetime(2026, 11, 23, 9, 1, tzinfo=UTC)


class Place:
    """An app as far as the watcher looks at one."""

    window_hours: float | None = None
    templates = False


class Person:
    """A user with an account, and what they are told."""

    def __init__(self, db: Database, user: UUID) -> None:
        self.db, self.user, self.no = db, user, 0
        self.place = Place()
        self.account: Any = None

    async def prefer(self, **wanted: Any) -> None:
        async with self.db.transaction(self.user) as tx:
            await preferences.put(tx, replace(await preferences.get(tx), **wanted))

    async def link(self, channel: str = "telegram", chat: str = "7", address: str = "7") -> None:
        async with self.db.transaction(self.user) as tx:
            await tx.pg.execute(
                "INSERT INTO channel_link (user_id, channel, address, chat) VALUES ($1, $2, $3, $4)",
                tx.user,
                channel,
                f"{address} {self.user}",
                chat,
            )

    async def budget(self, name: str, minor: int) -> UUID:
        async with self.db.transaction(self.user) as tx:
            found = await tx.pg.fetchval(
                """
                WITH c AS (INSERT INTO category (user_id, name) VALUES ($1, $2) RETURNING id),
                     b AS (INSERT INTO budget (user_id, month, category_id, amount_minor, currency)
                           SELECT $1, '2026-11-01', id, $3, 'USD' FROM c)
                SELECT id FROM c
                """,
                tx.user,
                name,
                minor,
            )
            return UUID(int=found.int)

    async def spend(self, day: date, minor: int, merchant: str = "Shop", category: UUID | None = None) -> None:
        async with self.db.transaction(self.user) as tx:
            if self.account is None:
                self.account = await tx.pg.fetchval(
                    "INSERT INTO account (user_id, name, kind, currency) VALUES ($1, 'A', 'checking', 'USD') "
                    "RETURNING id",
                    tx.user,
                )
            self.no = await tx.pg.fetchval(
                "UPDATE app_user SET last_txn_no = last_txn_no + 1 WHERE id = $1 RETURNING last_txn_no", tx.user
            )
            await tx.pg.execute(
                """
                INSERT INTO txn (user_id, no, account_id, day, amount_minor, currency, merchant, category_id)
                VALUES ($1, $2, $3, $4, $5, 'USD', $6, $7)
                """,
                tx.user,
                self.no,
                self.account,
                day,
                -minor,
                merchant,
                category,
            )

    async def look(self, now: datetime = MONDAY) -> list[dict[str, Any]]:
        """What is in the outbox after a look."""
        channels: Any = dict.fromkeys(("telegram", "slack", "whatsapp"), self.place)
        await Watcher(self.db, channels, FixedClock(now), lambda: None).look(self.user)
        async with self.db.read(self.user) as tx:
            rows = await tx.pg.fetch(
                """
                SELECT *, extract(epoch FROM due_at - created_at)::float8 AS wait FROM outbox
                 WHERE kind = 'notice' ORDER BY no
                """
            )
        return [dict(row) for row in rows]

    async def told(self, now: datetime = MONDAY) -> list[str]:
        return [row["body"]["text"] for row in await self.look(now)]


@pytest.fixture
async def person(database: Database, user: UUID) -> Any:
    """A user with one linked chat."""
    made = Person(database, user)
    await made.link()
    yield made
    async with database.transaction(user) as tx:
        await tx.pg.execute("DELETE FROM outbox")
        await tx.pg.execute("DELETE FROM preference")


async def test_nobody_is_told_what_they_did_not_ask_for(person: Person) -> None:
    """All switches are off at first; who has none on is not even looked after."""
    dining = await person.budget("Dining", 100_00)
    await person.spend(date(2026, 11, 20), 150_00, category=dining)
    assert await person.told() == []
    await person.prefer(budget_alerts=True)
    assert len(await person.told()) == 1
    await person.prefer(budget_alerts=False)
    async with person.db.read(person.user) as tx:
        assert await notices.watch(tx) is None


async def test_a_budget_is_told_of_when_nearly_spent_and_when_overspent(person: Person) -> None:
    """Once each, by exact figures; one that is used up to the cent, as a rent, is meant so."""
    await person.prefer(budget_alerts=True)
    dining, rent = await person.budget("Dining", 100_00), await person.budget("Rent", 900_00)
    await person.spend(date(2026, 11, 2), 900_00, category=rent)
    await person.spend(date(2026, 11, 3), 89_99, category=dining)
    assert await person.told() == []
    await person.spend(date(2026, 11, 4), 2_50, category=dining)
    near = "**Budgets nearly spent, November 2026**\n\n- Dining: 92% of $100.00 is spent, $7.51 is left."
    assert await person.told() == [near]
    await person.spend(date(2026, 11, 5), 10_00, category=dining)
    over = "- Dining: $102.49 is spent, $2.49 more than the budget of $100.00."
    told = await person.told()
    assert (told[0], told[1].splitlines()[-1], len(told)) == (near, over, 2)
    await person.spend(date(2026, 11, 6), 1, category=dining)
    assert len(await person.told()) == 2


async def test_servers_that_look_at_once_tell_once(person: Person) -> None:
    """Ten looks at the same time: one message, in whatever chats they would have written to."""
    dining = await person.budget("Dining", 100_00)
    await person.spend(date(2026, 11, 20), 150_00, category=dining)
    await person.prefer(budget_alerts=True)
    await asyncio.gather(*(person.look() for _ in range(10)))
    await person.link("slack", "U1")
    assert len(await person.look(MONDAY + timedelta(days=1))) == 1


async def test_an_unusual_charge_is_told_of(person: Person) -> None:
    """Far above what is usual at the merchant, and one that may have been made twice; not last month's."""
    await person.prefer(unusual_charges=True)
    for day in range(1, 13):
        for month in (8, 9):
            await person.spend(date(2026, month, day * 2), 40_00 + day, "Target")
    await person.spend(date(2026, 10, 10), 400_00, "Target")
    assert await person.told() == []
    await person.spend(date(2026, 11, 20), 300_00, "Target")
    (first,) = await person.told()
    assert first == "**Unusual charges**\n\n- $300.00 at Target on Nov 20: usual is $40.07."
    for _ in range(2):
        await person.spend(date(2026, 11, 21), 25_00, "Kiosk")
    _, second = await person.told()
    assert second.splitlines()[-1] == "- $25.00 at Kiosk on Nov 21, 2 times: possibly charged more than once."


async def test_a_bill_is_told_of_three_days_ahead_once(person: Person) -> None:
    """By the charge that it follows; the next month's is another one."""
    await person.prefer(upcoming_bills=True)
    for month in range(5, 11):
        await person.spend(date(2026, month, 25), 15_49, "Netflix")
    assert await person.told(MONDAY - timedelta(days=2)) == []
    told = await person.told(MONDAY)
    assert told == ["**Upcoming bills**\n\n- Netflix: $15.49, expected on Nov 25."]
    assert await person.told(MONDAY + timedelta(days=1)) == told
    await person.spend(date(2026, 11, 25), 15_49, "Netflix")
    assert len(await person.told(datetime(2026, 12, 23, 9, tzinfo=UTC))) == 2


async def test_the_week_is_summed_up_on_its_day(person: Person) -> None:
    """After the first look, at the local hour: what was spent, on what, and the week before; once, and again a week
    later."""
    food = await person.budget("Food", 200_00)
    await person.spend(date(2026, 11, 10), 50_00, category=food)
    await person.spend(date(2026, 11, 16), 40_00, category=food)
    await person.spend(date(2026, 11, 22), 20_00)
    await person.spend(date(2026, 11, 23), 99_00)
    await person.prefer(weekly_summary=True, time_zone="America/New_York")
    assert await person.told(MONDAY - timedelta(days=3)) == []
    assert await person.told(MONDAY) == []  # it is four in the morning there
    nine = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)
    (week,) = await person.told(nine)
    assert week.split("\n\n") == [
        "**Your week: Nov 16 – 22**",
        "- Spent: $60.00 (the week before: $50.00, +20%)",
        "Most of it:",
        "- Food: $40.00\n- Uncategorized: $20.00",
    ]
    assert await person.told(nine + timedelta(hours=1)) == [week]
    assert len(await person.told(nine + timedelta(days=7))) == 2


async def test_a_summary_that_nobody_could_send_for_days_is_not_sent(person: Person) -> None:
    """Servers that were away for an hour catch up; after more than a day the week is over."""
    await person.prefer(weekly_summary=True)
    await person.look(MONDAY - timedelta(days=3))
    assert await person.told(MONDAY + timedelta(days=2)) == []


async def test_switching_it_on_tells_nothing_of_the_past_week(person: Person) -> None:
    """The first summary comes on the day that was promised."""
    await person.prefer(weekly_summary=True)
    assert await person.told(MONDAY) == []
    await person.prefer(weekly_summary=False)
    await person.prefer(weekly_summary=True)
    assert await person.told(MONDAY + timedelta(minutes=1)) == []
    assert len(await person.told(MONDAY + timedelta(days=7))) == 1


async def test_quiet_hours_put_off_and_drop_nothing(person: Person) -> None:
    """What is found at eleven at night is due at eight in the morning, by the person's clock."""
    await person.prefer(budget_alerts=True, time_zone="Europe/Berlin")
    dining = await person.budget("Dining", 100_00)
    await person.spend(date(2026, 11, 20), 150_00, category=dining)
    (row,) = await person.look(datetime(2026, 11, 23, 22, 0, tzinfo=UTC))
    assert row["wait"] == pytest.approx(9 * 3600, abs=5)


async def test_texts_are_in_the_persons_language(person: Person) -> None:
    """German, with German figures and dates."""
    await person.prefer(budget_alerts=True, locale="de-DE")
    dining = await person.budget("Essen", 100_00)
    await person.spend(date(2026, 11, 20), 150_00, category=dining)
    (text,) = await person.told()
    assert text == (
        "**Fast verbrauchte Budgets, November 2026**\n\n"
        "- Essen: 150,00\xa0$ sind ausgegeben, 50,00\xa0$ mehr als das Budget von 100,00\xa0$."
    )


async def test_they_go_to_the_chat_that_was_used_last_or_chosen(person: Person) -> None:
    """And never to one that others read, which has no chat of the person's own."""
    await person.prefer(budget_alerts=True)
    await person.link("slack", "U1")
    await person.link("whatsapp", "", "shared")
    for name in ("One", "Two"):
        await person.spend(date(2026, 11, 20), 150_00, category=await person.budget(name, 100_00))
        rows = await person.look()
        await person.prefer(messages_to="telegram")
    assert [row["channel"] for row in rows] == ["slack", "telegram"]


async def test_nothing_is_used_up_where_nothing_can_be_said(person: Person) -> None:
    """Without a chat, or with one whose window is closed, a thing stays untold; a template opens the window."""
    await person.prefer(budget_alerts=True)
    dining = await person.budget("Dining", 100_00)
    await person.spend(date(2026, 11, 20), 150_00, category=dining)
    person.place.window_hours = 24.0
    async with person.db.transaction(person.user) as tx:
        await tx.pg.execute("UPDATE channel_link SET used_at = $1", MONDAY - timedelta(days=2))
    assert await person.look() == []
    person.place.templates = True
    assert len(await person.look()) == 1


async def test_a_look_costs_one_state_of_the_ledger(person: Person) -> None:
    """With nothing changed since, nothing is computed again on that day."""
    await person.prefer(budget_alerts=True)
    await person.look()
    async with person.db.read(person.user) as tx:
        watch = await notices.watch(tx)
    assert watch is not None
    assert watch.seen == f"2026-11-23 {watch.state}"
    await person.spend(date(2026, 11, 20), 1)
    async with person.db.read(person.user) as tx:
        later = await notices.watch(tx)
    assert later is not None
    assert later.state != watch.state


async def test_the_worker_sees_whose_time_it_is_and_no_more(person: Person) -> None:
    """It claims each user for one process; what was told is not for it."""
    import asyncpg

    await person.prefer(budget_alerts=True)
    worker = await person.db.worker_connection()
    claimed = await notices.claim(worker, 60, 1000)
    assert claimed.count(person.user) == 1
    assert person.user not in await notices.claim(worker, 60, 1000)
    for table in ("notice_told", "preference"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await worker.fetch(f"SELECT * FROM {table}")  # noqa: S608
    await worker.close()


async def test_where_somebody_wrote_alone_is_where_they_are_written_to(database: Database, user: UUID) -> None:
    """Linked in a group there is no chat of their own yet; their first message alone names it."""
    async with database.transaction(user) as tx:
        code, _ = await links.new_code(tx, "slack")
    assert await links.redeem(database, "slack", f"T:{user}", "", code) == user
    assert await links.user_of(database, "slack", f"T:{user}", None) == user
    async with database.read(user) as tx:
        assert [link.chat for link in await links.list_(tx)] == [""]
    await links.user_of(database, "slack", f"T:{user}", "D1")
    async with database.read(user) as tx:
        assert [link.chat for link in await links.list_(tx)] == ["D1"]


def test_defaults_ask_for_nothing_and_keep_the_night() -> None:
    """Whoever switches something on without more is not woken."""
    own = Preferences()
    assert own.notices == frozenset()
    assert (own.quiet_from, own.quiet_until) == ("22:00", "08:00")
