"""Exchange rates, and the rollups that make reading a long ledger cheap.

A rollup is written by statement-level triggers on `txn`, in the transaction of the postings, so that no path of the code
can forget it. The triggers run as who writes: under row-level security they reach that user's rows only. When a foreign
key's cascade writes `txn`, that is the owner, who therefore has a policy on the rollups.
"""

from alembic import op

from db.migrations.script import execute_script

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TABLES = """
-- One unit of `base` is worth `rate` units of `quote` on `day`.
CREATE TABLE rate (
    user_id uuid NOT NULL REFERENCES app_user ON DELETE CASCADE,
    base text NOT NULL CHECK (base ~ '^[A-Z]{3}$'),
    quote text NOT NULL CHECK (quote ~ '^[A-Z]{3}$' AND quote <> base),
    day date NOT NULL,
    rate numeric(24, 12) NOT NULL CHECK (rate > 0),
    source text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (user_id, base, quote, day)
);

-- A column, because row-level security keeps an index on lower(merchant) from being used: lower is not leakproof.
ALTER TABLE txn ADD COLUMN merchant_key text NOT NULL GENERATED ALWAYS AS (lower(merchant)) STORED;
DROP INDEX txn_merchant;
CREATE INDEX txn_merchant ON txn (user_id, merchant_key, day);

-- What the transactions of a month, account and category (none: null) add up to: money that left (`out_minor`, never
-- positive), that came (`in_minor`), and how many did which; `n` counts those of amount 0 too. `currency` is the account's.
CREATE TABLE month_rollup (
    user_id uuid NOT NULL REFERENCES app_user ON DELETE CASCADE,
    month date NOT NULL,
    account_id uuid NOT NULL,
    category_id uuid,
    currency text NOT NULL,
    out_minor bigint NOT NULL,
    in_minor bigint NOT NULL,
    n_out bigint NOT NULL,
    n_in bigint NOT NULL,
    n bigint NOT NULL,
    UNIQUE NULLS NOT DISTINCT (user_id, month, account_id, category_id)
);

-- Every merchant by its name in small letters: the spelling that was last written, and how many transactions it has.
CREATE TABLE merchant (
    user_id uuid NOT NULL REFERENCES app_user ON DELETE CASCADE,
    key text NOT NULL,
    name text NOT NULL,
    n bigint NOT NULL,
    PRIMARY KEY (user_id, key)
);
"""

# {rows}: the postings written (sign 1) and those that went (sign -1). A user who is being deleted gets no rows any more.
ADD_UP = """
CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO penny.month_rollup AS r
        (user_id, month, account_id, category_id, currency, out_minor, in_minor, n_out, n_in, n)
    SELECT t.user_id, date_trunc('month', t.day::timestamp)::date, t.account_id, t.category_id, t.currency,
           sum(t.sign * least(t.amount_minor, 0))::bigint, sum(t.sign * greatest(t.amount_minor, 0))::bigint,
           coalesce(sum(t.sign) FILTER (WHERE t.amount_minor < 0), 0),
           coalesce(sum(t.sign) FILTER (WHERE t.amount_minor > 0), 0), sum(t.sign)
      FROM ({rows}) t
     WHERE EXISTS (SELECT FROM penny.app_user u WHERE u.id = t.user_id)
     GROUP BY 1, 2, 3, 4, 5
    HAVING sum(t.sign) <> 0 OR sum(t.sign * least(t.amount_minor, 0)) <> 0
        OR sum(t.sign * greatest(t.amount_minor, 0)) <> 0 OR sum(t.sign * sign(t.amount_minor)) <> 0
        OR sum(t.sign * abs(sign(t.amount_minor))) <> 0
     ORDER BY 1, 2, 3, 4
        ON CONFLICT (user_id, month, account_id, category_id) DO UPDATE
       SET out_minor = r.out_minor + excluded.out_minor, in_minor = r.in_minor + excluded.in_minor,
           n_out = r.n_out + excluded.n_out, n_in = r.n_in + excluded.n_in, n = r.n + excluded.n;
    INSERT INTO penny.merchant AS m (user_id, key, name, n)
    SELECT t.user_id, t.merchant_key, (array_agg(t.merchant ORDER BY t.sign DESC, t.day DESC, t.no DESC))[1],
           sum(t.sign)
      FROM ({rows}) t
     WHERE t.merchant <> '' AND EXISTS (SELECT FROM penny.app_user u WHERE u.id = t.user_id)
     GROUP BY 1, 2
    HAVING sum(t.sign) <> 0 OR min(t.merchant) <> max(t.merchant)
     ORDER BY 1, 2
        ON CONFLICT (user_id, key) DO UPDATE
       SET n = m.n + excluded.n, name = CASE WHEN excluded.n < 0 THEN m.name ELSE excluded.name END;
    {sweep}
    RETURN NULL;
END $$;
CREATE TRIGGER {name} AFTER {event} ON txn REFERENCING {tables} FOR EACH STATEMENT EXECUTE FUNCTION {name}();
"""

SWEEP = """
    DELETE FROM penny.month_rollup r
     USING (SELECT DISTINCT user_id, date_trunc('month', day::timestamp)::date AS month, account_id, category_id
              FROM gone) t
     WHERE r.user_id = t.user_id AND r.month = t.month AND r.account_id = t.account_id
       AND r.category_id IS NOT DISTINCT FROM t.category_id AND r.n = 0;
    DELETE FROM penny.merchant m USING (SELECT DISTINCT user_id, merchant_key AS key FROM gone) t
     WHERE m.user_id = t.user_id AND m.key = t.key AND m.n = 0;
"""

COLUMNS = "user_id, day, no, account_id, category_id, currency, amount_minor, merchant, merchant_key"
CAME = f"SELECT 1 AS sign, {COLUMNS} FROM came"
WENT = f"SELECT -1 AS sign, {COLUMNS} FROM gone"

FILL = """
INSERT INTO month_rollup (user_id, month, account_id, category_id, currency, out_minor, in_minor, n_out, n_in, n)
SELECT user_id, date_trunc('month', day::timestamp)::date, account_id, category_id, currency,
       sum(least(amount_minor, 0))::bigint, sum(greatest(amount_minor, 0))::bigint,
       count(*) FILTER (WHERE amount_minor < 0), count(*) FILTER (WHERE amount_minor > 0), count(*)
  FROM txn GROUP BY 1, 2, 3, 4, 5;
INSERT INTO merchant (user_id, key, name, n)
SELECT user_id, merchant_key, (array_agg(merchant ORDER BY day DESC, no DESC))[1], count(*)
  FROM txn WHERE merchant <> '' GROUP BY 1, 2;
"""


def upgrade() -> None:
    execute_script(TABLES)
    # the owner of the tables sees no rows of `txn` otherwise
    execute_script(f"ALTER TABLE txn NO FORCE ROW LEVEL SECURITY; {FILL} ALTER TABLE txn FORCE ROW LEVEL SECURITY;")
    mine = "(SELECT nullif(current_setting('app.user_id', true), '')::uuid)"
    for table in ("rate", "month_rollup", "merchant"):
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY own_rows ON {table} TO penny_app USING (user_id = {mine})")
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO penny_app")
    for table in ("month_rollup", "merchant"):
        op.execute(f"CREATE POLICY cascades ON {table} TO penny_owner USING (true)")
    for name, event, rows, tables, sweep in (
        ("add_up_inserted", "INSERT", CAME, "NEW TABLE AS came", ""),
        ("add_up_deleted", "DELETE", WENT, "OLD TABLE AS gone", SWEEP),
        ("add_up_updated", "UPDATE", f"{CAME} UNION ALL {WENT}", "NEW TABLE AS came OLD TABLE AS gone", SWEEP),
    ):
        execute_script(ADD_UP.format(name=name, event=event, rows=rows, tables=tables, sweep=sweep))


def downgrade() -> None:
    execute_script(
        """
        DROP FUNCTION add_up_inserted, add_up_deleted, add_up_updated CASCADE;
        DROP TABLE rate, month_rollup, merchant;
        DROP INDEX txn_merchant;
        ALTER TABLE txn DROP COLUMN merchant_key;
        CREATE INDEX txn_merchant ON txn (user_id, lower(merchant), day);
        """
    )
