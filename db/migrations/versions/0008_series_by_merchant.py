"""Every merchant's postings in order, in one index that needs no look at the table: what recurring charges and all other
insights are read from. Without it, sorting and grouping by merchant is most of the time they take.
"""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

INDEX = """
CREATE INDEX txn_merchant ON txn (user_id, merchant_key, currency, day, no)
    INCLUDE (amount_minor, category_id, split_of, transfer_id, pending)
"""


def upgrade() -> None:
    op.execute("DROP INDEX txn_merchant")
    op.execute(INDEX)


def downgrade() -> None:
    op.execute("DROP INDEX txn_merchant")
    op.execute("CREATE INDEX txn_merchant ON txn (user_id, merchant_key, day)")
