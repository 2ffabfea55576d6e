"""Which code runs on which schema. Schemas change in two steps: a migration that only adds, so that older code runs on
beside it, and in a later version one that takes away (decision 0115)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import asyncpg

from db.schema import HEAD, SCHEMA
from domain.errors import SetupError

if TYPE_CHECKING:
    from alembic.script import ScriptDirectory

# The column came after the table, which Alembic makes.
READ = f"SELECT version_num, to_jsonb(v) ->> 'serves_from' FROM {SCHEMA}.alembic_version v"  # noqa: S608 - a constant
KEEP = f"""
ALTER TABLE {SCHEMA}.alembic_version ADD COLUMN IF NOT EXISTS serves_from text;
UPDATE {SCHEMA}.alembic_version SET serves_from = '{{oldest}}';
"""  # noqa: S608 - a constant, and a revision of ours


@dataclass(frozen=True, slots=True)
class Schema:
    """A database's revision, and the oldest revision whose code runs on it."""

    revision: str
    serves_from: str

    @property
    def serves(self) -> bool:
        """Whether this code runs on it."""
        return self.serves_from <= HEAD <= self.revision

    def check(self, place: str) -> None:
        """Raises SetupError that says what to do when this code does not run on it."""
        if self.revision < HEAD:
            raise SetupError(
                f"The database {place} has the schema {self.revision} and this Penny needs {HEAD}: run `penny migrate`."
            )
        if not self.serves:
            raise SetupError(
                f"The database {place} has the schema {self.revision}, which serves Penny from {self.serves_from} on; "
                f"this one is of {HEAD}: update it."
            )


async def schema_of(pg: asyncpg.Connection) -> Schema | None:
    """The database's; None when it has no tables of Penny's."""
    try:
        row = await pg.fetchrow(READ)
    except (asyncpg.UndefinedTableError, asyncpg.InvalidSchemaNameError):
        return None
    return Schema(row[0], row[1] or row[0]) if row else None


def oldest_served(scripts: ScriptDirectory) -> str:
    """The newest migration that does not say `expands = True`: code that does not know it cannot run after it."""
    return next(step.revision for step in scripts.walk_revisions() if not getattr(step.module, "expands", False))
