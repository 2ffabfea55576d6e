"""Messages that a user asked to be sent unasked: which, when not, where to; and what they were told already.

`notice_watch` is the queue of users to look after; the worker's role moves it and sees nothing else of them.
"""

from alembic import op

from db.migrations.script import execute_script

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

PREFERENCES = """
ALTER TABLE preference
    ADD COLUMN weekly_summary boolean NOT NULL DEFAULT false,
    ADD COLUMN budget_alerts boolean NOT NULL DEFAULT false,
    ADD COLUMN unusual_charges boolean NOT NULL DEFAULT false,
    ADD COLUMN upcoming_bills boolean NOT NULL DEFAULT false,
    ADD COLUMN weekly_day text NOT NULL DEFAULT 'monday' CHECK (weekly_day IN
        ('monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday')),
    ADD COLUMN weekly_time text NOT NULL DEFAULT '09:00' CHECK (weekly_time ~ '^([01][0-9]|2[0-3]):[0-5][0-9]$'),
    ADD COLUMN quiet_from text DEFAULT '22:00' CHECK (quiet_from ~ '^([01][0-9]|2[0-3]):[0-5][0-9]$'),
    ADD COLUMN quiet_until text DEFAULT '08:00' CHECK (quiet_until ~ '^([01][0-9]|2[0-3]):[0-5][0-9]$'),
    ADD COLUMN messages_to text,
    ADD CHECK ((quiet_from IS NULL) = (quiet_until IS NULL));
"""

# `seen` names the state of the ledger that was looked at last; `weekly_told` is the local day of the latest weekly
# summary, null until the first look after it was switched on.
WATCH = """
CREATE TABLE notice_watch (
    user_id uuid PRIMARY KEY REFERENCES app_user ON DELETE CASCADE,
    due_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    seen text NOT NULL DEFAULT '',
    weekly_told date
);
CREATE INDEX notice_watch_due ON notice_watch (due_at);

-- Each thing is told once, wherever and by whatever server.
CREATE TABLE notice_told (
    user_id uuid NOT NULL REFERENCES app_user ON DELETE CASCADE,
    thing text NOT NULL,
    told_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (user_id, thing)
);

CREATE POLICY queue ON notice_watch TO penny_worker USING (true);
GRANT SELECT (user_id, due_at), UPDATE (due_at) ON notice_watch TO penny_worker;

CREATE FUNCTION watch_for_notices() RETURNS trigger
LANGUAGE plpgsql SET search_path = penny, pg_temp AS $$
BEGIN
    IF NEW.weekly_summary OR NEW.budget_alerts OR NEW.unusual_charges OR NEW.upcoming_bills THEN
        INSERT INTO notice_watch AS w (user_id) VALUES (NEW.user_id)
            ON CONFLICT (user_id) DO UPDATE SET due_at = clock_timestamp(), seen = '',
                weekly_told = CASE WHEN NEW.weekly_summary THEN w.weekly_told END;
    ELSE
        DELETE FROM notice_watch WHERE user_id = NEW.user_id;
    END IF;
    RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION watch_for_notices FROM PUBLIC;
GRANT EXECUTE ON FUNCTION watch_for_notices TO penny_app;
CREATE TRIGGER notices AFTER INSERT OR UPDATE ON preference FOR EACH ROW EXECUTE FUNCTION watch_for_notices();
CREATE FUNCTION watch_no_more() RETURNS trigger
LANGUAGE plpgsql SET search_path = penny, pg_temp AS $$
BEGIN
    DELETE FROM notice_watch WHERE user_id = OLD.user_id;
    RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION watch_no_more FROM PUBLIC;
GRANT EXECUTE ON FUNCTION watch_no_more TO penny_app;
CREATE TRIGGER no_notices AFTER DELETE ON preference FOR EACH ROW EXECUTE FUNCTION watch_no_more();
"""

# `chat` is where the person is reached alone: "" until they have written there. Which of several links was used last
# decides where somebody is written to, and some apps take messages only for a day after that.
LINKS = """
ALTER TABLE channel_link ADD COLUMN used_at timestamptz NOT NULL DEFAULT clock_timestamp();
UPDATE channel_link SET chat = '' WHERE channel = 'slack' AND chat LIKE '%:%' OR channel = 'telegram' AND chat LIKE '-%';
-- beside the one with two parameters, which servers of the version before call
CREATE FUNCTION channel_user(p_channel text, p_address text, p_chat text) RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = penny, pg_temp AS $$
DECLARE found record;
BEGIN
    SELECT user_id, chat, used_at INTO found FROM channel_link WHERE channel = p_channel AND address = p_address;
    IF found.used_at < clock_timestamp() - interval '1 minute' OR p_chat <> found.chat THEN
        UPDATE channel_link SET used_at = clock_timestamp(), chat = coalesce(p_chat, chat)
         WHERE channel = p_channel AND address = p_address;
    END IF;
    RETURN found.user_id;
END $$;
REVOKE ALL ON FUNCTION channel_user(text, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION channel_user(text, text, text) TO penny_app;

CREATE OR REPLACE FUNCTION redeem_link(p_channel text, p_address text, p_chat text, p_code_hash text) RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = penny, pg_temp AS $$
DECLARE whose uuid;
BEGIN
    DELETE FROM link_code WHERE channel = p_channel AND code_hash = p_code_hash AND expires_at > clock_timestamp()
        RETURNING user_id INTO whose;
    IF whose IS NULL THEN RETURN NULL; END IF;
    DELETE FROM channel_link WHERE channel = p_channel AND address = p_address AND user_id <> whose;
    INSERT INTO channel_link AS l (user_id, channel, address, chat) VALUES (whose, p_channel, p_address, p_chat)
        ON CONFLICT (user_id, channel, address)
        DO UPDATE SET chat = CASE p_chat WHEN '' THEN l.chat ELSE p_chat END, used_at = clock_timestamp();
    RETURN whose;
END $$;
"""

# A notice may wait for the morning, and holds up nothing that is said meanwhile.
OUTBOX = """
ALTER TABLE outbox DROP CONSTRAINT outbox_kind_check;
ALTER TABLE outbox ADD CONSTRAINT outbox_kind_check CHECK (kind IN ('reply', 'note', 'decided', 'notice'));
"""


def upgrade() -> None:
    execute_script(PREFERENCES)
    execute_script(WATCH)
    mine = "(SELECT nullif(current_setting('app.user_id', true), '')::uuid)"
    for table in ("notice_watch", "notice_told"):
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY own_rows ON {table} TO penny_app USING (user_id = {mine})")
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO penny_app")
    execute_script(LINKS)
    execute_script(OUTBOX)


def downgrade() -> None:
    execute_script("""
        DELETE FROM outbox WHERE kind = 'notice';
        ALTER TABLE outbox DROP CONSTRAINT outbox_kind_check;
        ALTER TABLE outbox ADD CONSTRAINT outbox_kind_check CHECK (kind IN ('reply', 'note', 'decided'));
        DROP TRIGGER notices ON preference;
        DROP TRIGGER no_notices ON preference;
        DROP FUNCTION watch_for_notices, watch_no_more;
        DROP TABLE notice_told, notice_watch;
        DROP FUNCTION channel_user(text, text, text);
        ALTER TABLE channel_link DROP COLUMN used_at;
        ALTER TABLE preference DROP COLUMN weekly_summary, DROP COLUMN budget_alerts, DROP COLUMN unusual_charges,
            DROP COLUMN upcoming_bills, DROP COLUMN weekly_day, DROP COLUMN weekly_time, DROP COLUMN quiet_from,
            DROP COLUMN quiet_until, DROP COLUMN messages_to;
    """)
