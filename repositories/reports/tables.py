"""The tables of reports, of their announcements, and of whose the report store is."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from repositories.tables import metadata, timestamp, words
from repositories.vocabulary import ReportFormat, ReportStatus, ReportType

generated_reports = sa.Table(
    "generated_reports",
    metadata,
    sa.Column("report_id", sa.Uuid, primary_key=True, server_default=sa.text("gen_random_uuid()")),
    sa.Column("provider_id", sa.Uuid, sa.ForeignKey("providers.provider_id"), nullable=False),
    sa.Column("report_type", words(ReportType, 50), nullable=False),
    sa.Column("format", words(ReportFormat, 10), nullable=False),
    sa.Column("period_start", sa.Date),
    sa.Column("period_end", sa.Date),
    sa.Column("file_path", sa.String(255), nullable=False),
    sa.Column("file_size_bytes", sa.BigInteger, nullable=False),
    timestamp("download_link_expires_at"),
    sa.Column("downloaded", sa.Boolean, nullable=False, server_default=sa.text("false")),
    sa.Column("scheduled", sa.Boolean, nullable=False, server_default=sa.text("false")),
    sa.Column(
        "status", words(ReportStatus, 20), nullable=False, server_default=sa.text("'pending'")
    ),
    sa.Column("error_message", sa.Text),
    timestamp("created_at", default_now=True),
    sa.Index("ix_generated_reports_provider_id_report_type", "provider_id", "report_type"),
    sa.Index(
        "ix_generated_reports_provider_id_created_at", "provider_id", sa.text("created_at DESC")
    ),
    sa.Index("ix_generated_reports_download_link_expires_at", "download_link_expires_at"),
    sa.Index("ix_generated_reports_status", "status"),
)

# The work side of a report: the request beyond what the platform reads, and who is at work on it.
report_jobs = sa.Table(
    "report_jobs",
    metadata,
    sa.Column("report_id", sa.Uuid, sa.ForeignKey("generated_reports.report_id"), primary_key=True),
    timestamp("requested_at"),
    sa.Column("archive_password", sa.Text),  # a JWE: never in the clear
    sa.Column("source_topic", sa.Text, nullable=False),
    sa.Column("source_partition", sa.Integer, nullable=False),
    sa.Column("source_offset", sa.BigInteger, nullable=False),
    # All attempts ever (the number of the newest file), and those since it was last asked for.
    sa.Column("attempts", sa.Integer, nullable=False, server_default=sa.text("0")),
    sa.Column("tries", sa.Integer, nullable=False, server_default=sa.text("0")),
    # When a worker may take it: at once, after a pause, or when a lease ends; NULL: nothing to do.
    timestamp("due_at", nullable=True),
    sa.Column("lease_token", sa.Uuid),
    timestamp("leased_until", nullable=True),
    sa.Column("last_error", sa.String(50)),
    # The file's own key, wrapped by the master key `key_id`; there while the report is ready.
    sa.Column("wrapped_key", sa.LargeBinary),
    sa.Column("key_id", sa.Text),
    sa.Column("traceparent", sa.String(55)),  # of the request, as W3C has it
    sa.CheckConstraint("(lease_token IS NULL) = (leased_until IS NULL)", name="lease_whole"),
    sa.CheckConstraint("(wrapped_key IS NULL) = (key_id IS NULL)", name="key_whole"),
    sa.Index("ix_report_jobs_due_at", "due_at", postgresql_where=sa.text("due_at IS NOT NULL")),
)

# Announcements on their way to Kafka, written in the transaction that makes them true.
outbox = sa.Table(
    "outbox",
    metadata,
    sa.Column("outbox_id", sa.Uuid, primary_key=True, server_default=sa.text("gen_random_uuid()")),
    sa.Column("seq", sa.BigInteger, sa.Identity(always=True), nullable=False),
    sa.Column("topic", sa.Text, nullable=False),  # the default name; the settings may say another
    sa.Column("message_key", sa.Text, nullable=False),
    sa.Column("event_type", sa.Text, nullable=False),
    timestamp("occurred_at"),
    sa.Column("data", JSONB, nullable=False),
    timestamp("created_at", default_now=True),
    timestamp("published_at", nullable=True),
    # Set aside because Kafka will never take it, and why; a person decides what becomes of it.
    timestamp("refused_at", nullable=True),
    sa.Column("refusal", sa.Text),
    sa.Column("traceparent", sa.String(55)),  # of what made it true
    sa.Index("ix_outbox_unpublished", "seq", postgresql_where=sa.text("published_at IS NULL")),
)

# One row once the report store has been used, whose marker names it: a store has one installation.
installation = sa.Table(
    "installation",
    metadata,
    sa.Column("only_row", sa.Boolean, primary_key=True, server_default=sa.text("true")),
    sa.Column(
        "installation_id", sa.Uuid, nullable=False, server_default=sa.text("gen_random_uuid()")
    ),
    sa.CheckConstraint("only_row", name="one_row"),
)
