"""Gives a user the sample household."""

from __future__ import annotations

from api.auth import DEV_ISSUER
from db.engine import Database
from domain.clock import Clock, SystemClock, today
from ledger import accounts, household, preferences
from penny.database import Progress, open_database
from penny.settings import DEMO_USER, Settings
from tools.proposals.store import lock_ledger


async def give(db: Database, clock: Clock, name: str, *, reset: bool = False) -> int:
    """The number of transactions that the user was given; 0 when they have accounts already and `reset` is not asked
    for, which throws away all they have in the ledger."""
    user = await db.resolve_user(DEV_ISSUER, "", name)
    async with db.transaction(user) as tx:
        await lock_ledger(tx)  # two servers may start at once
        day = today(clock, (await preferences.get(tx)).time_zone)
        if reset:
            await household.reset(tx)
        elif await accounts.list_(tx):
            return 0
        return (await household.seed(tx, day)).transactions


async def seed_if_empty(db: Database, clock: Clock, progress: Progress) -> None:
    """The demo user of a service that was started with a sample."""
    if count := await give(db, clock, DEMO_USER):
        progress(f"sample household: {count:,} transactions")


async def seeded(settings: Settings, name: str, *, reset: bool, progress: Progress) -> int:
    """`give`, with the database opened for it."""
    async with open_database(settings, progress) as db:
        return await give(db, SystemClock(), name, reset=reset)
