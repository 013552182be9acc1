"""Every table of the service, as SQLAlchemy Core sees it.

`migrations/` creates them; a test holds the two together. Why they look so stands in
`docs/architecture.md`. `claim_events` and `claims` have no foreign key to `providers`: a batch
inserts and locks its providers in its own transaction, so the key could only repeat that check,
at some 9 µs a row (measured on the key of `analytics_cache`).
"""

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)


def _timestamp(name: str, *, nullable: bool = False, default_now: bool = False) -> Column[object]:
    default = text("now()") if default_now else None
    return Column(name, DateTime(timezone=True), nullable=nullable, server_default=default)


def _claim_columns() -> list[Column[object]]:
    """The whole claim as an event carries it; the same in the history and in what is now."""
    return [
        Column("claim_id", Uuid, nullable=False),
        Column("claim_version", BigInteger, nullable=False),
        Column("provider_id", Uuid, nullable=False),
        Column("state", String(12), nullable=False),
        Column("claim_type", String(5), nullable=False),
        Column("date_of_service", Date, nullable=False),
        Column("patient_phn", String(9)),
        Column("ba_number", String(10)),
        Column("location_id", Uuid),
        Column("hsc_code", String(10)),
        Column("modifiers", ARRAY(String(6)), nullable=False),
        Column("form_id", String(5)),
        Column("timing_tier", String(8)),
        Column("submitted_fee", Numeric(10, 2), nullable=False),
        _timestamp("submitted_at", nullable=True),
        Column("submission_deadline", Date),
        Column("assessed_fee", Numeric(10, 2)),
        Column("payment_date", Date),
        Column("rrnp_premium", Numeric(10, 2)),
    ]


CLAIM_COLUMNS = tuple(column.name for column in _claim_columns())
SOURCE_COLUMNS = ("occurred_at", "source_topic", "source_partition", "source_offset")


def _source_columns() -> list[Column[object]]:
    return [
        _timestamp("occurred_at"),
        Column("source_topic", Text, nullable=False),
        Column("source_partition", Integer, nullable=False),
        Column("source_offset", BigInteger, nullable=False),
    ]


providers = Table(
    "providers",
    metadata,
    Column("provider_id", Uuid, primary_key=True),
    _timestamp("first_seen_at", default_now=True),
    # The profile; NULL as long as no `provider-updated` event has come.
    Column("provider_version", BigInteger),
    Column("first_name", Text),
    Column("last_name", Text),
    Column("billing_number", String(10)),
    Column("locations", JSONB(none_as_null=True)),
)

claim_events = Table(
    "claim_events",
    metadata,
    *_claim_columns(),
    *_source_columns(),
    _timestamp("applied_at", default_now=True),
    PrimaryKeyConstraint("claim_id", "claim_version"),
    CheckConstraint("claim_version > 0", name="version_positive"),
)

claims = Table(
    "claims",
    metadata,
    *_claim_columns(),
    PrimaryKeyConstraint("claim_id"),
    CheckConstraint("claim_version > 0", name="version_positive"),
    Index("ix_claims_provider_id_date_of_service", "provider_id", "date_of_service"),
    postgresql_with={"fillfactor": "80"},
)

# One batch on its way in. Temporary, so it writes no WAL and needs no cleaning.
staged_claim_events = Table(
    "staged_claim_events",
    MetaData(),
    Column("seq", Integer, nullable=False),
    *_claim_columns(),
    *_source_columns(),
    prefixes=["TEMPORARY"],
    postgresql_on_commit="DELETE ROWS",
)

analytics_cache = Table(
    "analytics_cache",
    metadata,
    Column("cache_id", Uuid, primary_key=True, server_default=text("gen_random_uuid()")),
    Column("provider_id", Uuid, ForeignKey("providers.provider_id"), nullable=False),
    Column("metric_key", String(50), nullable=False),
    Column("period_start", Date, nullable=False),
    Column("period_end", Date, nullable=False),
    Column("dimensions", JSONB(none_as_null=True)),
    Column("value", JSONB, nullable=False),
    _timestamp("computed_at"),
    # Two NULLs differ in SQL: without NULLS NOT DISTINCT a top-level row would never conflict.
    UniqueConstraint(
        "provider_id",
        "metric_key",
        "period_start",
        "period_end",
        "dimensions",
        name="uq_analytics_cache_key",
        postgresql_nulls_not_distinct=True,
    ),
    Index("ix_analytics_cache_provider_id_metric_key", "provider_id", "metric_key"),
    # BRIN: a B-tree here would make every upsert touch every index (docs/performance.md).
    Index("ix_analytics_cache_computed_at", "computed_at", postgresql_using="brin"),
    postgresql_with={"fillfactor": "70"},
)

# Months whose `top_hsc_codes` row is behind its claims; marked in the claims' own transaction.
top_codes_due = Table(
    "top_codes_due",
    metadata,
    Column("provider_id", Uuid, nullable=False),
    Column("period_start", Date, nullable=False),
    PrimaryKeyConstraint("provider_id", "period_start"),
)

# One row once the first refresh has set a horizon, none before it.
cache_horizon = Table(
    "cache_horizon",
    metadata,
    Column("only_row", Boolean, primary_key=True, server_default=text("true")),
    Column("first_month", Date, nullable=False),
    CheckConstraint("only_row", name="one_row"),
)

generated_reports = Table(
    "generated_reports",
    metadata,
    Column("report_id", Uuid, primary_key=True, server_default=text("gen_random_uuid()")),
    Column("provider_id", Uuid, ForeignKey("providers.provider_id"), nullable=False),
    Column("report_type", String(50), nullable=False),
    Column("format", String(10), nullable=False),
    Column("period_start", Date),
    Column("period_end", Date),
    Column("file_path", String(255), nullable=False),
    Column("file_size_bytes", BigInteger, nullable=False),
    _timestamp("download_link_expires_at"),
    Column("downloaded", Boolean, nullable=False, server_default=text("false")),
    Column("scheduled", Boolean, nullable=False, server_default=text("false")),
    Column("status", String(20), nullable=False, server_default=text("'pending'")),
    Column("error_message", Text),
    _timestamp("created_at", default_now=True),
    Index("ix_generated_reports_provider_id_report_type", "provider_id", "report_type"),
    Index("ix_generated_reports_provider_id_created_at", "provider_id", text("created_at DESC")),
    Index("ix_generated_reports_download_link_expires_at", "download_link_expires_at"),
    Index("ix_generated_reports_status", "status"),
)

# The work side of a report: the request beyond what the platform reads, and who is at work on it.
report_jobs = Table(
    "report_jobs",
    metadata,
    Column("report_id", Uuid, ForeignKey("generated_reports.report_id"), primary_key=True),
    _timestamp("requested_at"),
    Column("archive_password", Text),  # a JWE: never in the clear
    Column("source_topic", Text, nullable=False),
    Column("source_partition", Integer, nullable=False),
    Column("source_offset", BigInteger, nullable=False),
    # All attempts ever (the number of the newest file), and those since it was last asked for.
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("tries", Integer, nullable=False, server_default=text("0")),
    # When a worker may take it: at once, after a pause, or when a lease ends; NULL: nothing to do.
    _timestamp("due_at", nullable=True),
    Column("lease_token", Uuid),
    _timestamp("leased_until", nullable=True),
    Column("last_error", String(50)),
    # The file's own key, wrapped by the master key `key_id`; there while the report is ready.
    Column("wrapped_key", LargeBinary),
    Column("key_id", Text),
    CheckConstraint("(lease_token IS NULL) = (leased_until IS NULL)", name="lease_whole"),
    CheckConstraint("(wrapped_key IS NULL) = (key_id IS NULL)", name="key_whole"),
    Index("ix_report_jobs_due_at", "due_at", postgresql_where=text("due_at IS NOT NULL")),
)

# Announcements on their way to Kafka, written in the transaction that makes them true.
outbox = Table(
    "outbox",
    metadata,
    Column("outbox_id", Uuid, primary_key=True, server_default=text("gen_random_uuid()")),
    Column("seq", BigInteger, Identity(always=True), nullable=False),
    Column("topic", Text, nullable=False),  # the default name; the settings may say another
    Column("message_key", Text, nullable=False),
    Column("event_type", Text, nullable=False),
    _timestamp("occurred_at"),
    Column("data", JSONB, nullable=False),
    _timestamp("created_at", default_now=True),
    _timestamp("published_at", nullable=True),
    Index("ix_outbox_unpublished", "seq", postgresql_where=text("published_at IS NULL")),
)

consumer_offsets = Table(
    "consumer_offsets",
    metadata,
    Column("consumer_group", Text, nullable=False),
    Column("topic", Text, nullable=False),
    Column("partition", Integer, nullable=False),
    Column("next_offset", BigInteger, nullable=False),
    _timestamp("updated_at", default_now=True),
    PrimaryKeyConstraint("consumer_group", "topic", "partition"),
)
