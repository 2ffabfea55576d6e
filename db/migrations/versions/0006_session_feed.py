"""The feed of a session: what happened in it, on whatever channel, numbered densely in the order of its commits.

Triggers write it, so that nothing that happens can be left out: each takes the session row's lock, which is held to the
commit, before it takes the next number. Whoever has read up to a number has therefore missed nothing before it.
"""

from alembic import op

from db.migrations.script import execute_script

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

TABLE = """
CREATE TABLE session_event (
    user_id uuid NOT NULL,
    session_id uuid NOT NULL,
    seq int NOT NULL,
    type text NOT NULL CHECK (type IN
        ('message.added', 'run.started', 'run.ended', 'proposal.made', 'proposal.decided')),
    subject_id uuid NOT NULL,
    status text NOT NULL DEFAULT '',
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (user_id, session_id, seq),
    FOREIGN KEY (user_id, session_id) REFERENCES session ON DELETE CASCADE
);
CREATE INDEX session_by_id ON session (id);
ALTER TABLE session_event ENABLE ROW LEVEL SECURITY;
ALTER TABLE session_event FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON session_event FOR SELECT TO penny_app
    USING (user_id = (SELECT nullif(current_setting('app.user_id', true), '')::uuid));
GRANT SELECT ON session_event TO penny_app;
CREATE POLICY feed ON session_event TO penny_owner USING (true);
CREATE POLICY feed ON session TO penny_owner USING (true);
"""

# For triggers only: the function takes the place of what its caller may not write. A session that is being deleted has
# no feed any more.
ADD = """
CREATE FUNCTION add_session_event(p_user uuid, p_session uuid, p_type text, p_subject uuid, p_status text) RETURNS void
LANGUAGE plpgsql SET search_path = penny, pg_temp AS $$
BEGIN
    PERFORM FROM session WHERE user_id = p_user AND id = p_session FOR NO KEY UPDATE;
    IF NOT FOUND THEN RETURN; END IF;
    INSERT INTO session_event (user_id, session_id, seq, type, subject_id, status)
    SELECT p_user, p_session, coalesce(max(seq), 0) + 1, p_type, p_subject, p_status FROM session_event
     WHERE user_id = p_user AND session_id = p_session;
END $$;
REVOKE ALL ON FUNCTION add_session_event FROM PUBLIC;
"""

TRIGGERS = """
CREATE FUNCTION feed_message() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = penny, pg_temp AS $$
BEGIN
    PERFORM add_session_event(NEW.user_id, NEW.session_id, 'message.added', NEW.id, NEW.role);
    RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION feed_message FROM PUBLIC;
CREATE TRIGGER feed AFTER INSERT ON message FOR EACH ROW
    WHEN (NEW.role IN ('user', 'decision')
          OR NEW.role = 'assistant' AND jsonb_array_length(coalesce(NEW.body -> 'tool_calls', '[]')) = 0)
    EXECUTE FUNCTION feed_message();

CREATE FUNCTION feed_run() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = penny, pg_temp AS $$
BEGIN
    PERFORM add_session_event(NEW.user_id, NEW.session_id,
                              CASE WHEN NEW.status = 'running' THEN 'run.started' ELSE 'run.ended' END, NEW.id, NEW.status);
    RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION feed_run FROM PUBLIC;
CREATE TRIGGER feed_made AFTER INSERT ON run FOR EACH ROW
    WHEN (NEW.status <> 'queued') EXECUTE FUNCTION feed_run();
CREATE TRIGGER feed_changed AFTER UPDATE OF status ON run FOR EACH ROW
    WHEN (NEW.status <> OLD.status AND NEW.status <> 'queued') EXECUTE FUNCTION feed_run();

CREATE FUNCTION feed_proposal() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = penny, pg_temp AS $$
BEGIN
    PERFORM add_session_event(NEW.user_id, NEW.session_id,
                              CASE WHEN TG_OP = 'INSERT' THEN 'proposal.made' ELSE 'proposal.decided' END,
                              NEW.id, NEW.status);
    RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION feed_proposal FROM PUBLIC;
CREATE TRIGGER feed_made AFTER INSERT ON proposal FOR EACH ROW
    WHEN (NEW.session_id IS NOT NULL) EXECUTE FUNCTION feed_proposal();
-- A claimed proposal is applied once its journal entry is named; before that it may still turn out to be superseded.
CREATE TRIGGER feed_changed AFTER UPDATE OF status, journal_id ON proposal FOR EACH ROW
    WHEN (NEW.session_id IS NOT NULL AND (NEW.status <> OLD.status AND NEW.status <> 'applied'
          OR NEW.status = 'applied' AND NEW.journal_id IS DISTINCT FROM OLD.journal_id))
    EXECUTE FUNCTION feed_proposal();
"""

# How far each feed goes; one whose session is gone has everything, so that its readers look and see.
POSITIONS = """
CREATE FUNCTION feed_positions(p_sessions uuid[]) RETURNS TABLE (session_id uuid, last_seq int)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = penny, pg_temp AS $$
    SELECT f.id, CASE WHEN s.id IS NULL THEN 2147483647 ELSE (
               SELECT coalesce(max(e.seq), 0) FROM session_event e WHERE e.user_id = s.user_id AND e.session_id = s.id) END
      FROM unnest(p_sessions) AS f (id) LEFT JOIN session s ON s.id = f.id
$$;
REVOKE ALL ON FUNCTION feed_positions FROM PUBLIC;
GRANT EXECUTE ON FUNCTION feed_positions TO penny_worker;
"""


def upgrade() -> None:
    for part in (TABLE, ADD, TRIGGERS, POSITIONS):
        execute_script(part)


def downgrade() -> None:
    for table, triggers in (("message", ("feed",)), ("run", ("feed_made", "feed_changed")), ("proposal", ("feed_made", "feed_changed"))):
        for trigger in triggers:
            op.execute(f"DROP TRIGGER {trigger} ON {table}")
    op.execute("DROP FUNCTION feed_positions, feed_proposal, feed_run, feed_message, add_session_event")
    op.execute("DROP POLICY feed ON session")
    op.execute("DROP INDEX session_by_id")
    op.execute("DROP TABLE session_event")
