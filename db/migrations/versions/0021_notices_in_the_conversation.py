"""Notices are part of the conversation, and a change of what is wanted acts on those that wait.

A notice opens a turn of its own, as a decision does, and is told in the feed. When a kind is switched off or the chat is
unlinked, what waits of it goes; when the quiet hours change, what waits is looked at again at once.
"""

from alembic import op

from db.migrations.script import execute_script

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def _feed(roles: str) -> str:
    return f"""
DROP TRIGGER feed ON message;
CREATE TRIGGER feed AFTER INSERT ON message FOR EACH ROW
    WHEN (NEW.role IN ({roles})
          OR NEW.role = 'assistant' AND jsonb_array_length(coalesce(NEW.body -> 'tool_calls', '[]')) = 0)
    EXECUTE FUNCTION feed_message();
"""


MESSAGES = """
ALTER TABLE message DROP CONSTRAINT message_role_check;
ALTER TABLE message ADD CONSTRAINT message_role_check
    CHECK (role IN ('user', 'assistant', 'tool', 'decision', 'notice')) NOT VALID;
ALTER TABLE message VALIDATE CONSTRAINT message_role_check;
"""

WAITING = """
CREATE FUNCTION notices_as_wanted() RETURNS trigger
LANGUAGE plpgsql SET search_path = penny, pg_temp AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        DELETE FROM outbox WHERE user_id = OLD.user_id AND kind = 'notice' AND status = 'waiting';
        RETURN NULL;
    END IF;
    DELETE FROM outbox WHERE user_id = NEW.user_id AND kind = 'notice' AND status = 'waiting'
       AND NOT CASE body ->> 'kind' WHEN 'weekly' THEN NEW.weekly_summary WHEN 'budget' THEN NEW.budget_alerts
               WHEN 'unusual' THEN NEW.unusual_charges WHEN 'bills' THEN NEW.upcoming_bills ELSE true END;
    IF (NEW.quiet_from, NEW.quiet_until, NEW.time_zone)
       IS DISTINCT FROM (OLD.quiet_from, OLD.quiet_until, OLD.time_zone) THEN
        UPDATE outbox SET due_at = clock_timestamp()
         WHERE user_id = NEW.user_id AND kind = 'notice' AND status = 'waiting';
    END IF;
    RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION notices_as_wanted FROM PUBLIC;
GRANT EXECUTE ON FUNCTION notices_as_wanted TO penny_app;
CREATE TRIGGER notices_as_wanted AFTER UPDATE OR DELETE ON preference FOR EACH ROW EXECUTE FUNCTION notices_as_wanted();

CREATE FUNCTION no_notices_unlinked() RETURNS trigger
LANGUAGE plpgsql SET search_path = penny, pg_temp AS $$
BEGIN
    DELETE FROM outbox WHERE user_id = OLD.user_id AND kind = 'notice' AND status = 'waiting'
       AND channel = OLD.channel AND chat = OLD.chat;
    RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION no_notices_unlinked FROM PUBLIC;
GRANT EXECUTE ON FUNCTION no_notices_unlinked TO penny_app;
CREATE TRIGGER no_notices AFTER DELETE ON channel_link FOR EACH ROW EXECUTE FUNCTION no_notices_unlinked();
"""


def upgrade() -> None:
    execute_script(MESSAGES)
    execute_script(_feed("'user', 'decision', 'notice'"))
    execute_script(WAITING)


def downgrade() -> None:
    execute_script("""
        DROP TRIGGER notices_as_wanted ON preference;
        DROP TRIGGER no_notices ON channel_link;
        DROP FUNCTION notices_as_wanted, no_notices_unlinked;
    """)
    execute_script(_feed("'user', 'decision'"))
    op.execute("DELETE FROM message WHERE role = 'notice'")
    op.execute("ALTER TABLE message DROP CONSTRAINT message_role_check")
    op.execute(
        "ALTER TABLE message ADD CONSTRAINT message_role_check CHECK (role IN ('user', 'assistant', 'tool', 'decision'))"
    )
