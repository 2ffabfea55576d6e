"""Runs: events in one partition a day, which go after their time; the index by which a user's running replies are counted.

A run's events all lie in the partition of the day (UTC) on which the run was made, so that (run, seq) stays unique. The
worker may have partitions made and dropped, and may ask how far runs are logged, through functions of penny_owner; it
still reads no events.
"""

from alembic import op

from db.migrations.script import execute_script

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

PARTITIONED = """
ALTER TABLE run_event RENAME TO run_event_before;
ALTER INDEX run_event_one_end RENAME TO run_event_before_one_end;
ALTER INDEX run_event_pkey RENAME TO run_event_before_pkey;
CREATE TABLE run_event (
    user_id uuid NOT NULL,
    run_id uuid NOT NULL REFERENCES run ON DELETE CASCADE,
    day date NOT NULL DEFAULT (clock_timestamp() AT TIME ZONE 'UTC')::date,
    seq int NOT NULL,
    last_seq int NOT NULL,
    attempt int NOT NULL,
    terminal boolean NOT NULL DEFAULT false,
    events text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (run_id, seq, day)
) PARTITION BY RANGE (day);
CREATE UNIQUE INDEX run_event_one_end ON run_event (run_id, day) WHERE terminal;
CREATE INDEX run_active_of_user ON run (user_id) WHERE status IN ('queued', 'running');
"""

GUARDS = """
ALTER TABLE run_event ENABLE ROW LEVEL SECURITY;
ALTER TABLE run_event FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON run_event TO penny_app
    USING (user_id = (SELECT nullif(current_setting('app.user_id', true), '')::uuid));
GRANT SELECT, INSERT, UPDATE, DELETE ON run_event TO penny_app;
CREATE POLICY log ON run_event FOR INSERT TO penny_worker WITH CHECK (true);
GRANT INSERT ON run_event TO penny_worker;
CREATE POLICY positions ON run_event FOR SELECT TO penny_owner USING (true);
CREATE POLICY active ON run FOR SELECT TO penny_owner USING (status IN ('queued', 'running'));
"""

ADD_DAY = """
CREATE FUNCTION add_run_event_day(p_day date) RETURNS void
LANGUAGE plpgsql SET search_path = penny, pg_temp AS $$
DECLARE part text := 'run_event_' || to_char(p_day, 'YYYYMMDD');
BEGIN
    IF to_regclass(part) IS NOT NULL THEN RETURN; END IF;
    EXECUTE format('CREATE TABLE %I PARTITION OF run_event FOR VALUES FROM (%L) TO (%L)', part, p_day, p_day + 1);
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', part);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', part);
    EXECUTE format('CREATE POLICY own_rows ON %I TO penny_app USING '
                   '(user_id = (SELECT nullif(current_setting(''app.user_id'', true), '''')::uuid))', part);
    EXECUTE format('GRANT SELECT ON %I TO penny_app', part);
END $$;
REVOKE ALL ON FUNCTION add_run_event_day FROM PUBLIC;
"""

# Partitions from today to three days ahead; those older than so many days go, unless a run of their time is not over.
KEEP = """
CREATE FUNCTION keep_run_events(p_days int) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = penny, pg_temp SET lock_timeout = '2s' AS $$
DECLARE today date := (clock_timestamp() AT TIME ZONE 'UTC')::date; part text; dropped int := 0;
BEGIN
    IF p_days < 1 THEN RAISE EXCEPTION 'events are kept for one day at least'; END IF;
    IF NOT pg_try_advisory_xact_lock(hashtextextended('keep_run_events', 0)) THEN RETURN 0; END IF;
    FOR n IN 0..3 LOOP
        PERFORM add_run_event_day(today + n);
    END LOOP;
    FOR part IN
        SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
         WHERE i.inhparent = 'run_event'::regclass AND to_date(right(c.relname, 8), 'YYYYMMDD') < today - p_days
           AND NOT EXISTS (
               SELECT FROM run WHERE status IN ('queued', 'running')
                  AND (created_at AT TIME ZONE 'UTC')::date <= to_date(right(c.relname, 8), 'YYYYMMDD'))
    LOOP
        EXECUTE format('DROP TABLE %I', part);
        dropped := dropped + 1;
    END LOOP;
    RETURN dropped;
END $$;
REVOKE ALL ON FUNCTION keep_run_events FROM PUBLIC;
GRANT EXECUTE ON FUNCTION keep_run_events TO penny_worker;
"""

POSITIONS = """
CREATE FUNCTION run_positions(p_runs uuid[], p_since date) RETURNS TABLE (run_id uuid, last_seq int)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = penny, pg_temp AS $$
    SELECT r.id, e.last_seq FROM unnest(p_runs) AS r (id)
      CROSS JOIN LATERAL (SELECT e.last_seq FROM run_event e WHERE e.run_id = r.id AND e.day >= p_since
                           ORDER BY e.seq DESC LIMIT 1) AS e
$$;
REVOKE ALL ON FUNCTION run_positions FROM PUBLIC;
GRANT EXECUTE ON FUNCTION run_positions TO penny_worker;
"""

MOVE = """
ALTER TABLE run_event_before NO FORCE ROW LEVEL SECURITY;
ALTER TABLE run_event NO FORCE ROW LEVEL SECURITY;
ALTER TABLE run NO FORCE ROW LEVEL SECURITY;
DO $$
DECLARE made date;
BEGIN
    FOR made IN SELECT DISTINCT (created_at AT TIME ZONE 'UTC')::date FROM run LOOP
        PERFORM add_run_event_day(made);
    END LOOP;
    FOR n IN 0..3 LOOP
        PERFORM add_run_event_day((clock_timestamp() AT TIME ZONE 'UTC')::date + n);
    END LOOP;
END $$;
INSERT INTO run_event
SELECT e.user_id, run_id, (r.created_at AT TIME ZONE 'UTC')::date, seq, last_seq, e.attempt, terminal, events, e.created_at
  FROM run_event_before e JOIN run r ON r.id = e.run_id;
DROP TABLE run_event_before;
ALTER TABLE run FORCE ROW LEVEL SECURITY;
ALTER TABLE run_event FORCE ROW LEVEL SECURITY;
"""


def upgrade() -> None:
    for part in (PARTITIONED, GUARDS, ADD_DAY, KEEP, POSITIONS, MOVE):
        execute_script(part)


def downgrade() -> None:
    raise RuntimeError("Events lie in partitions since 0005; restore a backup to go back.")
