"""Reports: providers' profiles, the work on reports, and announcements on their way out."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

PROFILE = ("provider_version", "first_name", "last_name", "billing_number", "locations")


def upgrade() -> None:
    """Readers get no rights on the new tables: these hold passwords, keys and leases."""
    _add_profiles()
    _create_report_jobs()
    _create_outbox()


def downgrade() -> None:
    op.drop_table("outbox")
    op.drop_table("report_jobs")
    for column in PROFILE:
        op.drop_column("providers", column)


def _time(name: str, *, nullable: bool = False, now: bool = False) -> sa.Column[object]:
    default = sa.text("now()") if now else None
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable, server_default=default)


def _add_profiles() -> None:
    op.add_column("providers", sa.Column("provider_version", sa.BigInteger))
    op.add_column("providers", sa.Column("first_name", sa.Text))
    op.add_column("providers", sa.Column("last_name", sa.Text))
    op.add_column("providers", sa.Column("billing_number", sa.String(10)))
    op.add_column("providers", sa.Column("locations", JSONB))


def _create_report_jobs() -> None:
    op.create_table(
        "report_jobs",
        sa.Column("report_id", sa.Uuid, nullable=False),
        _time("requested_at"),
        sa.Column("archive_password", sa.Text),
        sa.Column("source_topic", sa.Text, nullable=False),
        sa.Column("source_partition", sa.Integer, nullable=False),
        sa.Column("source_offset", sa.BigInteger, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False, server_default=sa.text("0")),
        sa.Column("tries", sa.Integer, nullable=False, server_default=sa.text("0")),
        _time("due_at", nullable=True),
        sa.Column("lease_token", sa.Uuid),
        _time("leased_until", nullable=True),
        sa.Column("last_error", sa.String(50)),
        sa.Column("wrapped_key", sa.LargeBinary),
        sa.Column("key_id", sa.Text),
        sa.PrimaryKeyConstraint("report_id", name="pk_report_jobs"),
        sa.ForeignKeyConstraint(
            ["report_id"], ["generated_reports.report_id"], name="fk_report_jobs_report_id"
        ),
        sa.CheckConstraint(
            "(lease_token IS NULL) = (leased_until IS NULL)",
            name=op.f("ck_report_jobs_lease_whole"),
        ),
        sa.CheckConstraint(
            "(wrapped_key IS NULL) = (key_id IS NULL)", name=op.f("ck_report_jobs_key_whole")
        ),
    )
    op.create_index(
        "ix_report_jobs_due_at",
        "report_jobs",
        ["due_at"],
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )


def _create_outbox() -> None:
    op.create_table(
        "outbox",
        sa.Column(
            "outbox_id", sa.Uuid, nullable=False, server_default=sa.text("gen_random_uuid()")
        ),
        sa.Column("seq", sa.BigInteger, sa.Identity(always=True), nullable=False),
        sa.Column("topic", sa.Text, nullable=False),
        sa.Column("message_key", sa.Text, nullable=False),
        sa.Column("event_type", sa.Text, nullable=False),
        _time("occurred_at"),
        sa.Column("data", JSONB, nullable=False),
        _time("created_at", now=True),
        _time("published_at", nullable=True),
        sa.PrimaryKeyConstraint("outbox_id", name="pk_outbox"),
    )
    op.create_index(
        "ix_outbox_unpublished",
        "outbox",
        ["seq"],
        postgresql_where=sa.text("published_at IS NULL"),
    )
