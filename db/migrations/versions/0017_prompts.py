"""Prompt texts by version, and the rollout of a version to a share of the users and to users by name.

Texts are kept from the first run that was made with them, so that a run that another server takes over keeps its prompt.
They are nobody's rows: penny_app reaches them through functions, operators as penny_worker.
"""

from alembic import op

from db.migrations.script import execute_script

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE prompt (
    version text PRIMARY KEY,
    name text NOT NULL,
    text text NOT NULL,
    kept_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CHECK (version = name || '-' || left(encode(sha256(convert_to(text, 'UTF8')), 'hex'), 8))
);
CREATE TABLE prompt_rollout (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    version text NOT NULL REFERENCES prompt,
    base text NOT NULL,
    -- users of 10,000
    share int NOT NULL DEFAULT 0 CHECK (share BETWEEN 0 AND 10000),
    -- replies before the first comparison, and how many comparisons there were
    least int NOT NULL CHECK (least > 0),
    looks int NOT NULL DEFAULT 0,
    status text NOT NULL DEFAULT 'running' CHECK (status IN ('running', 'stopped', 'rolled_back')),
    reason text NOT NULL DEFAULT '',
    began_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE UNIQUE INDEX prompt_rollout_one ON prompt_rollout (status) WHERE status = 'running';
CREATE TABLE prompt_rollout_user (
    user_id uuid NOT NULL REFERENCES app_user ON DELETE CASCADE,
    rollout_id bigint NOT NULL,  -- rollouts are never deleted
    PRIMARY KEY (user_id, rollout_id)
);
CREATE INDEX run_of_prompt ON run (prompt_version, finished_at DESC) WHERE finished_at IS NOT NULL;
"""

RIGHTS = """
ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;
ALTER TABLE {table} FORCE ROW LEVEL SECURITY;
CREATE POLICY operators ON {table} TO penny_worker USING (true) WITH CHECK (true);
CREATE POLICY functions ON {table} TO penny_owner USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE ON {table} TO penny_worker;
GRANT SELECT ON {table} TO penny_app;
"""

POLICIES = """
CREATE POLICY nobodys ON prompt TO penny_app USING (version = (SELECT current_setting('app.user_id', true)));
CREATE POLICY nobodys ON prompt_rollout TO penny_app USING (version = (SELECT current_setting('app.user_id', true)));
CREATE POLICY own_rows ON prompt_rollout_user TO penny_app
    USING (user_id = (SELECT nullif(current_setting('app.user_id', true), '')::uuid));
CREATE POLICY outcomes ON run FOR SELECT TO penny_owner USING (true);
CREATE POLICY outcomes ON message FOR SELECT TO penny_owner USING (true);
"""

FUNCTIONS = """
CREATE FUNCTION keep_prompt(p_version text, p_name text, p_text text) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = penny, pg_temp AS $$
    INSERT INTO prompt (version, name, text) VALUES (p_version, p_name, p_text) ON CONFLICT (version) DO NOTHING
$$;
CREATE FUNCTION prompt_text(p_version text) RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = penny, pg_temp AS $$
    SELECT text FROM prompt WHERE version = p_version
$$;
REVOKE ALL ON FUNCTION keep_prompt, prompt_text FROM PUBLIC;
GRANT EXECUTE ON FUNCTION keep_prompt, prompt_text TO penny_app, penny_worker;
"""

# How the newest replies of a version ended, without a word of them.
OUTCOMES = """
CREATE FUNCTION prompt_outcomes(p_version text, p_since timestamptz, p_most int)
RETURNS TABLE (replies int, failed int, unverified int)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = penny, pg_temp AS $$
    SELECT count(*)::int, count(*) FILTER (WHERE r.status = 'failed')::int,
           count(*) FILTER (WHERE m.body @? '$.figures[*] ? (@.verified == false)')::int
      FROM (SELECT user_id, message_id, status FROM run
             WHERE prompt_version = p_version AND finished_at > p_since AND status IN ('finished', 'failed')
             ORDER BY finished_at DESC LIMIT p_most) AS r
      LEFT JOIN message m ON m.user_id = r.user_id AND m.id = r.message_id
$$;
REVOKE ALL ON FUNCTION prompt_outcomes FROM PUBLIC;
GRANT EXECUTE ON FUNCTION prompt_outcomes TO penny_worker;
"""


def upgrade() -> None:
    execute_script(TABLES)
    for table in ("prompt", "prompt_rollout", "prompt_rollout_user"):
        execute_script(RIGHTS.format(table=table))
    for part in (POLICIES, FUNCTIONS, OUTCOMES):
        execute_script(part)


def downgrade() -> None:
    op.execute("DROP FUNCTION prompt_outcomes, prompt_text, keep_prompt")
    op.execute("DROP POLICY outcomes ON run")
    op.execute("DROP POLICY outcomes ON message")
    op.execute("DROP INDEX run_of_prompt")
    op.execute("DROP TABLE prompt_rollout_user, prompt_rollout, prompt")
