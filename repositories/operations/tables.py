"""The tables of operations: what could not be used, what is confirmed, what operators did and
ordered, what runs once a night, and how far reading was."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from repositories.tables import metadata, timestamp, words
from repositories.vocabulary import (
    ActionOutcome,
    LetterState,
    OrderKind,
    OrderOutcome,
    StopCause,
)

# What became of each message that could not be used: by its place, and its timestamp, as a topic
# that was created anew uses offsets again. No payload, and nothing of a patient.
dead_letters = sa.Table(
    "dead_letters",
    metadata,
    sa.Column("source_topic", sa.Text, nullable=False),
    sa.Column("source_partition", sa.Integer, nullable=False),
    sa.Column("source_offset", sa.BigInteger, nullable=False),
    timestamp("source_timestamp"),
    sa.Column("reason", sa.String(20), nullable=False),
    sa.Column("detail", sa.Text, nullable=False),
    sa.Column("consumer_group", sa.Text, nullable=False),
    # Where the message names one that is a UUID.
    sa.Column("provider_id", sa.Uuid),
    sa.Column("claim_id", sa.Uuid),
    sa.Column("report_id", sa.Uuid),
    sa.Column("state", words(LetterState, 8), nullable=False, server_default=sa.text("'open'")),
    timestamp("first_seen_at", default_now=True),
    timestamp("state_since", default_now=True),
    sa.Column("redrives", sa.Integer, nullable=False, server_default=sa.text("0")),
    # Where its copy lies on the dead letter topic, once that is acknowledged.
    sa.Column("copy_partition", sa.Integer),
    sa.Column("copy_offset", sa.BigInteger),
    sa.PrimaryKeyConstraint(
        "source_topic", "source_partition", "source_offset", "source_timestamp"
    ),
    sa.CheckConstraint("(copy_partition IS NULL) = (copy_offset IS NULL)", name="copy_whole"),
    sa.Index("ix_dead_letters_state_first_seen_at", "state", "first_seen_at"),
    sa.Index(
        "ix_dead_letters_claim_id", "claim_id", postgresql_where=sa.text("claim_id IS NOT NULL")
    ),
    sa.Index(
        "ix_dead_letters_provider_id",
        "provider_id",
        postgresql_where=sa.text("provider_id IS NOT NULL"),
    ),
)

# Since when all of a provider's figures are known to be what its claims add up to.
provider_freshness = sa.Table(
    "provider_freshness",
    metadata,
    sa.Column("provider_id", sa.Uuid, primary_key=True),
    timestamp("confirmed_at"),
    postgresql_with={"fillfactor": 70},  # updated in place
)

# What operators did, and who looked at patients' data. Rows are added and closed, no more.
operator_actions = sa.Table(
    "operator_actions",
    metadata,
    sa.Column("action_id", sa.Uuid, primary_key=True, server_default=sa.text("gen_random_uuid()")),
    sa.Column("who", sa.Text, nullable=False),
    sa.Column("command", sa.Text, nullable=False),
    sa.Column("arguments", JSONB(none_as_null=True), nullable=False),
    sa.Column("why", sa.Text),
    timestamp("started_at", default_now=True),
    timestamp("ended_at", nullable=True),
    sa.Column("outcome", words(ActionOutcome, 11)),
    sa.Column("counts", JSONB(none_as_null=True)),
    sa.CheckConstraint("(ended_at IS NULL) = (outcome IS NULL)", name="closed_whole"),
    sa.Index("ix_operator_actions_started_at", "started_at"),
    sa.Index(
        "ix_operator_actions_open", "started_at", postgresql_where=sa.text("ended_at IS NULL")
    ),
)

# What runs once a night over all instances: who has it, under a lease, and how it ended.
job_runs = sa.Table(
    "job_runs",
    metadata,
    sa.Column("job", sa.Text, nullable=False),
    sa.Column("night", sa.Date, nullable=False),
    sa.Column("lease_token", sa.Uuid),
    timestamp("leased_until", nullable=True),
    timestamp("started_at", default_now=True),
    timestamp("ended_at", nullable=True),
    sa.Column("counts", JSONB(none_as_null=True)),
    sa.PrimaryKeyConstraint("job", "night"),
    sa.CheckConstraint("(lease_token IS NULL) = (leased_until IS NULL)", name="lease_whole"),
)

# Rows of `analytics_cache` that a recomputation found to be wrong, as they were and as they are
# since; NULL: no such row. Kept for 30 days.
repaired_rows = sa.Table(
    "repaired_rows",
    metadata,
    sa.Column("repair_id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    timestamp("repaired_at", default_now=True),
    sa.Column("found_by", sa.Text, nullable=False),  # the command or job
    sa.Column("provider_id", sa.Uuid, nullable=False),
    sa.Column("metric_key", sa.String(50), nullable=False),
    sa.Column("period_start", sa.Date, nullable=False),
    sa.Column("dimensions", JSONB(none_as_null=True)),
    sa.Column("value_before", JSONB(none_as_null=True)),
    sa.Column("value_after", JSONB(none_as_null=True)),
    sa.Index("ix_repaired_rows_repaired_at", "repaired_at"),
    sa.Index("ix_repaired_rows_provider_id", "provider_id"),
)

# What an operator orders the members of the consumer groups to do, on whichever instance they are.
# `skip` names a partition, where it stands and where to go on; a `pause` holds until a `resume`
# closes it.
orders = sa.Table(
    "orders",
    metadata,
    sa.Column("order_id", sa.Uuid, primary_key=True, server_default=sa.text("gen_random_uuid()")),
    sa.Column("kind", words(OrderKind, 5), nullable=False),
    sa.Column("topic", sa.Text),  # NULL: all topics
    sa.Column("consumer_group", sa.Text),
    sa.Column("partition", sa.Integer),
    sa.Column("from_offset", sa.BigInteger),
    sa.Column("next_offset", sa.BigInteger),
    sa.Column("action_id", sa.Uuid, sa.ForeignKey("operator_actions.action_id"), nullable=False),
    timestamp("ordered_at", default_now=True),
    sa.Column("taken_by", sa.Text),  # the instance, or the operator, that began a skip
    timestamp("closed_at", nullable=True),
    sa.Column("outcome", words(OrderOutcome, 9)),
    sa.Column("answer", sa.Text),  # for the operator: how it ended
    sa.CheckConstraint(
        "CASE kind WHEN 'skip'"
        " THEN num_nulls(topic, consumer_group, partition, from_offset, next_offset) = 0"
        " ELSE num_nonnulls(consumer_group, partition, from_offset, next_offset) = 0 END",
        name="skip_whole",
    ),
    sa.CheckConstraint("(closed_at IS NULL) = (outcome IS NULL)", name="closed_whole"),
    sa.Index("ix_orders_open", "ordered_at", postgresql_where=sa.text("closed_at IS NULL")),
)

# Partitions that are read no further until a person decides. The instance that holds one confirms
# its row again and again, and whoever reads on removes it.
stopped_partitions = sa.Table(
    "stopped_partitions",
    metadata,
    sa.Column("consumer_group", sa.Text, nullable=False),
    sa.Column("topic", sa.Text, nullable=False),
    sa.Column("partition", sa.Integer, nullable=False),
    sa.Column("next_offset", sa.BigInteger, nullable=False),  # where it stands
    sa.Column("cause", words(StopCause, 11), nullable=False),
    sa.Column("why", sa.Text, nullable=False),
    sa.Column("instance", sa.Text, nullable=False),
    timestamp("stopped_at", default_now=True),
    timestamp("confirmed_at", default_now=True),
    sa.PrimaryKeyConstraint("consumer_group", "topic", "partition"),
)

# How far reading of each topic was, every twenty seconds, for half a day: the console's charts.
# The arrays have a value for each partition, in order.
offset_samples = sa.Table(
    "offset_samples",
    metadata,
    timestamp("slot"),  # one sample for each, whichever instance takes it
    sa.Column("topic", sa.Text, nullable=False),
    timestamp("taken_at", default_now=True),
    sa.Column("next_offsets", sa.ARRAY(sa.BigInteger), nullable=False),
    sa.Column("end_offsets", sa.ARRAY(sa.BigInteger), nullable=False),
    sa.Column("behind_seconds", sa.Float),  # of the partition that is furthest behind, if known
    sa.PrimaryKeyConstraint("slot", "topic"),
)
