"""${message}."""

from alembic import op

from db.migrations.script import execute_script

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = ${repr(branch_labels)}
depends_on = ${repr(depends_on)}
expands = False  # True when code that does not know this migration runs on after it: decision 0115


def upgrade() -> None:
    ${upgrades if upgrades else "execute_script(\"\"\"\"\"\")"}


def downgrade() -> None:
    ${downgrades if downgrades else "raise RuntimeError(\"Restore a backup to go back.\")"}
