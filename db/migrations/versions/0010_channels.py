"""Messaging apps: who is linked, what arrived, and what has to be sent.

`inbox` holds each event that was acted on, once; `outbox` what a chat has to be told, in order. The worker's role moves
outbox rows through their queue and sees neither what they say nor whom they name; the body is read as the user.
"""

from alembic import op

from db.migrations.script import execute_script

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

TABLES = """
-- An account in a messaging app that speaks for a user. `chat` is where that person is reached unasked.
CREATE TABLE channel_link (
    user_id uuid NOT NULL REFERENCES app_user ON DELETE CASCADE,
    channel text NOT NULL,
    address text NOT NULL,
    chat text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (user_id, channel, address)
);
CREATE UNIQUE INDEX channel_link_address ON channel_link (channel, address);

CREATE TABLE link_code (
    user_id uuid NOT NULL REFERENCES app_user ON DELETE CASCADE,
    channel text NOT NULL,
    code_hash text NOT NULL,
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (user_id, channel, code_hash)
);
CREATE INDEX link_code_hash ON link_code (channel, code_hash);

-- The session that a chat talks in; `money_allowed` matters in chats that others read.
CREATE TABLE channel_chat (
    user_id uuid NOT NULL REFERENCES app_user ON DELETE CASCADE,
    channel text NOT NULL,
    chat text NOT NULL,
    session_id uuid,
    money_allowed boolean NOT NULL DEFAULT false,
    PRIMARY KEY (user_id, channel, chat),
    FOREIGN KEY (user_id, session_id) REFERENCES session ON DELETE SET NULL (session_id)
);

CREATE TABLE inbox (
    user_id uuid NOT NULL REFERENCES app_user ON DELETE CASCADE,
    channel text NOT NULL,
    event_id text NOT NULL,
    run_id uuid,
    message_ref text,
    received_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (user_id, channel, event_id)
);
CREATE UNIQUE INDEX inbox_once ON inbox (channel, event_id);
CREATE INDEX inbox_message ON inbox (user_id, channel, message_ref) WHERE message_ref IS NOT NULL;
CREATE INDEX inbox_received ON inbox (received_at);

-- `no` is the order in a chat; `progress` says which parts the app has accepted.
CREATE TABLE outbox (
    user_id uuid NOT NULL REFERENCES app_user ON DELETE CASCADE,
    id uuid NOT NULL,
    no bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    channel text NOT NULL,
    chat text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('reply', 'note', 'decided')),
    dedupe text NOT NULL,
    run_id uuid,
    body jsonb NOT NULL DEFAULT '{}',
    progress jsonb NOT NULL DEFAULT '{}',
    status text NOT NULL DEFAULT 'waiting' CHECK (status IN ('waiting', 'sent', 'dead')),
    attempt int NOT NULL DEFAULT 0,
    refusals int NOT NULL DEFAULT 0,
    error text NOT NULL DEFAULT '',
    due_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    give_up_at timestamptz NOT NULL DEFAULT clock_timestamp() + interval '24 hours',
    owner text,
    lease_until timestamptz,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    ended_at timestamptz,
    PRIMARY KEY (user_id, id),
    UNIQUE (user_id, channel, chat, dedupe)
);
CREATE INDEX outbox_queue ON outbox (channel, chat, no) WHERE status = 'waiting';
CREATE INDEX outbox_due ON outbox (due_at) WHERE status = 'waiting';
CREATE INDEX outbox_dead ON outbox (created_at) WHERE status = 'dead';

-- A proposal as a chat shows it: the short code to type, and the app's id of the message with the buttons.
CREATE TABLE channel_proposal (
    user_id uuid NOT NULL,
    channel text NOT NULL,
    chat text NOT NULL,
    proposal_id uuid NOT NULL,
    code text NOT NULL,
    ref text,
    shown_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (user_id, channel, chat, proposal_id),
    UNIQUE (user_id, channel, chat, code),
    FOREIGN KEY (user_id, proposal_id) REFERENCES proposal ON DELETE CASCADE
);
"""

OWN_ROWS = ("channel_link", "link_code", "channel_chat", "inbox", "outbox", "channel_proposal")

# What comes before a user is known: who an account in an app speaks for, and taking a one-time code.
LINKING = """
CREATE POLICY linking ON channel_link TO penny_owner USING (true);
CREATE POLICY linking ON link_code TO penny_owner USING (true);

CREATE FUNCTION channel_user(p_channel text, p_address text) RETURNS uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = penny, pg_temp AS $$
    SELECT user_id FROM channel_link WHERE channel = p_channel AND address = p_address
$$;
REVOKE ALL ON FUNCTION channel_user FROM PUBLIC;
GRANT EXECUTE ON FUNCTION channel_user TO penny_app;

-- The user whose code it is, who is linked from now on; NULL when there is no such code or its time is over.
CREATE FUNCTION redeem_link(p_channel text, p_address text, p_chat text, p_code_hash text) RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = penny, pg_temp AS $$
DECLARE whose uuid;
BEGIN
    DELETE FROM link_code WHERE channel = p_channel AND code_hash = p_code_hash AND expires_at > clock_timestamp()
        RETURNING user_id INTO whose;
    IF whose IS NULL THEN RETURN NULL; END IF;
    DELETE FROM channel_link WHERE channel = p_channel AND address = p_address AND user_id <> whose;
    INSERT INTO channel_link (user_id, channel, address, chat) VALUES (whose, p_channel, p_address, p_chat)
        ON CONFLICT (user_id, channel, address) DO UPDATE SET chat = p_chat;
    RETURN whose;
END $$;
REVOKE ALL ON FUNCTION redeem_link FROM PUBLIC;
GRANT EXECUTE ON FUNCTION redeem_link TO penny_app;
"""

QUEUE = """
CREATE POLICY queue ON outbox TO penny_worker USING (true);
GRANT SELECT (user_id, id, no, channel, chat, kind, run_id, status, attempt, refusals, error, due_at, give_up_at, owner, lease_until,
              created_at, ended_at),
      UPDATE (status, attempt, refusals, error, due_at, give_up_at, owner, lease_until, ended_at) ON outbox TO penny_worker;
"""

# However and wherever a proposal is decided, every chat that shows it is told.
DECIDED = """
CREATE POLICY shown ON channel_proposal TO penny_owner USING (true);
CREATE POLICY told ON outbox FOR INSERT TO penny_owner WITH CHECK (true);
CREATE FUNCTION tell_chats() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = penny, pg_temp AS $$
BEGIN
    INSERT INTO outbox (user_id, id, channel, chat, kind, dedupe, body)
    SELECT c.user_id, uuidv7(), c.channel, c.chat, 'decided', 'decided ' || NEW.id || ' ' || NEW.status,
           jsonb_build_object('proposal_id', NEW.id)
      FROM channel_proposal c WHERE c.user_id = NEW.user_id AND c.proposal_id = NEW.id
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION tell_chats FROM PUBLIC;
CREATE TRIGGER chats AFTER UPDATE OF status, journal_id ON proposal FOR EACH ROW
    WHEN (NEW.status <> OLD.status AND NEW.status <> 'applied'
          OR NEW.status = 'applied' AND NEW.journal_id IS DISTINCT FROM OLD.journal_id)
    EXECUTE FUNCTION tell_chats();
"""


def upgrade() -> None:
    execute_script(TABLES)
    mine = "(SELECT nullif(current_setting('app.user_id', true), '')::uuid)"
    for table in OWN_ROWS:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY own_rows ON {table} TO penny_app USING (user_id = {mine})")
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO penny_app")
    for part in (LINKING, QUEUE, DECIDED):
        execute_script(part)


def downgrade() -> None:
    op.execute("DROP TRIGGER chats ON proposal")
    op.execute("DROP FUNCTION tell_chats, redeem_link, channel_user")
    op.execute("DROP TABLE channel_proposal, outbox, inbox, channel_chat, link_code, channel_link")
