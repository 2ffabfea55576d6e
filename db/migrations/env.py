"""Alembic's environment: the connection comes from db/migrate.py, inside a transaction and as the schema's owner."""

from __future__ import annotations

from alembic import context

from db.schema import SCHEMA

context.configure(
    connection=context.config.attributes["connection"],
    version_table_schema=SCHEMA,
    transactional_ddl=False,  # db/migrate.py holds the one transaction around all of it
)
context.run_migrations()
