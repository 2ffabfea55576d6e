"""Edited messages, and runs that the server itself starts once.

`message.replaces` names the first turn that an edited message takes the place of: those from it up to the message's own
are superseded, and stay. `run.cause` names what a run is the one answer to (a decision, the retry of a run).
"""

from db.migrations.script import execute_script

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

COLUMNS = """
ALTER TABLE message ADD COLUMN replaces int CHECK (replaces IS NULL OR pos = 0 AND replaces > 0 AND replaces < turn);
CREATE INDEX message_edits ON message (user_id, session_id, turn) WHERE replaces IS NOT NULL;
ALTER TABLE run ADD COLUMN cause text;
CREATE UNIQUE INDEX run_one_of_a_cause ON run (user_id, cause) WHERE cause IS NOT NULL;
"""


def upgrade() -> None:
    execute_script(COLUMNS)


def downgrade() -> None:
    execute_script("ALTER TABLE run DROP COLUMN cause; ALTER TABLE message DROP COLUMN replaces;")
