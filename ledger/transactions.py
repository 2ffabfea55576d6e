"""Transactions: finding them, reading one by its number, and adding new ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

from asyncpg.exceptions import ForeignKeyViolationError

from db.engine import Transaction
from db.sealing.places import TXN_MEMO, TXN_NOTE
from db.sealing.ring import Ring
from domain.errors import InvalidInput, NotFound
from domain.ids import new_id
from domain.money import Money
from ledger.filters import TxnFilter, condition
from ledger.flows import flows
from ledger.noted import noted


@dataclass(frozen=True, slots=True)
class Txn:
    """A posting on an account; `amount` is negative for money that left it. `no` is the number the user knows it by.

    `merchant` and `memo` came from outside: data, never instructions; `note` and `tags` are the user's own. `split_of`
    is the posting that this one is a part of, `transfer_id` is on both ends of a transfer between own accounts,
    `refund_of` is the purchase that this gives money back for.
    """

    id: UUID
    no: int
    day: date
    amount: Money
    merchant: str
    memo: str
    category_id: UUID | None
    category: str | None
    account_id: UUID
    account: str
    pending: bool
    import_id: str | None
    version: int
    note: str = ""
    tags: tuple[str, ...] = ()
    split_of: UUID | None = None
    transfer_id: UUID | None = None
    refund_of: UUID | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """One page of a search, newest first, and what the whole match holds however little of it is shown.

    `totals` has one sum per currency, signed. `next` is the (day, number) to go on after, None on the last page.
    """

    items: tuple[Txn, ...]
    count: int
    totals: tuple[Money, ...]
    next: tuple[date, int] | None


@dataclass(frozen=True, slots=True)
class NewTxn:
    """A transaction to add; its currency must be its account's."""

    account_id: UUID
    day: date
    amount: Money
    merchant: str
    memo: str = ""
    category_id: UUID | None = None
    pending: bool = False
    import_id: str | None = None


_READ = """
    SELECT t.id, t.no, t.day, t.amount_minor, t.currency, t.merchant, t.memo, t.category_id, c.name AS category,
           t.account_id, a.name AS account, t.pending, t.import_id, t.version,
           t.note, t.tags, t.split_of, t.transfer_id, t.refund_of
      FROM {source} t
      JOIN account a ON a.user_id = $1 AND a.id = t.account_id
      LEFT JOIN category c ON c.user_id = $1 AND c.id = t.category_id
"""


async def search(tx: Transaction, wanted: TxnFilter, limit: int = 50, after: tuple[date, int] | None = None) -> Found:
    """The transactions that match, newest first (day, then number), at most `limit` of them; one query.

    Count and totals cover the whole match, whatever `limit` and `after` say.
    """
    wanted = await noted(tx, wanted)
    params: list[object] = [tx.user]
    matching = condition(wanted, params)
    start = ""
    if after is not None:
        params += after
        start = f"AND (t.day, t.no) < (${len(params) - 1}, ${len(params)})"
    found, last_page = await _found(tx, wanted, matching, params, start, "{0}.day DESC, {0}.no DESC", limit)
    return found if last_page else replace(found, next=(found.items[-1].day, found.items[-1].no))


async def largest(tx: Transaction, wanted: TxnFilter, limit: int, currency: str) -> Found:
    """As `search`, but the largest amounts first whatever their sign; those of `currency` before all others, since
    amounts of unlike currencies are not compared. There is no going on: `next` is None."""
    wanted = await noted(tx, wanted)
    params: list[object] = [tx.user]
    matching = condition(wanted, params)
    params.append(currency)
    order = f"{{0}}.currency <> ${len(params)}, abs({{0}}.amount_minor) DESC, {{0}}.day DESC, {{0}}.no DESC"
    found, _ = await _found(tx, wanted, matching, params, "", order, limit)
    return found


async def _found(
    tx: Transaction, wanted: TxnFilter, matching: str, params: list[object], start: str, order: str, limit: int
) -> tuple[Found, bool]:
    """What `matching` selects, from `start` on in `order` (of which {0} is the table), and whether that is all."""
    params.append(limit + 1)
    first = f"{start} ORDER BY {order.format('t')} LIMIT ${len(params)}"
    if wanted.narrow:  # each transaction has to be looked at: once, for the page and the sums
        found_by = f"""
            hit AS MATERIALIZED (SELECT t.day, t.no, t.currency, t.amount_minor FROM txn t WHERE {matching}),
            page AS (SELECT w.* FROM (SELECT no FROM hit t WHERE true {first}) h
                       JOIN txn w ON w.user_id = $1 AND w.no = h.no),
            sums AS (SELECT currency, count(*) AS n, sum(amount_minor)::bigint AS minor FROM hit GROUP BY currency)
        """  # noqa: S608
    else:
        found_by = f"""
            page AS (SELECT t.* FROM txn t WHERE {matching} {first}),
            sums AS (SELECT currency, sum(n)::bigint AS n, sum(out_minor + in_minor)::bigint AS minor
                       FROM ({flows(wanted, params)}) f GROUP BY currency)
        """  # noqa: S608
    row_read = _READ.format(source="page")
    rows = await tx.pg.fetch(
        f"""
        WITH {found_by}
        SELECT total.*, p.*
          FROM (SELECT coalesce(sum(n), 0)::bigint AS count,
                       array_agg(currency ORDER BY n DESC, currency) AS currencies,
                       array_agg(minor ORDER BY n DESC, currency) AS minors FROM sums) total
          LEFT JOIN ({row_read}) p ON true
         ORDER BY {order.format("p")}
        """,  # noqa: S608 -- built from the fixed conditions of ledger.filters
        *params,
    )
    items = [_txn(tx.ring, row) for row in rows if row["id"] is not None]
    totals = zip(rows[0]["minors"] or (), rows[0]["currencies"] or (), strict=True)
    found = Found(
        items=tuple(items[:limit]),
        count=rows[0]["count"],
        totals=tuple(Money(minor, currency) for minor, currency in totals),
        next=None,
    )
    return found, len(items) <= limit


async def get(tx: Transaction, no: int) -> Txn:
    """The transaction with this number. Raises NotFound."""
    row = None
    if 0 < no < 2**63:
        row = await tx.pg.fetchrow(_READ.format(source="txn") + "WHERE t.user_id = $1 AND t.no = $2", tx.user, no)
    if row is None:
        raise NotFound(f"There is no transaction {no}.")
    return _txn(tx.ring, row)


async def merchants(tx: Transaction) -> tuple[str, ...]:
    """Every merchant's name as last written, the most used first: what a near-miss name is compared with."""
    rows = await tx.pg.fetch("SELECT name FROM merchant WHERE user_id = $1 ORDER BY n DESC, key", tx.user)
    return tuple(row["name"] for row in rows)


async def usual_category(tx: Transaction, merchant: str) -> UUID | None:
    """The category of most of the merchant's transactions (the later one on a tie), or None when it has none."""
    found: UUID | None = await tx.pg.fetchval(
        """
        SELECT category_id FROM txn
         WHERE user_id = $1 AND merchant_key = lower($2) AND category_id IS NOT NULL
         GROUP BY category_id ORDER BY count(*) DESC, max(day) DESC, category_id LIMIT 1
        """,
        tx.user,
        merchant.strip(),
    )
    return found


async def insert(tx: Transaction, new: Sequence[NewTxn], ids: Sequence[UUID] | None = None) -> range:
    """Adds the transactions in one statement, numbered upwards in the order given, and returns their numbers.

    `ids` names them; without it they get new ones. Raises InvalidInput when an account is not the user's or keeps
    another currency, or the category is not the user's; the transaction is then to be rolled back.
    """
    if not new:
        return range(0)
    named = list(ids) if ids is not None else [new_id() for _ in new]
    try:
        first: int = await tx.pg.fetchval(
            """
            WITH number AS (
                UPDATE app_user SET last_txn_no = last_txn_no + $2 WHERE id = $1 RETURNING last_txn_no - $2 AS last),
            added AS (
                INSERT INTO txn (user_id, id, no, account_id, day, amount_minor, currency, merchant, memo, category_id,
                                 pending, import_id)
                SELECT $1, f.id, number.last + f.at, f.account_id, f.day, f.amount_minor, f.currency, f.merchant,
                       f.memo, f.category_id, f.pending, f.import_id
                  FROM number, unnest($3::uuid[], $4::uuid[], $5::date[], $6::bigint[], $7::text[], $8::text[],
                                      $9::text[], $10::uuid[], $11::boolean[], $12::text[])
                       WITH ORDINALITY AS f (id, account_id, day, amount_minor, currency, merchant, memo, category_id,
                                             pending, import_id, at)
                RETURNING no)
            SELECT min(no) FROM added
            """,
            tx.user,
            len(new),
            named,
            [txn.account_id for txn in new],
            [txn.day for txn in new],
            [txn.amount.minor for txn in new],
            [txn.amount.currency for txn in new],
            [txn.merchant for txn in new],
            [tx.ring.seal(TXN_MEMO, txn_id, txn.memo) for txn_id, txn in zip(named, new, strict=True)],
            [txn.category_id for txn in new],
            [txn.pending for txn in new],
            [txn.import_id for txn in new],
        )
    except ForeignKeyViolationError:
        raise InvalidInput(
            "A transaction belongs to one of your accounts, in that account's currency, and to one of your categories."
        ) from None
    return range(first, first + len(new))


def _txn(ring: Ring, row: object) -> Txn:
    record = dict(row)  # type: ignore[call-overload]
    return Txn(
        id=record["id"],
        no=record["no"],
        day=record["day"],
        amount=Money(record["amount_minor"], record["currency"]),
        merchant=record["merchant"],
        memo=ring.open(TXN_MEMO, record["id"], record["memo"]),
        category_id=record["category_id"],
        category=record["category"],
        account_id=record["account_id"],
        account=record["account"],
        pending=record["pending"],
        import_id=record["import_id"],
        version=record["version"],
        note=ring.open(TXN_NOTE, record["id"], record["note"]),
        tags=tuple(record["tags"].split()),
        split_of=record["split_of"],
        transfer_id=record["transfer_id"],
        refund_of=record["refund_of"],
    )
