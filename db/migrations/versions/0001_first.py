"""The first schema: roles, tables, row-level security.

Roles: penny_owner owns everything and never logs in; penny_app reads and writes the rows of the one user its transaction
names; penny_worker moves runs through the queue and appends their events, and sees no messages, proposals or money.
"""

from alembic import op

from db.migrations.script import execute_script

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

OWN_ROWS = """
account category budget txn rule proposal journal session message run run_event preference
""".split()

SCHEMA = """
CREATE TABLE app_user (
    id uuid PRIMARY KEY DEFAULT uuidv7(),
    last_txn_no bigint NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE identity (
    issuer text NOT NULL,
    tenant text NOT NULL DEFAULT '',
    subject text NOT NULL,
    user_id uuid NOT NULL REFERENCES app_user ON DELETE CASCADE,
    PRIMARY KEY (issuer, tenant, subject)
);
CREATE INDEX identity_user ON identity (user_id);

CREATE TABLE preference (
    user_id uuid PRIMARY KEY REFERENCES app_user ON DELETE CASCADE,
    locale text NOT NULL DEFAULT 'en-US',
    time_zone text NOT NULL DEFAULT 'UTC',
    currency text NOT NULL DEFAULT 'USD' CHECK (currency ~ '^[A-Z]{3}$')
);

CREATE TABLE account (
    user_id uuid NOT NULL REFERENCES app_user ON DELETE CASCADE,
    id uuid NOT NULL DEFAULT uuidv7(),
    name text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('checking', 'savings', 'credit', 'cash', 'investment', 'loan')),
    currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    opening_minor bigint NOT NULL DEFAULT 0,
    version int NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (user_id, id),
    UNIQUE (user_id, id, currency)
);
CREATE UNIQUE INDEX account_name ON account (user_id, lower(name));

CREATE TABLE category (
    user_id uuid NOT NULL REFERENCES app_user ON DELETE CASCADE,
    id uuid NOT NULL DEFAULT uuidv7(),
    name text NOT NULL,
    group_name text NOT NULL DEFAULT '',
    kind text NOT NULL DEFAULT 'spending' CHECK (kind IN ('spending', 'income', 'transfer')),
    version int NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (user_id, id)
);
CREATE UNIQUE INDEX category_name ON category (user_id, lower(name));

CREATE TABLE budget (
    user_id uuid NOT NULL,
    month date NOT NULL CHECK (extract(day FROM month) = 1),
    category_id uuid NOT NULL,
    amount_minor bigint NOT NULL CHECK (amount_minor >= 0),
    currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    version int NOT NULL DEFAULT 1,
    PRIMARY KEY (user_id, month, category_id),
    FOREIGN KEY (user_id, category_id) REFERENCES category ON DELETE CASCADE
);

CREATE TABLE txn (
    user_id uuid NOT NULL,
    id uuid NOT NULL DEFAULT uuidv7(),
    no bigint NOT NULL,
    account_id uuid NOT NULL,
    day date NOT NULL,
    amount_minor bigint NOT NULL,
    currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    merchant text NOT NULL DEFAULT '',
    memo text NOT NULL DEFAULT '',
    category_id uuid,
    pending boolean NOT NULL DEFAULT false,
    import_id text,
    version int NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (user_id, id),
    UNIQUE (user_id, no),
    -- with the currency: a posting is in its account's currency, so that a balance is a plain sum
    FOREIGN KEY (user_id, account_id, currency) REFERENCES account (user_id, id, currency) ON DELETE CASCADE,
    FOREIGN KEY (user_id, category_id) REFERENCES category ON DELETE SET NULL (category_id)
);
CREATE INDEX txn_day ON txn (user_id, day DESC, no DESC);
CREATE INDEX txn_category_day ON txn (user_id, category_id, day);
CREATE INDEX txn_merchant ON txn (user_id, lower(merchant), day);
CREATE UNIQUE INDEX txn_import ON txn (user_id, account_id, import_id) WHERE import_id IS NOT NULL;

CREATE TABLE rule (
    user_id uuid NOT NULL,
    id uuid NOT NULL DEFAULT uuidv7(),
    merchant text NOT NULL,
    category_id uuid NOT NULL,
    version int NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (user_id, id),
    FOREIGN KEY (user_id, category_id) REFERENCES category ON DELETE CASCADE
);
CREATE UNIQUE INDEX rule_merchant ON rule (user_id, lower(merchant));

CREATE TABLE session (
    user_id uuid NOT NULL REFERENCES app_user ON DELETE CASCADE,
    id uuid NOT NULL DEFAULT uuidv7(),
    title text NOT NULL DEFAULT '',
    last_turn int NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (user_id, id)
);
CREATE INDEX session_recent ON session (user_id, updated_at DESC, id DESC);

-- A turn is the user's message (pos 0) and all that answers it; turn numbers are allocated when the message arrives.
CREATE TABLE message (
    user_id uuid NOT NULL,
    session_id uuid NOT NULL,
    turn int NOT NULL,
    pos int NOT NULL,
    id uuid NOT NULL,
    run_id uuid,
    role text NOT NULL CHECK (role IN ('user', 'assistant', 'tool', 'decision')),
    text text NOT NULL DEFAULT '',
    body jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (user_id, session_id, turn, pos),
    UNIQUE (user_id, id),
    FOREIGN KEY (user_id, session_id) REFERENCES session ON DELETE CASCADE
);

CREATE TABLE run (
    user_id uuid NOT NULL,
    id uuid NOT NULL,
    session_id uuid NOT NULL,
    turn int NOT NULL,
    message_id uuid NOT NULL,
    client_id text,
    text_hash text NOT NULL,
    status text NOT NULL CHECK (status IN ('queued', 'running', 'finished', 'failed', 'cancelled')),
    attempt int NOT NULL DEFAULT 0,
    owner text,
    lease_until timestamptz,
    cancel_requested boolean NOT NULL DEFAULT false,
    model text NOT NULL DEFAULT '',
    prompt_version text NOT NULL DEFAULT '',
    input_tokens bigint NOT NULL DEFAULT 0,
    output_tokens bigint NOT NULL DEFAULT 0,
    cache_read_tokens bigint NOT NULL DEFAULT 0,
    cache_write_tokens bigint NOT NULL DEFAULT 0,
    error jsonb,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    finished_at timestamptz,
    PRIMARY KEY (id),
    UNIQUE (user_id, session_id, client_id),
    UNIQUE (user_id, session_id, turn),
    FOREIGN KEY (user_id, session_id) REFERENCES session ON DELETE CASCADE
);
CREATE UNIQUE INDEX run_one_running ON run (session_id) WHERE status = 'running';
CREATE INDEX run_due ON run (created_at) WHERE status IN ('queued', 'running');

-- One row per flush: `events` holds a line per event, "seq<TAB>type<TAB>data as JSON", dense in seq from seq to last_seq.
CREATE TABLE run_event (
    user_id uuid NOT NULL,
    run_id uuid NOT NULL REFERENCES run ON DELETE CASCADE,
    seq int NOT NULL,
    last_seq int NOT NULL,
    attempt int NOT NULL,
    terminal boolean NOT NULL DEFAULT false,
    events text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (run_id, seq)
);
CREATE UNIQUE INDEX run_event_one_end ON run_event (run_id) WHERE terminal;

CREATE TABLE proposal (
    user_id uuid NOT NULL REFERENCES app_user ON DELETE CASCADE,
    id uuid NOT NULL,
    kind text NOT NULL,
    status text NOT NULL DEFAULT 'pending'
        CHECK (status IN ('pending', 'applied', 'rejected', 'expired', 'superseded')),
    changes jsonb NOT NULL,
    diff jsonb NOT NULL,
    text text NOT NULL,
    hash text NOT NULL,
    op_key text NOT NULL,
    undoes uuid,
    session_id uuid,
    run_id uuid,
    call_id text,
    superseded_by uuid,
    journal_id uuid,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires_at timestamptz NOT NULL,
    decided_at timestamptz,
    PRIMARY KEY (user_id, id),
    UNIQUE (user_id, op_key),
    FOREIGN KEY (user_id, session_id) REFERENCES session ON DELETE CASCADE
);
CREATE INDEX proposal_recent ON proposal (user_id, created_at DESC, id DESC);

CREATE TABLE journal (
    user_id uuid NOT NULL REFERENCES app_user ON DELETE CASCADE,
    id uuid NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    kind text NOT NULL,
    text text NOT NULL,
    changes jsonb NOT NULL,
    proposal_id uuid,
    session_id uuid,
    run_id uuid,
    message_id uuid,
    prompt_version text NOT NULL DEFAULT '',
    approval text NOT NULL,
    undoes uuid,
    PRIMARY KEY (user_id, id)
);
CREATE INDEX journal_recent ON journal (user_id, at DESC, id DESC);
CREATE UNIQUE INDEX journal_undone_once ON journal (user_id, undoes) WHERE undoes IS NOT NULL;
"""

# Who a token's (issuer, tenant, subject) is, made on first sight. The one look-up that must come before a user is known.
RESOLVE_USER = """
CREATE FUNCTION resolve_user(p_issuer text, p_tenant text, p_subject text) RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = penny, pg_temp AS $$
DECLARE found uuid; made uuid;
BEGIN
    SELECT user_id INTO found FROM identity
     WHERE issuer = p_issuer AND tenant = p_tenant AND subject = p_subject;
    IF found IS NOT NULL THEN RETURN found; END IF;
    INSERT INTO app_user DEFAULT VALUES RETURNING id INTO made;
    INSERT INTO identity VALUES (p_issuer, p_tenant, p_subject, made)
        ON CONFLICT (issuer, tenant, subject) DO NOTHING RETURNING user_id INTO found;
    IF found IS NULL THEN
        DELETE FROM app_user WHERE id = made;
        SELECT user_id INTO STRICT found FROM identity
         WHERE issuer = p_issuer AND tenant = p_tenant AND subject = p_subject;
    ELSE
        INSERT INTO preference (user_id) VALUES (made);
    END IF;
    RETURN found;
END $$;
REVOKE ALL ON FUNCTION resolve_user FROM PUBLIC;
GRANT EXECUTE ON FUNCTION resolve_user TO penny_app;
"""


def upgrade() -> None:
    execute_script(SCHEMA)
    mine = "(SELECT nullif(current_setting('app.user_id', true), '')::uuid)"
    for table in OWN_ROWS:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY own_rows ON {table} TO penny_app USING (user_id = {mine})")
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO penny_app")
    for table in ("app_user", "identity"):
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY resolve ON {table} TO penny_owner USING (true)")
    op.execute("CREATE POLICY new_user ON preference FOR INSERT TO penny_owner WITH CHECK (true)")
    op.execute(f"CREATE POLICY own_row ON app_user TO penny_app USING (id = {mine})")
    op.execute("GRANT SELECT, DELETE, UPDATE (last_txn_no) ON app_user TO penny_app")
    op.execute(f"CREATE POLICY own_rows ON identity FOR SELECT TO penny_app USING (user_id = {mine})")
    op.execute("GRANT SELECT ON identity TO penny_app")
    execute_script(RESOLVE_USER)

    op.execute("CREATE POLICY queue ON run TO penny_worker USING (true)")
    op.execute(
        "GRANT SELECT (id, user_id, session_id, turn, message_id, status, attempt, owner, lease_until, "
        "cancel_requested, created_at), UPDATE (status, attempt, owner, lease_until) ON run TO penny_worker"
    )
    op.execute("CREATE POLICY log ON run_event FOR INSERT TO penny_worker WITH CHECK (true)")
    op.execute("GRANT INSERT ON run_event TO penny_worker")


def downgrade() -> None:
    raise RuntimeError("The first migration has nothing to go back to; drop the database instead.")
