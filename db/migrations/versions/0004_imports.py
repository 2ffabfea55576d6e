"""Imports: which transactions came with which file, so that a file adds nothing twice and an import can be undone."""

from alembic import op

from db.migrations.script import execute_script

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

SCHEMA = """
-- A file that was imported. `standing`: its transactions are in the ledger, that is, the import is not undone.
CREATE TABLE import_batch (
    user_id uuid NOT NULL,
    id uuid NOT NULL,
    account_id uuid NOT NULL,
    source text NOT NULL,
    format text NOT NULL,
    added int NOT NULL CHECK (added > 0),
    standing boolean NOT NULL DEFAULT true,
    version int NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (user_id, id),
    FOREIGN KEY (user_id, account_id) REFERENCES account ON DELETE CASCADE
);
CREATE INDEX import_batch_account ON import_batch (user_id, account_id);

-- A transaction as the bank said it: `bank_id` with `minor`, and `fingerprint` (a hash of day, amount and text),
-- recognise it when it comes again, also when the user has edited or deleted it since; `digest` is of the row as written, to see whether it
-- has changed; `kept` is the row while the import is undone. `txn_id` is no foreign key: the memory outlives the row.
CREATE TABLE import_row (
    user_id uuid NOT NULL,
    txn_id uuid NOT NULL,
    batch_id uuid NOT NULL,
    bank_id text,
    minor bigint NOT NULL,
    fingerprint uuid NOT NULL,
    digest uuid NOT NULL,
    kept jsonb,
    PRIMARY KEY (user_id, txn_id),
    FOREIGN KEY (user_id, batch_id) REFERENCES import_batch ON DELETE CASCADE
);
CREATE INDEX import_row_batch ON import_row (user_id, batch_id);
CREATE INDEX import_row_fingerprint ON import_row (user_id, fingerprint);
CREATE INDEX import_row_bank_id ON import_row (user_id, bank_id) WHERE bank_id IS NOT NULL;
"""


def upgrade() -> None:
    execute_script(SCHEMA)
    mine = "(SELECT nullif(current_setting('app.user_id', true), '')::uuid)"
    for table in ("import_batch", "import_row"):
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY own_rows ON {table} TO penny_app USING (user_id = {mine})")
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO penny_app")


def downgrade() -> None:
    op.execute("DROP TABLE import_row; DROP TABLE import_batch")
