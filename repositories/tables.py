"""The tables, as SQLAlchemy Core sees them; those of reports are in `repositories.reports.tables`.

`migrations/` creates them; a test holds the two together. Why they look so stands in
`docs/architecture.md`. `claim_events` and `claims` have no foreign key to `providers`: a batch
inserts and locks its providers in its own transaction, so the key could only repeat that check,
at some 9 µs a row (measured on the key of `analytics_cache`).
"""

from collections.abc import Callable, Iterable
from enum import StrEnum
from hashlib import sha256

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.schema import CreateTable

from repositories.statements import spelled_out
from repositories.vocabulary import SENT_STATES, ErasedKind, SuggestionEvent

metadata = sa.MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)


def timestamp(name: str, *, nullable: bool = False, default_now: bool = False) -> sa.Column[object]:
    default = sa.text("now()") if default_now else None
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable, server_default=default)


def words(enumeration: type[StrEnum], length: int) -> sa.Enum:
    """A closed list of words as VARCHAR: rows give its members, the database holds its values."""
    return sa.Enum(
        enumeration,
        native_enum=False,
        length=length,
        values_callable=lambda words: [word.value for word in words],
    )


def _quoted(words: Iterable[StrEnum]) -> str:
    return ", ".join(f"'{word}'" for word in words)


def _claim_columns() -> list[sa.Column[object]]:
    """The whole claim as an event carries it; the same in the history and in what is now."""
    return [
        sa.Column("claim_id", sa.Uuid, nullable=False),
        sa.Column("claim_version", sa.BigInteger, nullable=False),
        sa.Column("provider_id", sa.Uuid, nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("claim_type", sa.String(5), nullable=False),
        sa.Column("date_of_service", sa.Date, nullable=False),
        sa.Column("patient_phn", sa.String(9)),
        sa.Column("ba_number", sa.String(10)),
        sa.Column("location_id", sa.Uuid),
        sa.Column("hsc_code", sa.String(10)),
        sa.Column("modifiers", sa.ARRAY(sa.String(6)), nullable=False),
        sa.Column("form_id", sa.String(5)),
        sa.Column("timing_tier", sa.String(8)),
        sa.Column("submitted_fee", sa.Numeric(10, 2)),  # NULL in an unfinished draft
        timestamp("submitted_at", nullable=True),
        sa.Column("submission_deadline", sa.Date),
        sa.Column("assessed_fee", sa.Numeric(10, 2)),
        sa.Column("payment_date", sa.Date),
        sa.Column("rrnp_premium", sa.Numeric(10, 2)),
    ]


def _later_claim_columns() -> list[sa.Column[object]]:
    """The rest of them, which a table of the first versions has behind its other columns."""
    return [
        # No default, so that a version of the service that knows no codes cannot write a row.
        sa.Column("explanatory_codes", sa.ARRAY(sa.String(10)), nullable=False),
        timestamp("created_at", nullable=True),
        sa.Column("created_day", sa.Date),  # of `created_at` in Alberta, by the decoder
    ]


CLAIM_COLUMNS = tuple(column.name for column in (*_claim_columns(), *_later_claim_columns()))
SOURCE_COLUMNS = ("occurred_at", "source_topic", "source_partition", "source_offset")
# Facts of a claim's whole history (`repositories.claims.facts`), in `claims` alone.
FACT_COLUMNS = ("first_sent_version", "first_rejected_version", "last_sent_version")


def source_columns() -> list[sa.Column[object]]:
    return [
        timestamp("occurred_at"),
        sa.Column("source_topic", sa.Text, nullable=False),
        sa.Column("source_partition", sa.Integer, nullable=False),
        sa.Column("source_offset", sa.BigInteger, nullable=False),
    ]


def suggestion_columns() -> list[sa.Column[object]]:
    return [
        sa.Column("event_id", sa.Uuid, nullable=False),
        sa.Column("suggestion_id", sa.Uuid, nullable=False),
        sa.Column("claim_id", sa.Uuid, nullable=False),
        sa.Column("provider_id", sa.Uuid, nullable=False),
        sa.Column("rule_id", sa.Uuid),
        sa.Column("rule_name", sa.String(200)),
        sa.Column("category", sa.String(50), nullable=False),
        sa.Column("tier", sa.SmallInteger, nullable=False),
        sa.Column("event_type", words(SuggestionEvent, 18), nullable=False),
        sa.Column("revenue_impact", sa.Numeric(10, 2)),
        timestamp("created_at"),
        sa.Column("created_day", sa.Date, nullable=False),  # in Alberta, by the decoder
    ]


SUGGESTION_COLUMNS = tuple(column.name for column in suggestion_columns())


def _phn_erased_at() -> sa.Column[object]:
    """When an erasure emptied the row's `patient_phn`; nothing fills it again."""
    return timestamp("phn_erased_at", nullable=True)


providers = sa.Table(
    "providers",
    metadata,
    sa.Column("provider_id", sa.Uuid, primary_key=True),
    timestamp("first_seen_at", default_now=True),
    # The profile; NULL as long as no `provider-updated` event has come.
    sa.Column("provider_version", sa.BigInteger),
    sa.Column("first_name", sa.Text),
    sa.Column("last_name", sa.Text),
    sa.Column("billing_number", sa.String(10)),
    sa.Column("locations", JSONB(none_as_null=True)),
    # Which metrics its rows of `analytics_cache` hold (`repositories.metrics.definitions`).
    # The default is the latest: whoever is new has no figures yet, so lacks none.
    sa.Column("metrics_revision", sa.Integer, nullable=False, server_default="2"),
    sa.Index("ix_providers_metrics_revision", "metrics_revision"),
)

claim_events = sa.Table(
    "claim_events",
    metadata,
    *_claim_columns(),
    *source_columns(),
    timestamp("applied_at", default_now=True),
    _phn_erased_at(),
    *_later_claim_columns(),
    sa.PrimaryKeyConstraint("claim_id", "claim_version"),
    sa.CheckConstraint("claim_version > 0", name="version_positive"),
)

claims = sa.Table(
    "claims",
    metadata,
    *_claim_columns(),
    _phn_erased_at(),
    *_later_claim_columns(),
    *(sa.Column(name, sa.BigInteger) for name in FACT_COLUMNS),
    sa.PrimaryKeyConstraint("claim_id"),
    sa.CheckConstraint("claim_version > 0", name="version_positive"),
    # A version of the service that knows no facts would write claims without them.
    sa.CheckConstraint(
        f"first_sent_version IS NOT NULL OR state NOT IN ({_quoted(SENT_STATES)})",
        name="sent_as_it_is",
    ),
    sa.Index("ix_claims_provider_id_date_of_service", "provider_id", "date_of_service"),
    postgresql_with={"fillfactor": "80"},
)


def _staged_claim_events(name: str = "staged_claim_events") -> sa.Table:
    return sa.Table(
        name,
        sa.MetaData(),
        sa.Column("seq", sa.Integer, nullable=False),
        *_claim_columns(),
        *_later_claim_columns(),
        *source_columns(),
        _phn_erased_at(),
        prefixes=["TEMPORARY"],
        postgresql_on_commit="DELETE ROWS",
    )


def named_for_its_definition(make: Callable[..., sa.Table]) -> sa.Table:
    unnamed = make()
    definition = spelled_out(CreateTable(unnamed))
    return make(f"{unnamed.name}_{sha256(definition.encode()).hexdigest()[:8]}")


# One batch on its way in. Temporary, so it writes no WAL and needs no cleaning. It lives as long as
# its connection, and a pooler's connections outlive an upgrade of the service. So a digest of its
# definition is in its name, and no version meets another's. Dropping it with each transaction
# would take a millisecond and 20 to 40 kB of WAL a batch.
staged_claim_events = named_for_its_definition(_staged_claim_events)

analytics_cache = sa.Table(
    "analytics_cache",
    metadata,
    sa.Column("cache_id", sa.Uuid, primary_key=True, server_default=sa.text("gen_random_uuid()")),
    sa.Column("provider_id", sa.Uuid, sa.ForeignKey("providers.provider_id"), nullable=False),
    sa.Column("metric_key", sa.String(50), nullable=False),
    sa.Column("period_start", sa.Date, nullable=False),
    sa.Column("period_end", sa.Date, nullable=False),
    sa.Column("dimensions", JSONB(none_as_null=True)),
    sa.Column("value", JSONB, nullable=False),
    timestamp("computed_at"),
    # Two NULLs differ in SQL: without NULLS NOT DISTINCT a top-level row would never conflict.
    sa.UniqueConstraint(
        "provider_id",
        "metric_key",
        "period_start",
        "period_end",
        "dimensions",
        name="uq_analytics_cache_key",
        postgresql_nulls_not_distinct=True,
    ),
    sa.Index("ix_analytics_cache_provider_id_metric_key", "provider_id", "metric_key"),
    # BRIN: a B-tree here would make every upsert touch every index (docs/performance.md).
    sa.Index("ix_analytics_cache_computed_at", "computed_at", postgresql_using="brin"),
    postgresql_with={"fillfactor": "70"},
)

# Months whose row of a top list is behind; marked in the transaction that moved what it ranks.
lists_due = sa.Table(
    "lists_due",
    metadata,
    sa.Column("provider_id", sa.Uuid, nullable=False),
    sa.Column("metric_key", sa.String(50), nullable=False),
    sa.Column("period_start", sa.Date, nullable=False),
    sa.PrimaryKeyConstraint("provider_id", "metric_key", "period_start"),
)

# The AI coach's events, each once.
ai_suggestions = sa.Table(
    "ai_suggestions",
    metadata,
    *suggestion_columns(),
    *source_columns(),
    timestamp("applied_at", default_now=True),
    sa.PrimaryKeyConstraint("event_id"),
    sa.Index("ix_ai_suggestions_provider_id_created_day", "provider_id", "created_day"),
)

# The lowest revision of the code that may write; `migrate` raises it where an older one would
# write what is wrong now.
schema_demand = sa.Table(
    "schema_demand",
    metadata,
    sa.Column("only_row", sa.Boolean, primary_key=True, server_default=sa.text("true")),
    sa.Column("code_revision", sa.Integer, nullable=False),
    sa.CheckConstraint("only_row", name="one_row"),
)

# One row once the first refresh has set a horizon, none before it.
cache_horizon = sa.Table(
    "cache_horizon",
    metadata,
    sa.Column("only_row", sa.Boolean, primary_key=True, server_default=sa.text("true")),
    sa.Column("first_month", sa.Date, nullable=False),
    sa.CheckConstraint("only_row", name="one_row"),
)

# Tombstones: the row's id is hashed under one of the keys. `repositories/tombstones.py` says why.
erasures = sa.Table(
    "erasures",
    metadata,
    sa.Column("id_hash", sa.LargeBinary, primary_key=True),
    sa.Column("kind", words(ErasedKind, 8), nullable=False),
    sa.Column("why", sa.Text, nullable=False),
    timestamp("erased_at", default_now=True),
    # Each batch asks whether there is any.
    sa.Index("ix_erasures_removed", "erased_at", postgresql_where=sa.text("kind = 'removed'")),
)

# One, once something was erased; more where a list from another database was imported.
erasure_keys = sa.Table(
    "erasure_keys",
    metadata,
    sa.Column("hash_key", sa.LargeBinary, primary_key=True),
)

consumer_offsets = sa.Table(
    "consumer_offsets",
    metadata,
    sa.Column("consumer_group", sa.Text, nullable=False),
    sa.Column("topic", sa.Text, nullable=False),
    sa.Column("partition", sa.Integer, nullable=False),
    sa.Column("next_offset", sa.BigInteger, nullable=False),
    timestamp("updated_at", default_now=True),
    sa.PrimaryKeyConstraint("consumer_group", "topic", "partition"),
)
