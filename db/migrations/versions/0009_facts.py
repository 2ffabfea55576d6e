"""Facts: what a user told Penny about themselves and let it remember.

A fact that another one took the place of stays, named by `superseded_by`, until either is forgotten.
"""

from alembic import op

from db.migrations.script import execute_script

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

SCHEMA = """
CREATE TABLE user_fact (
    user_id uuid NOT NULL REFERENCES app_user ON DELETE CASCADE,
    id uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('payday', 'household', 'goal', 'merchant', 'tone', 'other')),
    text text NOT NULL CHECK (length(text) BETWEEN 1 AND 240),
    -- the user's message it was said in; no foreign key, for it outlives the session
    message_id uuid,
    superseded_by uuid,
    version int NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (user_id, id)
);
CREATE INDEX user_fact_held ON user_fact (user_id, created_at) WHERE superseded_by IS NULL;
ALTER TABLE user_fact ENABLE ROW LEVEL SECURITY;
ALTER TABLE user_fact FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON user_fact TO penny_app
    USING (user_id = (SELECT nullif(current_setting('app.user_id', true), '')::uuid));
GRANT SELECT, INSERT, UPDATE, DELETE ON user_fact TO penny_app;
"""


def upgrade() -> None:
    execute_script(SCHEMA)


def downgrade() -> None:
    op.execute("DROP TABLE user_fact")
