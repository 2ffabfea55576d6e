"""Users' keys for what they wrote, each wrapped by a key outside of the database.

The worker's role, as operators use it, counts them and sees who has them, and not the keys. A fact's length is no
longer the column's to check: sealed, it is longer.
"""

from alembic import op

from db.migrations.script import execute_script

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None
expands = True

TABLE = """
CREATE TABLE data_key (
    user_id uuid NOT NULL REFERENCES app_user ON DELETE CASCADE,
    no int NOT NULL CHECK (no > 0),
    wrapped bytea NOT NULL,
    -- by which key: its ARN, or the file's fingerprint
    wrapped_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- seals nothing before, so that every server has read it by then
    active_from timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (user_id, no)
);
ALTER TABLE data_key ENABLE ROW LEVEL SECURITY;
ALTER TABLE data_key FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON data_key TO penny_app
    USING (user_id = (SELECT nullif(current_setting('app.user_id', true), '')::uuid));
GRANT SELECT, INSERT, UPDATE (wrapped, wrapped_by) ON data_key TO penny_app;
CREATE POLICY operators ON data_key FOR SELECT TO penny_worker USING (true);
GRANT SELECT (user_id, no, wrapped_by, created_at, active_from) ON data_key TO penny_worker;
"""

# For `penny keys`: who there is, a page at a time.
USERS = """
CREATE FUNCTION users_after(p_after uuid, p_most int) RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = penny, pg_temp AS $$
    SELECT id FROM app_user WHERE p_after IS NULL OR id > p_after ORDER BY id LIMIT p_most
$$;
REVOKE ALL ON FUNCTION users_after FROM PUBLIC;
GRANT EXECUTE ON FUNCTION users_after TO penny_worker;
"""

# Sealing again replaces the text of rows that nothing else may change.
RIGHTS = """
ALTER TABLE user_fact DROP CONSTRAINT user_fact_text_check;
ALTER TABLE user_fact ADD CONSTRAINT user_fact_text_check CHECK (length(text) BETWEEN 1 AND 2000);
GRANT UPDATE (text) ON summary TO penny_app;
"""


def upgrade() -> None:
    for part in (TABLE, USERS, RIGHTS):
        execute_script(part)


def downgrade() -> None:
    op.execute("REVOKE UPDATE (text) ON summary FROM penny_app")
    op.execute("DROP FUNCTION users_after")
    op.execute("DROP TABLE data_key")
