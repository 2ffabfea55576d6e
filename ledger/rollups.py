"""The rollups: what the transactions of a month, account and category add up to, and which merchants there are.

Triggers keep them in the transaction that writes the postings (migration 0003). `verify` shows that they hold and
`rebuild` makes them anew, both from the transactions.
"""

from __future__ import annotations

from dataclasses import dataclass

from db.engine import Transaction
from ledger.flows import COLUMNS, SUMS


@dataclass(frozen=True, slots=True)
class Difference:
    """A rollup row that is not what the transactions add up to: `what` it is about, what it holds and what it should
    hold, as text; None for no row."""

    what: str
    kept: str | None
    true: str | None


@dataclass(frozen=True, slots=True)
class Size:
    """How many rows the rollups have."""

    months: int
    merchants: int


_SUMS = SUMS.format(condition="t.user_id = $1")
_MERCHANTS = """
    SELECT merchant_key AS key, (array_agg(merchant ORDER BY day DESC, no DESC))[1] AS name, count(*) AS n
      FROM txn WHERE user_id = $1 AND merchant <> '' GROUP BY 1
"""


async def verify(tx: Transaction) -> tuple[Difference, ...]:
    """Every rollup row that is not as it should be; none when all hold. A merchant's spelling is free, its letters are
    not. Raises nothing: a difference is a result."""
    months = await tx.pg.fetch(
        f"""
        WITH k AS (SELECT {COLUMNS} FROM month_rollup WHERE user_id = $1), t AS ({_SUMS})
        SELECT concat_ws(', ', to_char(month, 'YYYY-MM'), a.name, coalesce(c.name, 'no category'), d.currency) AS what,
               min(d.shown) FILTER (WHERE d.side = 'kept') AS kept, min(d.shown) FILTER (WHERE d.side = 'true') AS true
          FROM (SELECT 'kept' AS side, k.*, concat_ws(' ', out_minor, in_minor, n_out, n_in, n) AS shown
                  FROM (TABLE k EXCEPT ALL TABLE t) k
                UNION ALL
                SELECT 'true', t.*, concat_ws(' ', out_minor, in_minor, n_out, n_in, n)
                  FROM (TABLE t EXCEPT ALL TABLE k) t) d
          LEFT JOIN account a ON a.user_id = $1 AND a.id = d.account_id
          LEFT JOIN category c ON c.user_id = $1 AND c.id = d.category_id
         GROUP BY d.month, d.account_id, a.name, d.category_id, c.name, d.currency
         ORDER BY d.month, a.name, c.name, d.currency
        """,  # noqa: S608 -- fixed text
        tx.user,
    )
    merchants = await tx.pg.fetch(
        f"""
        SELECT key AS what, m.name || ' ' || m.n AS kept, t.name || ' ' || t.n AS true
          FROM (SELECT key, name, n FROM merchant WHERE user_id = $1) m FULL JOIN ({_MERCHANTS}) t USING (key)
         WHERE m.n IS DISTINCT FROM t.n OR lower(m.name) <> key
         ORDER BY key
        """,  # noqa: S608 -- fixed text
        tx.user,
    )
    return tuple(Difference(row["what"], row["kept"], row["true"]) for row in (*months, *merchants))


async def rebuild(tx: Transaction) -> Size:
    """Makes the user's rollups anew. Who writes transactions of this user meanwhile waits until this one ends."""
    await tx.pg.execute("SELECT FROM app_user WHERE id = $1 FOR UPDATE", tx.user)
    await tx.pg.execute("DELETE FROM month_rollup WHERE user_id = $1", tx.user)
    await tx.pg.execute("DELETE FROM merchant WHERE user_id = $1", tx.user)
    months = await tx.pg.execute(
        f"INSERT INTO month_rollup (user_id, {COLUMNS}) SELECT $1, {COLUMNS} FROM ({_SUMS}) s",  # noqa: S608
        tx.user,
    )
    merchants = await tx.pg.execute(
        f"INSERT INTO merchant (user_id, key, name, n) SELECT $1, key, name, n FROM ({_MERCHANTS}) s",  # noqa: S608
        tx.user,
    )
    return Size(*(int(done.rpartition(" ")[2]) for done in (months, merchants)))
