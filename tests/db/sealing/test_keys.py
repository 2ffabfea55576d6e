"""Users' keys: made once, held for a while, and what happens while the key service is away."""

from __future__ import annotations

import asyncio
from uuid import UUID, uuid4

import asyncpg
import pytest

from db.engine import Database
from db.sealing.keys import Context, KeyRefused, Keys
from db.sealing.places import SESSION_TITLE
from db.sealing.ring import EncryptionUnavailable
from memory import erase, sessions


class Service:
    """A key service in memory that counts what it is asked, and can be away or say no."""

    def __init__(self) -> None:
        self.made = self.unwrapped = 0
        self.error: Exception | None = None
        self.gate: asyncio.Event | None = None
        self.asked = asyncio.Event()

    async def make(self, context: Context) -> tuple[bytes, bytes, str]:
        self.made += 1
        await self._answer()
        key = uuid4().bytes * 2
        return key, key[::-1] + str(sorted(context.items())).encode(), "service"

    async def wrap(self, key: bytes, context: Context) -> tuple[bytes, str]:
        await self._answer()
        return key[::-1] + str(sorted(context.items())).encode(), "service"

    async def unwrap(self, wrapped: bytes, by: str, context: Context) -> bytes:
        self.unwrapped += 1
        await self._answer()
        if wrapped[32:] != str(sorted(context.items())).encode():
            raise KeyRefused("another context")
        return wrapped[:32][::-1]

    async def _answer(self) -> None:
        self.asked.set()
        if self.gate is not None:
            await self.gate.wait()
        if self.error is not None:
            raise self.error


class Hand:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture
def hand() -> Hand:
    return Hand()


@pytest.fixture
def keys(service: Service, hand: Hand) -> Keys:
    return Keys(service, clock=hand)


async def _two_sessions(database: Database, user: UUID) -> None:
    async with database.transaction(user) as tx:
        await sessions.create(tx)
        await sessions.create(tx, "Holidays")


async def stored(database: Database, user: UUID) -> list[asyncpg.Record]:
    async with database.unsealed(user) as pg:
        return await pg.fetch("SELECT * FROM data_key WHERE user_id = $1 ORDER BY no", user)


async def test_the_first_key_is_made_once_and_then_held(database: Database, user: UUID, keys: Keys, service: Service):
    """Fifty at once: one is made, and nobody asks the service again while it is held."""
    rings = await asyncio.gather(*(keys.of(database, user) for _ in range(50)))
    assert len({ring.seal(SESSION_TITLE, user, "x") for ring in rings}) == 1
    assert (service.made, service.unwrapped) == (1, 0)
    assert len(await stored(database, user)) == 1


async def test_two_servers_that_make_the_first_key_at_once_end_with_one(database: Database, user: UUID, hand: Hand):
    """Both ask for a key, one is stored, and what either seals the other opens."""
    services = [Service(), Service()]
    gate = asyncio.Event()
    for one in services:
        one.gate = gate
    servers = [Keys(one, clock=hand) for one in services]
    asking = [asyncio.create_task(server.of(database, user)) for server in servers]
    async with asyncio.timeout(60):
        await asyncio.gather(*(one.asked.wait() for one in services))
    gate.set()
    first, second = await asyncio.gather(*asking)
    assert second.open(SESSION_TITLE, user, first.seal(SESSION_TITLE, user, "hello")) == "hello"
    assert len(await stored(database, user)) == 1


async def test_each_user_has_a_key_of_their_own(database: Database, user: UUID, keys: Keys):
    """One user's ring opens nothing of another's."""
    other = await database.resolve_user("test", "", uuid4().hex)
    mine, theirs = await keys.of(database, user), await keys.of(database, other)
    assert mine.seal(SESSION_TITLE, user, "x") != theirs.seal(SESSION_TITLE, user, "x")


async def test_a_key_is_unwrapped_anew_after_its_time(
    database: Database, user: UUID, keys: Keys, service: Service, hand: Hand
):
    """A key that was disabled is used no longer than that."""
    await keys.of(database, user)
    hand.now += keys.life + 1
    await keys.of(database, user)
    assert service.unwrapped == 1


async def test_while_the_service_is_away_held_keys_go_on_for_an_hour(
    database: Database, user: UUID, keys: Keys, service: Service, hand: Hand
):
    """Past its time a key is still used while nobody answers, and not for ever."""
    ring = await keys.of(database, user)
    service.error = EncryptionUnavailable("away")
    hand.now += keys.life + 1
    assert await keys.of(database, user) is ring
    hand.now += 3600
    assert (await keys.of(database, user)).trouble is not None


async def test_a_no_is_obeyed_at_once(database: Database, user: UUID, keys: Keys, service: Service, hand: Hand):
    """A disabled key is not an outage."""
    await keys.of(database, user)
    service.error = KeyRefused("no")
    hand.now += keys.life + 1
    assert isinstance((await keys.of(database, user)).trouble, KeyRefused)


async def test_nobody_waits_for_a_service_that_is_away(
    database: Database, user: UUID, keys: Keys, service: Service, hand: Hand
):
    """After one was not answered, others are told at once; a moment later it is asked again."""
    service.error = EncryptionUnavailable("away")
    others = [await database.resolve_user("test", "", uuid4().hex) for _ in range(5)]
    for one in (user, *others):
        assert (await keys.of(database, one)).trouble is not None
    assert service.made == 1
    service.error, hand.now = None, hand.now + 3
    assert (await keys.of(database, user)).trouble is None


async def test_without_a_key_nothing_is_written_and_the_rest_goes_on(
    database: Database, user: UUID, keys: Keys, service: Service
):
    """A session with a title is refused as unavailable and leaves nothing; one without words is made and read."""
    service.error = EncryptionUnavailable("away")
    database.keys, before = keys, database.keys
    try:
        with pytest.raises(EncryptionUnavailable) as refused:
            await _two_sessions(database, user)
        async with database.read(user) as tx:
            assert await sessions.list_(tx, 10) == ([], None)
        async with database.transaction(user) as tx:
            made = await sessions.create(tx)
            assert (await sessions.get(tx, made.id)).title == ""
    finally:
        database.keys = before
    assert (refused.value.status, refused.value.code, refused.value.retryable) == (503, "encryption_unavailable", True)


async def test_a_key_that_is_added_seals_only_once_every_server_knows_it(
    database: Database, user: UUID, keys: Keys, service: Service, hand: Hand
):
    """Until `active_from` the older one seals, and both open."""
    await keys.of(database, user)
    _, wrapped, by = await service.make({"application": "penny", "key": "2", "user": str(user)})
    async with database.unsealed(user) as pg:
        await pg.execute(
            "INSERT INTO data_key VALUES ($1, 2, $2, $3, now(), clock_timestamp() + interval '1 hour')",
            user,
            wrapped,
            by,
        )
    hand.now += keys.life + 1
    ring = await keys.of(database, user)
    assert (ring.current, sorted(ring.keys)) == (1, [1, 2])


async def test_an_only_key_seals_whatever_its_time(database: Database, user: UUID, keys: Keys, admin_url: str):
    """A database whose clock has gone back never has texts stored plain."""
    await keys.of(database, user)
    admin = await asyncpg.connect(admin_url)
    await admin.execute("UPDATE penny.data_key SET active_from = now() + interval '1 hour' WHERE user_id = $1", user)
    await admin.close()
    keys.forget(user)
    assert (await keys.of(database, user)).current == 1


async def test_reading_alone_makes_no_key(database: Database, user: UUID, service: Service):
    """PENNY_ENCRYPTION=read: what is sealed is opened, and what is written stays plain."""
    reading = Keys(service, writes=False)
    ring = await reading.of(database, user)
    assert (ring.seal(SESSION_TITLE, user, "x"), service.made) == ("x", 0)
    sealing = await Keys(service).of(database, user)
    ring = await reading.of(database, user)
    assert ring.open(SESSION_TITLE, user, sealing.seal(SESSION_TITLE, user, "hello")) == "hello"
    assert ring.seal(SESSION_TITLE, user, "x") == "x"


async def test_an_erased_users_keys_go_with_them(database: Database, user: UUID, keys: Keys, admin_url: str):
    """From the database and from this process; and for a user who is no more none is made."""
    database.keys, before = keys, database.keys
    try:
        async with database.transaction(user) as tx:
            await sessions.create(tx, "Holidays")
        await erase.erase(database, user)
        assert await stored(database, user) == []
        assert keys.at_hand(user) is None
        assert (await keys.of(database, user)).keys == {}
    finally:
        database.keys = before
