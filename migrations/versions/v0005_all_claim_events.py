"""Every state of a claim, facts of its history, the AI coach's events, and who may write."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

CODE_REVISION = 5  # older code knows no facts: see `repositories/postgres/schema_demand.py`
SENT = "('SUBMITTED', 'ASSESSED', 'PAID', 'REJECTED', 'ADJUSTED')"
FACTS = ("first_sent_version", "first_rejected_version", "last_sent_version")
FILL_FACTS = f"""
    UPDATE claims
    SET first_sent_version = history.first_sent, first_rejected_version = history.first_rejected,
        last_sent_version = history.last_sent
    FROM (
        SELECT claim_id,
               min(claim_version) FILTER (WHERE state IN {SENT}) AS first_sent,
               min(claim_version) FILTER (WHERE state = 'REJECTED') AS first_rejected,
               max(claim_version) FILTER (
                   WHERE state IN ('SUBMITTED', 'ASSESSED', 'PAID', 'ADJUSTED')
               ) AS last_sent
        FROM claim_events
        GROUP BY claim_id
    ) AS history
    WHERE history.claim_id = claims.claim_id
"""  # noqa: S608  # constants of this file


def upgrade() -> None:
    """It rewrites `claims` once, for the facts; their history keeps its pages."""
    for table in ("claim_events", "claims"):
        op.alter_column(table, "submitted_fee", nullable=True)
        # The default fills the rows that are there, without rewriting the table, and no others.
        op.add_column(
            table,
            sa.Column(
                "explanatory_codes", ARRAY(sa.String(10)), nullable=False, server_default="{}"
            ),
        )
        op.alter_column(table, "explanatory_codes", server_default=None)
        op.add_column(table, sa.Column("created_at", sa.DateTime(timezone=True)))
        op.add_column(table, sa.Column("created_day", sa.Date))
    for fact in FACTS:
        op.add_column("claims", sa.Column(fact, sa.BigInteger))
    op.execute(FILL_FACTS)
    op.create_check_constraint(
        op.f("ck_claims_sent_as_it_is"),
        "claims",
        f"first_sent_version IS NOT NULL OR state NOT IN {SENT}",
    )
    op.add_column(
        "providers",
        sa.Column("metrics_revision", sa.Integer, nullable=False, server_default="1"),
    )
    # Who comes after this has no figures yet, so lacks none.
    op.alter_column("providers", "metrics_revision", server_default="2")
    op.create_index("ix_providers_metrics_revision", "providers", ["metrics_revision"])
    _create_suggestions()
    _create_lists_due()
    op.create_table(
        "schema_demand",
        sa.Column("only_row", sa.Boolean, nullable=False, server_default=sa.text("true")),
        sa.Column("code_revision", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("only_row", name="pk_schema_demand"),
        sa.CheckConstraint("only_row", name=op.f("ck_schema_demand_one_row")),
    )
    demand = sa.table("schema_demand", sa.column("code_revision"))
    op.execute(demand.insert().values(code_revision=CODE_REVISION))


def downgrade() -> None:
    """Refuses where a claim is in a state, or has a fee, that the schema before cannot hold."""
    op.drop_table("schema_demand")
    op.create_table(
        "top_codes_due",
        sa.Column("provider_id", sa.Uuid, nullable=False),
        sa.Column("period_start", sa.Date, nullable=False),
        sa.PrimaryKeyConstraint("provider_id", "period_start", name="pk_top_codes_due"),
    )
    op.execute(
        "INSERT INTO top_codes_due SELECT provider_id, period_start FROM lists_due"
        " WHERE metric_key = 'top_hsc_codes'"
    )
    op.drop_table("lists_due")
    op.drop_table("ai_suggestions")
    op.drop_index("ix_providers_metrics_revision", "providers")
    op.drop_column("providers", "metrics_revision")
    op.drop_constraint("ck_claims_sent_as_it_is", "claims")
    for fact in FACTS:
        op.drop_column("claims", fact)
    for table in ("claim_events", "claims"):
        for column in ("created_day", "created_at", "explanatory_codes"):
            op.drop_column(table, column)
        op.alter_column(table, "submitted_fee", nullable=False)


def _create_suggestions() -> None:
    op.create_table(
        "ai_suggestions",
        sa.Column("event_id", sa.Uuid, nullable=False),
        sa.Column("suggestion_id", sa.Uuid, nullable=False),
        sa.Column("claim_id", sa.Uuid, nullable=False),
        sa.Column("provider_id", sa.Uuid, nullable=False),
        sa.Column("rule_id", sa.Uuid),
        sa.Column("rule_name", sa.String(200)),
        sa.Column("category", sa.String(50), nullable=False),
        sa.Column("tier", sa.SmallInteger, nullable=False),
        sa.Column("event_type", sa.String(18), nullable=False),
        sa.Column("revenue_impact", sa.Numeric(10, 2)),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_day", sa.Date, nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("source_topic", sa.Text, nullable=False),
        sa.Column("source_partition", sa.Integer, nullable=False),
        sa.Column("source_offset", sa.BigInteger, nullable=False),
        sa.Column(
            "applied_at",
            sa.DateTime(timezone=True),
            nullable=False,
            server_default=sa.text("now()"),
        ),
        sa.PrimaryKeyConstraint("event_id", name="pk_ai_suggestions"),
    )
    op.create_index(
        "ix_ai_suggestions_provider_id_created_day",
        "ai_suggestions",
        ["provider_id", "created_day"],
    )


def _create_lists_due() -> None:
    op.create_table(
        "lists_due",
        sa.Column("provider_id", sa.Uuid, nullable=False),
        sa.Column("metric_key", sa.String(50), nullable=False),
        sa.Column("period_start", sa.Date, nullable=False),
        sa.PrimaryKeyConstraint("provider_id", "metric_key", "period_start", name="pk_lists_due"),
    )
    op.execute(
        "INSERT INTO lists_due SELECT provider_id, 'top_hsc_codes', period_start FROM top_codes_due"
    )
    op.drop_table("top_codes_due")
