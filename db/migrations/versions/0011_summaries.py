"""Summaries of older turns, which are never changed; which one a run was told; whose turn it is to make one."""

from alembic import op

from db.migrations.script import execute_script

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

SCHEMA = """
CREATE TABLE summary (
    user_id uuid NOT NULL,
    id uuid NOT NULL,
    session_id uuid NOT NULL,
    through_turn int NOT NULL,
    text text NOT NULL,
    model text NOT NULL,
    prompt_version text NOT NULL,
    input_tokens bigint NOT NULL DEFAULT 0,
    output_tokens bigint NOT NULL DEFAULT 0,
    cache_read_tokens bigint NOT NULL DEFAULT 0,
    cache_write_tokens bigint NOT NULL DEFAULT 0,
    cost_usd numeric,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (user_id, id),
    UNIQUE (user_id, session_id, through_turn),
    FOREIGN KEY (user_id, session_id) REFERENCES session ON DELETE CASCADE
);
ALTER TABLE summary ENABLE ROW LEVEL SECURITY;
ALTER TABLE summary FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON summary TO penny_app
    USING (user_id = (SELECT nullif(current_setting('app.user_id', true), '')::uuid));
GRANT SELECT, INSERT ON summary TO penny_app;
ALTER TABLE run ADD COLUMN summary_id uuid;
ALTER TABLE session ADD COLUMN summarizing_until timestamptz;
"""


def upgrade() -> None:
    execute_script(SCHEMA)


def downgrade() -> None:
    op.execute("ALTER TABLE session DROP COLUMN summarizing_until")
    op.execute("ALTER TABLE run DROP COLUMN summary_id")
    op.execute("DROP TABLE summary")
