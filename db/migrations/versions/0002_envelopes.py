"""Envelopes: what a category carries from month to month, money held back, goals; splits, transfers, refunds and notes
of transactions; what a user lets be applied without asking.

A split replaces one posting by several: the first keeps the row (its number, its import id), the others are rows of
their own that name it in `split_of`. So every sum over txn stays right without knowing of splits.
"""

from alembic import op

from db.migrations.script import execute_script

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

SCHEMA = """
ALTER TABLE category
    ADD COLUMN rollover text NOT NULL DEFAULT 'none' CHECK (rollover IN ('none', 'left', 'all')),
    ADD COLUMN rollover_since date CHECK (extract(day FROM rollover_since) = 1),
    ADD CONSTRAINT category_rollover CHECK ((rollover = 'none') = (rollover_since IS NULL));

ALTER TABLE txn
    ADD COLUMN note text NOT NULL DEFAULT '',
    ADD COLUMN tags text NOT NULL DEFAULT '',
    ADD COLUMN split_of uuid,
    ADD COLUMN transfer_id uuid,
    ADD COLUMN refund_of uuid,
    ADD CONSTRAINT txn_split_of FOREIGN KEY (user_id, split_of) REFERENCES txn (user_id, id) ON DELETE CASCADE,
    ADD CONSTRAINT txn_refund_of FOREIGN KEY (user_id, refund_of) REFERENCES txn (user_id, id)
        ON DELETE SET NULL (refund_of),
    ADD CONSTRAINT txn_one_bond CHECK (num_nonnulls(split_of, transfer_id) < 2 AND split_of IS DISTINCT FROM id);
CREATE INDEX txn_split_of ON txn (user_id, split_of) WHERE split_of IS NOT NULL;
CREATE INDEX txn_transfer ON txn (user_id, transfer_id) WHERE transfer_id IS NOT NULL;
CREATE INDEX txn_refund_of ON txn (user_id, refund_of) WHERE refund_of IS NOT NULL;

CREATE TABLE hold (
    user_id uuid NOT NULL REFERENCES app_user ON DELETE CASCADE,
    month date NOT NULL CHECK (extract(day FROM month) = 1),
    amount_minor bigint NOT NULL CHECK (amount_minor >= 0),
    currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    version int NOT NULL DEFAULT 1,
    PRIMARY KEY (user_id, month)
);

CREATE TABLE goal (
    user_id uuid NOT NULL REFERENCES app_user ON DELETE CASCADE,
    id uuid NOT NULL DEFAULT uuidv7(),
    name text NOT NULL,
    amount_minor bigint NOT NULL CHECK (amount_minor > 0),
    currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    due date,
    account_id uuid,
    category_id uuid,
    start_day date NOT NULL,
    start_minor bigint NOT NULL DEFAULT 0,
    version int NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (user_id, id),
    CHECK (num_nonnulls(account_id, category_id) < 2),
    FOREIGN KEY (user_id, account_id) REFERENCES account (user_id, id) ON DELETE SET NULL (account_id),
    FOREIGN KEY (user_id, category_id) REFERENCES category (user_id, id) ON DELETE SET NULL (category_id)
);
CREATE UNIQUE INDEX goal_name ON goal (user_id, lower(name));

ALTER TABLE preference
    ADD COLUMN envelopes_since date CHECK (extract(day FROM envelopes_since) = 1),
    ADD COLUMN auto_apply boolean NOT NULL DEFAULT false,
    ADD COLUMN auto_each_minor bigint CHECK (auto_each_minor > 0),
    ADD COLUMN auto_day_minor bigint CHECK (auto_day_minor > 0);
"""


def upgrade() -> None:
    execute_script(SCHEMA)
    mine = "(SELECT nullif(current_setting('app.user_id', true), '')::uuid)"
    for table in ("hold", "goal"):
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY own_rows ON {table} TO penny_app USING (user_id = {mine})")
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO penny_app")


def downgrade() -> None:
    raise RuntimeError("Envelopes, goals and splits have no older form to go back to; restore a backup instead.")
