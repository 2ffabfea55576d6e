"""Run several SQL statements at once in a migration, on the transaction that the migration runs in."""

from __future__ import annotations

from alembic import op


def execute_script(sql: str) -> None:
    """Execute `sql`, statements separated by semicolons; the extended protocol that `op.execute` uses takes one
    only."""
    connection = op.get_bind().connection.dbapi_connection
    assert connection is not None
    connection.run_async(lambda pg: pg.execute(sql))
