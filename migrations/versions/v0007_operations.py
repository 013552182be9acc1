"""Operations: dead letters as rows, freshness, operators' actions and orders, nightly runs, offsets
over time."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

READER = "claim_analytics_reader"
# All but `file_path`, which is the service's alone.
OF_REPORTS = (
    "report_id, provider_id, report_type, format, period_start, period_end, file_size_bytes,"
    " download_link_expires_at, downloaded, scheduled, status, error_message, created_at"
)
TRACED = ("report_jobs", "outbox")  # from a request to its announcement


def _time(name: str, *, nullable: bool = False, now: bool = False) -> sa.Column[object]:
    default = sa.text("now()") if now else None
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable, server_default=default)


def _random_id(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.Uuid, nullable=False, server_default=sa.text("gen_random_uuid()"))


def upgrade() -> None:
    """Readers get no rights on the new tables."""
    _let_readers_read_all_figures()
    _create_dead_letters()
    _create_operator_actions()
    _create_orders()
    _create_stopped_partitions()
    _create_nightly_tables()
    _create_offset_samples()
    op.create_index(
        "ix_erasures_removed",
        "erasures",
        ["erased_at"],
        postgresql_where=sa.text("kind = 'removed'"),
    )
    for table in TRACED:
        op.add_column(table, sa.Column("traceparent", sa.String(55)))


def _let_readers_read_all_figures() -> None:
    """What is read over HTTP is read by that role: the coach's events too, of which figures of any
    days are made, and the horizon, which no figure may come from before."""
    op.execute("ALTER TABLE ai_suggestions ENABLE ROW LEVEL SECURITY")
    op.execute(f"""
        CREATE POLICY ai_suggestions_of_one_provider ON ai_suggestions FOR SELECT TO {READER}
        USING (provider_id = NULLIF(current_setting('app.provider_id', true), '')::uuid)
    """)
    op.execute(f"GRANT SELECT ON ai_suggestions, cache_horizon TO {READER}")
    op.execute(f"REVOKE SELECT ON generated_reports FROM {READER}")  # noqa: S608  # a constant
    op.execute(f"GRANT SELECT ({OF_REPORTS}) ON generated_reports TO {READER}")


def _create_dead_letters() -> None:
    op.create_table(
        "dead_letters",
        sa.Column("source_topic", sa.Text, nullable=False),
        sa.Column("source_partition", sa.Integer, nullable=False),
        sa.Column("source_offset", sa.BigInteger, nullable=False),
        _time("source_timestamp"),
        sa.Column("reason", sa.String(20), nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("consumer_group", sa.Text, nullable=False),
        sa.Column("provider_id", sa.Uuid),
        sa.Column("claim_id", sa.Uuid),
        sa.Column("report_id", sa.Uuid),
        sa.Column("state", sa.String(8), nullable=False, server_default=sa.text("'open'")),
        _time("first_seen_at", now=True),
        _time("state_since", now=True),
        sa.Column("redrives", sa.Integer, nullable=False, server_default=sa.text("0")),
        sa.Column("copy_partition", sa.Integer),
        sa.Column("copy_offset", sa.BigInteger),
        sa.PrimaryKeyConstraint(
            "source_topic",
            "source_partition",
            "source_offset",
            "source_timestamp",
            name="pk_dead_letters",
        ),
        sa.CheckConstraint(
            "(copy_partition IS NULL) = (copy_offset IS NULL)",
            name=op.f("ck_dead_letters_copy_whole"),
        ),
    )
    op.create_index(
        "ix_dead_letters_state_first_seen_at", "dead_letters", ["state", "first_seen_at"]
    )
    for name in ("claim_id", "provider_id"):
        op.create_index(
            f"ix_dead_letters_{name}",
            "dead_letters",
            [name],
            postgresql_where=sa.text(f"{name} IS NOT NULL"),
        )


def _create_operator_actions() -> None:
    op.create_table(
        "operator_actions",
        _random_id("action_id"),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("command", sa.Text, nullable=False),
        sa.Column("arguments", JSONB, nullable=False),
        sa.Column("why", sa.Text),
        _time("started_at", now=True),
        _time("ended_at", nullable=True),
        sa.Column("outcome", sa.String(11)),
        sa.Column("counts", JSONB),
        sa.PrimaryKeyConstraint("action_id", name="pk_operator_actions"),
        sa.CheckConstraint(
            "(ended_at IS NULL) = (outcome IS NULL)", name=op.f("ck_operator_actions_closed_whole")
        ),
    )
    op.create_index("ix_operator_actions_started_at", "operator_actions", ["started_at"])
    op.create_index(
        "ix_operator_actions_open",
        "operator_actions",
        ["started_at"],
        postgresql_where=sa.text("ended_at IS NULL"),
    )


def _create_orders() -> None:
    op.create_table(
        "orders",
        _random_id("order_id"),
        sa.Column("kind", sa.String(5), nullable=False),
        sa.Column("topic", sa.Text),
        sa.Column("consumer_group", sa.Text),
        sa.Column("partition", sa.Integer),
        sa.Column("from_offset", sa.BigInteger),
        sa.Column("next_offset", sa.BigInteger),
        sa.Column("action_id", sa.Uuid, nullable=False),
        _time("ordered_at", now=True),
        sa.Column("taken_by", sa.Text),
        _time("closed_at", nullable=True),
        sa.Column("outcome", sa.String(9)),
        sa.Column("answer", sa.Text),
        sa.PrimaryKeyConstraint("order_id", name="pk_orders"),
        sa.ForeignKeyConstraint(
            ["action_id"], ["operator_actions.action_id"], name="fk_orders_action_id"
        ),
        sa.CheckConstraint(
            "CASE kind WHEN 'skip'"
            " THEN num_nulls(topic, consumer_group, partition, from_offset, next_offset) = 0"
            " ELSE num_nonnulls(consumer_group, partition, from_offset, next_offset) = 0 END",
            name=op.f("ck_orders_skip_whole"),
        ),
        sa.CheckConstraint(
            "(closed_at IS NULL) = (outcome IS NULL)", name=op.f("ck_orders_closed_whole")
        ),
    )
    op.create_index(
        "ix_orders_open", "orders", ["ordered_at"], postgresql_where=sa.text("closed_at IS NULL")
    )


def _create_stopped_partitions() -> None:
    op.create_table(
        "stopped_partitions",
        sa.Column("consumer_group", sa.Text, nullable=False),
        sa.Column("topic", sa.Text, nullable=False),
        sa.Column("partition", sa.Integer, nullable=False),
        sa.Column("next_offset", sa.BigInteger, nullable=False),
        sa.Column("cause", sa.String(11), nullable=False),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("instance", sa.Text, nullable=False),
        _time("stopped_at", now=True),
        _time("confirmed_at", now=True),
        sa.PrimaryKeyConstraint(
            "consumer_group", "topic", "partition", name="pk_stopped_partitions"
        ),
    )


def _create_nightly_tables() -> None:
    op.create_table(
        "provider_freshness",
        sa.Column("provider_id", sa.Uuid, nullable=False),
        _time("confirmed_at"),
        sa.PrimaryKeyConstraint("provider_id", name="pk_provider_freshness"),
        postgresql_with={"fillfactor": "70"},
    )
    op.create_table(
        "job_runs",
        sa.Column("job", sa.Text, nullable=False),
        sa.Column("night", sa.Date, nullable=False),
        sa.Column("lease_token", sa.Uuid),
        _time("leased_until", nullable=True),
        _time("started_at", now=True),
        _time("ended_at", nullable=True),
        sa.Column("counts", JSONB),
        sa.PrimaryKeyConstraint("job", "night", name="pk_job_runs"),
        sa.CheckConstraint(
            "(lease_token IS NULL) = (leased_until IS NULL)", name=op.f("ck_job_runs_lease_whole")
        ),
    )
    op.create_table(
        "repaired_rows",
        sa.Column("repair_id", sa.BigInteger, sa.Identity(always=True), nullable=False),
        _time("repaired_at", now=True),
        sa.Column("found_by", sa.Text, nullable=False),
        sa.Column("provider_id", sa.Uuid, nullable=False),
        sa.Column("metric_key", sa.String(50), nullable=False),
        sa.Column("period_start", sa.Date, nullable=False),
        sa.Column("dimensions", JSONB),
        sa.Column("value_before", JSONB),
        sa.Column("value_after", JSONB),
        sa.PrimaryKeyConstraint("repair_id", name="pk_repaired_rows"),
    )
    op.create_index("ix_repaired_rows_repaired_at", "repaired_rows", ["repaired_at"])
    op.create_index("ix_repaired_rows_provider_id", "repaired_rows", ["provider_id"])


def _create_offset_samples() -> None:
    op.create_table(
        "offset_samples",
        _time("slot"),
        sa.Column("topic", sa.Text, nullable=False),
        _time("taken_at", now=True),
        sa.Column("next_offsets", sa.ARRAY(sa.BigInteger), nullable=False),
        sa.Column("end_offsets", sa.ARRAY(sa.BigInteger), nullable=False),
        sa.Column("behind_seconds", sa.Float),
        sa.PrimaryKeyConstraint("slot", "topic", name="pk_offset_samples"),
    )


def downgrade() -> None:
    """The version before knows no tombstones of removed claims, and would stumble over them."""
    op.execute("DELETE FROM erasures WHERE kind = 'removed'")
    op.drop_index("ix_erasures_removed", table_name="erasures")
    for table in TRACED:
        op.drop_column(table, "traceparent")
    for table in (
        "offset_samples",
        "repaired_rows",
        "job_runs",
        "provider_freshness",
        "stopped_partitions",
        "orders",
        "operator_actions",
        "dead_letters",
    ):
        op.drop_table(table)
    op.execute(f"REVOKE SELECT ({OF_REPORTS}) ON generated_reports FROM {READER}")  # noqa: S608  # constants
    op.execute(f"GRANT SELECT ON generated_reports TO {READER}")
    op.execute(
        f"REVOKE SELECT ON ai_suggestions, cache_horizon FROM {READER}"  # noqa: S608  # a constant
    )
    op.execute("DROP POLICY ai_suggestions_of_one_provider ON ai_suggestions")
    op.execute("ALTER TABLE ai_suggestions DISABLE ROW LEVEL SECURITY")
