"""Erasures: tombstones, and marks on the rows that lost a patient's number."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

MARKED = ("claims", "claim_events")


def upgrade() -> None:
    """Readers get no rights on the new tables. A column without a default rewrites no table."""
    for table in MARKED:
        op.add_column(table, sa.Column("phn_erased_at", sa.DateTime(timezone=True)))
    op.create_table(
        "erasures",
        sa.Column("id_hash", sa.LargeBinary, nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column(
            "erased_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.text("now()")
        ),
        sa.PrimaryKeyConstraint("id_hash", name="pk_erasures"),
    )
    op.create_table(
        "erasure_keys",
        sa.Column("hash_key", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("hash_key", name="pk_erasure_keys"),
    )


def downgrade() -> None:
    op.drop_table("erasure_keys")
    op.drop_table("erasures")
    for table in MARKED:
        op.drop_column(table, "phn_erased_at")
