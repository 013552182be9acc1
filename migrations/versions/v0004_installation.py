"""Whose report store it is, and announcements that Kafka will never take."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "installation",
        sa.Column("only_row", sa.Boolean, nullable=False, server_default=sa.text("true")),
        sa.Column(
            "installation_id", sa.Uuid, nullable=False, server_default=sa.text("gen_random_uuid()")
        ),
        sa.PrimaryKeyConstraint("only_row", name="pk_installation"),
        sa.CheckConstraint("only_row", name=op.f("ck_installation_one_row")),
    )
    op.add_column("outbox", sa.Column("refused_at", sa.DateTime(timezone=True)))
    op.add_column("outbox", sa.Column("refusal", sa.Text))


def downgrade() -> None:
    op.drop_column("outbox", "refusal")
    op.drop_column("outbox", "refused_at")
    op.drop_table("installation")
