"""Usage: what each user's replies and summaries took, by day and model; and what running replies have reserved.

A reservation is asked for before the model is: what is used and what is reserved together stay under the caps of the user
and of the tenant, however many replies are made at once. It lasts as long as its run is running.
"""

from alembic import op

from db.migrations.script import execute_script

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

TABLE = """
CREATE TABLE usage_day (
    user_id uuid NOT NULL REFERENCES app_user ON DELETE CASCADE,
    day date NOT NULL,
    model text NOT NULL,
    purpose text NOT NULL CHECK (purpose IN ('reply', 'summary')),
    calls bigint NOT NULL DEFAULT 0,
    input_tokens bigint NOT NULL DEFAULT 0,
    output_tokens bigint NOT NULL DEFAULT 0,
    cache_read_tokens bigint NOT NULL DEFAULT 0,
    cache_write_tokens bigint NOT NULL DEFAULT 0,
    cost_usd numeric NOT NULL DEFAULT 0,
    -- calls whose price is not known, and not in cost_usd
    unpriced_calls bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (user_id, day, model, purpose)
);
ALTER TABLE usage_day ENABLE ROW LEVEL SECURITY;
ALTER TABLE usage_day FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON usage_day TO penny_app
    USING (user_id = (SELECT nullif(current_setting('app.user_id', true), '')::uuid));
GRANT SELECT, INSERT, UPDATE ON usage_day TO penny_app;
CREATE POLICY sums ON usage_day FOR SELECT TO penny_owner USING (true);
ALTER TABLE run ADD COLUMN cost_usd numeric DEFAULT 0;
ALTER TABLE run ADD COLUMN reserved_tokens bigint NOT NULL DEFAULT 0;
ALTER TABLE run ADD COLUMN reserved_usd numeric NOT NULL DEFAULT 0;
CREATE POLICY reserve ON run FOR UPDATE TO penny_owner USING (status = 'running');
"""

# Tokens read from a provider's cache count a tenth, about what they cost. plpgsql, for each of its statements sees what
# was committed before the lock was had.
RESERVE = """
CREATE FUNCTION reserve_usage(p_run uuid, p_tokens bigint, p_usd numeric, p_user_tokens bigint, p_user_usd numeric,
                              p_tenant_tokens bigint, p_tenant_usd numeric) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = penny, pg_temp AS $$
DECLARE
    me uuid := nullif(current_setting('app.user_id', true), '')::uuid;
    today date := (clock_timestamp() AT TIME ZONE 'UTC')::date;
    home record; people uuid[]; tokens numeric; usd numeric;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('usage of ' || me, 0));
    SELECT used.tokens, used.usd INTO tokens, usd FROM usage_of(ARRAY[me], today, p_run) AS used;
    IF tokens + p_tokens > p_user_tokens THEN RETURN 'user_tokens'; END IF;
    IF usd + p_usd > p_user_usd THEN RETURN 'user_cost'; END IF;
    IF p_tenant_tokens IS NOT NULL OR p_tenant_usd IS NOT NULL THEN
        SELECT issuer, tenant INTO home FROM identity WHERE user_id = me ORDER BY issuer, tenant LIMIT 1;
        PERFORM pg_advisory_xact_lock(hashtextextended('usage in ' || home.issuer || ' ' || home.tenant, 0));
        SELECT array_agg(DISTINCT user_id) INTO people FROM identity
         WHERE issuer = home.issuer AND tenant = home.tenant;
        SELECT used.tokens, used.usd INTO tokens, usd FROM usage_of(people, today, p_run) AS used;
        IF tokens + p_tokens > p_tenant_tokens THEN RETURN 'tenant_tokens'; END IF;
        IF usd + p_usd > p_tenant_usd THEN RETURN 'tenant_cost'; END IF;
    END IF;
    UPDATE run SET reserved_tokens = p_tokens, reserved_usd = p_usd
     WHERE id = p_run AND user_id = me AND status = 'running';
    RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION reserve_usage FROM PUBLIC;
GRANT EXECUTE ON FUNCTION reserve_usage TO penny_app;
"""

USED = """
CREATE FUNCTION usage_of(p_users uuid[], p_day date, p_but_run uuid) RETURNS TABLE (tokens numeric, usd numeric)
LANGUAGE sql VOLATILE SET search_path = penny, pg_temp AS $$
    SELECT coalesce(d.tokens, 0) + coalesce(r.tokens, 0), coalesce(d.usd, 0) + coalesce(r.usd, 0)
      FROM (SELECT sum(input_tokens + output_tokens + cache_write_tokens + cache_read_tokens / 10) AS tokens,
                   sum(cost_usd) AS usd
              FROM usage_day WHERE user_id = ANY (p_users) AND day = p_day) AS d,
           (SELECT sum(reserved_tokens) AS tokens, sum(reserved_usd) AS usd
              FROM run WHERE user_id = ANY (p_users) AND status = 'running' AND id <> p_but_run) AS r
$$;
REVOKE ALL ON FUNCTION usage_of FROM PUBLIC;
"""

# For operators: who used what, without a word of theirs.
OVERVIEW = """
CREATE FUNCTION usage_overview(p_since date) RETURNS TABLE (
    user_id uuid, issuer text, tenant text, subject text, day date, model text, purpose text, calls bigint,
    input_tokens bigint, output_tokens bigint, cache_read_tokens bigint, cache_write_tokens bigint,
    cost_usd numeric, unpriced_calls bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = penny, pg_temp AS $$
    SELECT u.user_id, i.issuer, i.tenant, i.subject, u.day, u.model, u.purpose, u.calls, u.input_tokens,
           u.output_tokens, u.cache_read_tokens, u.cache_write_tokens, u.cost_usd, u.unpriced_calls
      FROM usage_day u
      LEFT JOIN LATERAL (SELECT * FROM identity WHERE identity.user_id = u.user_id
                          ORDER BY issuer, tenant, subject LIMIT 1) AS i ON true
     WHERE u.day >= p_since ORDER BY u.day DESC, u.user_id, u.model, u.purpose
$$;
REVOKE ALL ON FUNCTION usage_overview FROM PUBLIC;
GRANT EXECUTE ON FUNCTION usage_overview TO penny_worker;
"""


def upgrade() -> None:
    for part in (TABLE, USED, RESERVE, OVERVIEW):
        execute_script(part)


def downgrade() -> None:
    op.execute("DROP FUNCTION usage_overview, reserve_usage, usage_of")
    op.execute("DROP POLICY reserve ON run")
    op.execute("ALTER TABLE run DROP COLUMN cost_usd, DROP COLUMN reserved_tokens, DROP COLUMN reserved_usd")
    op.execute("DROP TABLE usage_day")
