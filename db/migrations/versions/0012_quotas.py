"""Quotas: how many requests a user, a tenant or an address has left, and how many are open, on all servers together.

Both tables hold hashes for names, are written through one function of penny_owner, and are not logged: after a crash
everybody starts with a full quota, and nobody waits for the disk.
"""

from alembic import op

from db.migrations.script import execute_script

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

TABLES = """
CREATE UNLOGGED TABLE quota (
    key text PRIMARY KEY,
    tokens double precision NOT NULL,
    granted int NOT NULL DEFAULT 0,
    at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE UNLOGGED TABLE quota_open (
    key text NOT NULL,
    owner text NOT NULL,
    permits int NOT NULL,
    until timestamptz NOT NULL,
    PRIMARY KEY (key, owner)
);
ALTER TABLE quota ENABLE ROW LEVEL SECURITY;
ALTER TABLE quota FORCE ROW LEVEL SECURITY;
ALTER TABLE quota_open ENABLE ROW LEVEL SECURITY;
ALTER TABLE quota_open FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON quota TO penny_app USING (key = (SELECT current_setting('app.user_id', true)));
CREATE POLICY own_rows ON quota_open TO penny_app USING (key = (SELECT current_setting('app.user_id', true)));
GRANT SELECT ON quota, quota_open TO penny_app;
CREATE POLICY all_of_it ON quota TO penny_owner USING (true) WITH CHECK (true);
CREATE POLICY all_of_it ON quota_open TO penny_owner USING (true) WITH CHECK (true);
"""

# A bucket holds `p_sizes` tokens, which come back within a minute; `granted` is at most `p_wanted`. The bucket's row is the lock
# under which the permits of all owners are counted: `permits` is at most `p_open`, and with the others' at most `p_caps`.
TAKE = """
CREATE FUNCTION take_quota(p_owner text, p_seconds float8, p_keys text[], p_sizes int[], p_wanted int[], p_caps int[], p_open int[])
RETURNS TABLE (o_key text, o_granted int, o_wait float8, o_permits int)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = penny, pg_temp AS $$
DECLARE
    wish record;
    others int;
BEGIN
    FOR wish IN
        SELECT k, s, w, c, o FROM unnest(p_keys, p_sizes, p_wanted, p_caps, p_open) AS u (k, s, w, c, o) ORDER BY k
    LOOP
        INSERT INTO quota AS q (key, tokens, granted) VALUES (wish.k, wish.s - least(wish.w, wish.s), least(wish.w, wish.s))
        ON CONFLICT (key) DO UPDATE SET
            at = clock_timestamp(),
            granted = least(wish.w, floor(least(wish.s, q.tokens + extract(epoch FROM clock_timestamp() - q.at) * wish.s / 60))),
            tokens = least(wish.s, q.tokens + extract(epoch FROM clock_timestamp() - q.at) * wish.s / 60)
                - least(wish.w, floor(least(wish.s, q.tokens + extract(epoch FROM clock_timestamp() - q.at) * wish.s / 60)))
        RETURNING q.key, q.granted, greatest(0, 1 - q.tokens) * 60.0 / greatest(wish.s, 1) INTO o_key, o_granted, o_wait;
        o_permits := wish.o;
        IF wish.c > 0 THEN
            SELECT coalesce(sum(p.permits), 0) INTO others FROM quota_open p
             WHERE p.key = wish.k AND p.owner <> p_owner AND p.until > clock_timestamp();
            o_permits := greatest(0, least(wish.o, wish.c - others));
            INSERT INTO quota_open (key, owner, permits, until)
            VALUES (wish.k, p_owner, o_permits, clock_timestamp() + p_seconds * interval '1 second')
            ON CONFLICT (key, owner) DO UPDATE SET permits = excluded.permits, until = excluded.until;
        END IF;
        RETURN NEXT;
    END LOOP;
END $$;
REVOKE ALL ON FUNCTION take_quota FROM PUBLIC;
GRANT EXECUTE ON FUNCTION take_quota TO penny_worker;
"""

KEEP = """
CREATE FUNCTION keep_quota(p_owner text, p_seconds float8) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = penny, pg_temp AS $$
    UPDATE quota_open SET until = clock_timestamp() + p_seconds * interval '1 second' WHERE owner = p_owner AND permits > 0;
    DELETE FROM quota_open WHERE until < clock_timestamp();
    DELETE FROM quota WHERE at < clock_timestamp() - interval '10 minutes';
$$;
REVOKE ALL ON FUNCTION keep_quota FROM PUBLIC;
GRANT EXECUTE ON FUNCTION keep_quota TO penny_worker;
"""


def upgrade() -> None:
    for part in (TABLES, TAKE, KEEP):
        execute_script(part)


def downgrade() -> None:
    op.execute("DROP FUNCTION keep_quota, take_quota")
    op.execute("DROP TABLE quota_open, quota")
