"""Rates and preferences are rows that changes are made of, like all others: journalled, and undone by their version.

And a month's budget may be negative: by as much as was moved out of the envelope beyond what the month itself had.
"""

from alembic import op

from db.migrations.script import execute_script

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    execute_script(
        """
        ALTER TABLE rate ADD COLUMN version int NOT NULL DEFAULT 1;
        ALTER TABLE preference ADD COLUMN version int NOT NULL DEFAULT 1;
        ALTER TABLE budget DROP CONSTRAINT budget_amount_minor_check;
        """
    )


def downgrade() -> None:
    op.execute("ALTER TABLE rate DROP COLUMN version; ALTER TABLE preference DROP COLUMN version")
