"""Claims, their history and figures; reports as the platform reads them; offsets."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

READER = "claim_analytics_reader"
PROVIDERS_OWN = ("analytics_cache", "generated_reports", "claims", "claim_events")


def upgrade() -> None:
    _create_providers()
    _create_claim_tables()
    _create_analytics_cache()
    _create_generated_reports()
    _create_consumer_offsets()
    _restrict_readers()


def downgrade() -> None:
    # The role stays: it belongs to the server, and another database may use it.
    for table in PROVIDERS_OWN:
        op.execute(f"REVOKE ALL ON {table} FROM {READER}")
    for table in (
        "consumer_offsets", "generated_reports", "cache_horizon", "top_codes_due",
        "analytics_cache", "claims", "claim_events", "providers",
    ):  # fmt: skip
        op.drop_table(table)


def _time(name: str, *, nullable: bool = False, now: bool = False) -> sa.Column[object]:
    default = sa.text("now()") if now else None
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable, server_default=default)


def _claim_columns() -> list[sa.Column[object]]:
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
        sa.Column("modifiers", ARRAY(sa.String(6)), nullable=False),
        sa.Column("form_id", sa.String(5)),
        sa.Column("timing_tier", sa.String(8)),
        sa.Column("submitted_fee", sa.Numeric(10, 2), nullable=False),
        _time("submitted_at", nullable=True),
        sa.Column("submission_deadline", sa.Date),
        sa.Column("assessed_fee", sa.Numeric(10, 2)),
        sa.Column("payment_date", sa.Date),
        sa.Column("rrnp_premium", sa.Numeric(10, 2)),
    ]


def _create_providers() -> None:
    op.create_table(
        "providers",
        sa.Column("provider_id", sa.Uuid, nullable=False),
        _time("first_seen_at", now=True),
        sa.PrimaryKeyConstraint("provider_id", name="pk_providers"),
    )


def _create_claim_tables() -> None:
    op.create_table(
        "claim_events",
        *_claim_columns(),
        _time("occurred_at"),
        sa.Column("source_topic", sa.Text, nullable=False),
        sa.Column("source_partition", sa.Integer, nullable=False),
        sa.Column("source_offset", sa.BigInteger, nullable=False),
        _time("applied_at", now=True),
        sa.PrimaryKeyConstraint("claim_id", "claim_version", name="pk_claim_events"),
        sa.CheckConstraint("claim_version > 0", name=op.f("ck_claim_events_version_positive")),
    )
    op.create_table(
        "claims",
        *_claim_columns(),
        sa.PrimaryKeyConstraint("claim_id", name="pk_claims"),
        sa.CheckConstraint("claim_version > 0", name=op.f("ck_claims_version_positive")),
        postgresql_with={"fillfactor": "80"},
    )
    op.create_index(
        "ix_claims_provider_id_date_of_service", "claims", ["provider_id", "date_of_service"]
    )


def _create_analytics_cache() -> None:
    op.create_table(
        "analytics_cache",
        sa.Column(
            "cache_id", sa.Uuid, nullable=False, server_default=sa.text("gen_random_uuid()")
        ),
        sa.Column("provider_id", sa.Uuid, nullable=False),
        sa.Column("metric_key", sa.String(50), nullable=False),
        sa.Column("period_start", sa.Date, nullable=False),
        sa.Column("period_end", sa.Date, nullable=False),
        sa.Column("dimensions", JSONB),
        sa.Column("value", JSONB, nullable=False),
        _time("computed_at"),
        sa.PrimaryKeyConstraint("cache_id", name="pk_analytics_cache"),
        sa.ForeignKeyConstraint(
            ["provider_id"], ["providers.provider_id"], name="fk_analytics_cache_provider_id"
        ),
        sa.UniqueConstraint(
            "provider_id", "metric_key", "period_start", "period_end", "dimensions",
            name="uq_analytics_cache_key",
            postgresql_nulls_not_distinct=True,
        ),
        postgresql_with={"fillfactor": "70"},
    )  # fmt: skip
    op.create_index(
        "ix_analytics_cache_provider_id_metric_key",
        "analytics_cache",
        ["provider_id", "metric_key"],
    )
    op.create_index(
        "ix_analytics_cache_computed_at",
        "analytics_cache",
        ["computed_at"],
        postgresql_using="brin",
    )
    op.create_table(
        "top_codes_due",
        sa.Column("provider_id", sa.Uuid, nullable=False),
        sa.Column("period_start", sa.Date, nullable=False),
        sa.PrimaryKeyConstraint("provider_id", "period_start", name="pk_top_codes_due"),
    )
    op.create_table(
        "cache_horizon",
        sa.Column("only_row", sa.Boolean, nullable=False, server_default=sa.text("true")),
        sa.Column("first_month", sa.Date, nullable=False),
        sa.PrimaryKeyConstraint("only_row", name="pk_cache_horizon"),
        sa.CheckConstraint("only_row", name=op.f("ck_cache_horizon_one_row")),
    )


def _create_generated_reports() -> None:
    op.create_table(
        "generated_reports",
        sa.Column(
            "report_id", sa.Uuid, nullable=False, server_default=sa.text("gen_random_uuid()")
        ),
        sa.Column("provider_id", sa.Uuid, nullable=False),
        sa.Column("report_type", sa.String(50), nullable=False),
        sa.Column("format", sa.String(10), nullable=False),
        sa.Column("period_start", sa.Date),
        sa.Column("period_end", sa.Date),
        sa.Column("file_path", sa.String(255), nullable=False),
        sa.Column("file_size_bytes", sa.BigInteger, nullable=False),
        _time("download_link_expires_at"),
        sa.Column("downloaded", sa.Boolean, nullable=False, server_default=sa.text("false")),
        sa.Column("scheduled", sa.Boolean, nullable=False, server_default=sa.text("false")),
        sa.Column("status", sa.String(20), nullable=False, server_default=sa.text("'pending'")),
        sa.Column("error_message", sa.Text),
        _time("created_at", now=True),
        sa.PrimaryKeyConstraint("report_id", name="pk_generated_reports"),
        sa.ForeignKeyConstraint(
            ["provider_id"], ["providers.provider_id"], name="fk_generated_reports_provider_id"
        ),
    )
    indexes: dict[str, list[str | sa.TextClause]] = {
        "provider_id_report_type": ["provider_id", "report_type"],
        "provider_id_created_at": ["provider_id", sa.text("created_at DESC")],
        "download_link_expires_at": ["download_link_expires_at"],
        "status": ["status"],
    }
    for name, columns in indexes.items():
        op.create_index(f"ix_generated_reports_{name}", "generated_reports", columns)


def _create_consumer_offsets() -> None:
    op.create_table(
        "consumer_offsets",
        sa.Column("consumer_group", sa.Text, nullable=False),
        sa.Column("topic", sa.Text, nullable=False),
        sa.Column("partition", sa.Integer, nullable=False),
        sa.Column("next_offset", sa.BigInteger, nullable=False),
        _time("updated_at", now=True),
        sa.PrimaryKeyConstraint("consumer_group", "topic", "partition", name="pk_consumer_offsets"),
    )


def _restrict_readers() -> None:
    """The reader role sees one provider's rows, or none; the owner (the service) sees all."""
    # Looked for first: where it exists, an owner who may not create roles can go on. And caught:
    # another database of this server may create it at this moment.
    op.execute(f"""
        DO $$ BEGIN
            IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{READER}') THEN
                CREATE ROLE {READER} NOLOGIN;
            END IF;
        EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
        END $$
    """)
    for table in PROVIDERS_OWN:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"""
            CREATE POLICY {table}_of_one_provider ON {table} FOR SELECT TO {READER}
            USING (provider_id = NULLIF(current_setting('app.provider_id', true), '')::uuid)
        """)
        op.execute(f"GRANT SELECT ON {table} TO {READER}")
