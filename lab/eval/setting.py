"""Gives a new user what a case is given: the household, what they told of themselves, and the session so far."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from db.engine import Database, Transaction
from db.sealing.places import MESSAGE_TEXT
from domain.ids import new_id
from domain.money import Money
from domain.periods import Month
from lab.cases.case import Exchange, Given
from lab.cases.nodes import CaseError
from ledger import accounts, categories, household, preferences, transactions
from ledger.changes import Change, apply, inserted
from ledger.rates import Rate
from ledger.rows import new_key
from memory import sessions

_SMALL_TALK = (
    Exchange("good morning", "Good morning. What would you like to know about your budget?"),
    Exchange("what can you do?", "I answer questions about your spending and propose changes to your budget."),
    Exchange("thanks, that is all for now", "You are welcome."),
    Exchange("I am just looking around", "Take your time."),
)


async def furnish(db: Database, user: UUID, given: Given) -> UUID:
    """Stores it all, and opens the session. Raises CaseError for a name that the household does not have."""
    async with db.transaction(user) as tx:
        if given.household == "sample":
            await household.seed(tx, given.today)
        chosen = await preferences.get(tx)
        wanted = replace(chosen, locale=given.locale, currency=given.currency, time_zone=given.time_zone)
        await preferences.put(tx, wanted)
        await _names(tx, given)
        await _rows(tx, given)
        return await _session(tx, given)


async def _names(tx: Transaction, given: Given) -> None:
    made = [
        inserted(
            "account",
            new_key(),
            name=row.name,
            kind=row.kind,
            currency=row.currency or given.currency,
            opening_minor=Money.of(row.opening, row.currency or given.currency).minor,
        )
        for row in given.accounts
    ]
    made += [
        inserted("category", new_key(), name=row.name, kind=row.kind, group_name=row.group) for row in given.categories
    ]
    await apply(tx, made)


async def _rows(tx: Transaction, given: Given) -> None:
    """What refers to accounts and categories by name."""
    if not (given.budgets or given.transactions or given.rules or given.goals or given.rates or given.facts):
        return
    own = {account.name: account for account in await accounts.list_(tx)}
    kinds = {category.name: category.id for category in await categories.list_(tx)}

    def named(name: str, known: dict[str, UUID], what: str) -> UUID:
        if name not in known:
            raise CaseError(f"The case's household has no {what} {name!r}; it has {', '.join(known) or 'none'}.")
        return known[name]

    ids = {name: account.id for name, account in own.items()}
    first = given.accounts[0].name if given.household == "empty" and given.accounts else "Everyday Checking"
    made: list[Change] = []
    for budget in given.budgets:
        key = {
            "month": Month.parse(budget.month).first.isoformat(),
            "category_id": str(named(budget.category, kinds, "category")),
        }
        minor = Money.of(budget.amount, given.currency).minor
        made.append(inserted("budget", key, amount_minor=minor, currency=given.currency))
    for merchant, category in given.rules:
        rule = named(category, kinds, "category")
        made.append(inserted("rule", new_key(), merchant=merchant, category_id=str(rule)))
    for goal in given.goals:
        account = own.get(goal.account or "")
        made.append(
            inserted(
                "goal",
                new_key(),
                name=goal.name,
                amount_minor=Money.of(goal.amount, given.currency).minor,
                currency=given.currency,
                due=goal.date.isoformat() if goal.date else None,
                account_id=str(account.id) if account else None,
                start_day=given.today.isoformat(),
                start_minor=account.balance.minor if account else 0,
            )
        )
    for row in given.rates:
        rate = Rate.of(row.base, row.quote, row.day, row.rate)
        key = {"base": rate.base, "quote": rate.quote, "day": rate.day.isoformat()}
        made.append(inserted("rate", key, rate=f"{rate.value:f}"))
    made += [inserted("user_fact", new_key(), kind="other", text=text) for text in given.facts]
    await apply(tx, made)
    new = [
        transactions.NewTxn(
            account_id=named(txn.account or first, ids, "account"),
            day=txn.day,
            amount=Money.of(txn.amount, own[txn.account or first].currency),
            merchant=txn.merchant,
            memo=txn.memo,
            category_id=named(txn.category, kinds, "category") if txn.category else None,
            pending=txn.pending,
        )
        for txn in given.transactions
    ]
    await transactions.insert(tx, new)


async def _session(tx: Transaction, given: Given) -> UUID:
    session = (await sessions.create(tx)).id
    filler = [_SMALL_TALK[nth % len(_SMALL_TALK)] for nth in range(given.filler)]
    await _past(tx, session, [*filler, *given.history])
    return session


async def _past(tx: Transaction, session: UUID, turns: Sequence[Exchange]) -> None:
    """Turns as if they had been had: the log is append-only, and this session is new."""
    if not turns:
        return
    rows = [
        (nth, pos, message_id := new_id(), role, tx.ring.seal(MESSAGE_TEXT, message_id, text))
        for nth, turn in enumerate(turns, 1)
        for pos, (role, text) in enumerate((("user", turn.user), ("assistant", turn.penny)))
    ]
    await tx.pg.execute(
        """
        WITH s AS (UPDATE session SET last_turn = $3 WHERE user_id = $1 AND id = $2)
        INSERT INTO message (user_id, session_id, turn, pos, id, role, text)
        SELECT $1, $2, * FROM unnest($4::int[], $5::int[], $6::uuid[], $7::text[], $8::text[])
        """,
        tx.user,
        session,
        len(turns),
        *(list(column) for column in zip(*rows, strict=True)),
    )
