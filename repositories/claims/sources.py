"""Which record a row of the history came from, and what that record says now.

A record is a row's own source if it has the row's topic, partition and offset, and was there when
the row was written: a topic that was created anew uses offsets again, and its records are younger
than the rows of the former one. No other record ever changes a row.

The same for claim events and for the events of the AI coach. Records are staged as batches are,
and `staged_times` has their timestamps beside them.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.sql.dml import ReturningDelete

from repositories.claims.merge import from_same_record
from repositories.tables import named_for_its_definition, providers

CLOCKS_APART: Final = 60  # seconds by which the clocks of broker and database may differ
PLACE: Final = ("source_topic", "source_partition", "source_offset")


@dataclass(frozen=True)
class History:
    """A table of events and where they are staged; `identity` says which event a row is."""

    rows: sa.Table
    staged: sa.Alias[Any]
    identity: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """What a record that is read rightly cannot have otherwise than its row."""
        return (*self.identity, "provider_id")

    @cached_property
    def misread(self) -> sa.Table:
        """Rows of the table whose records say now that they are other events; `seq` is that of the
        staged event. Temporary, as where batches are staged."""

        def make(name: str = f"misread_{self.rows.name}") -> sa.Table:
            return sa.Table(
                name,
                sa.MetaData(),
                sa.Column("seq", sa.Integer, nullable=False),
                *(sa.Column(each, self.rows.c[each].type, nullable=False) for each in self.names),
                sa.PrimaryKeyConstraint("seq", *self.names),
                prefixes=["TEMPORARY"],
                postgresql_on_commit="DELETE ROWS",
            )

        return named_for_its_definition(make)

    def same_identity(self) -> sa.ColumnElement[bool]:
        return sa.and_(*(self.rows.c[name] == self.staged.c[name] for name in self.identity))

    def own_source(self) -> sa.ColumnElement[bool]:
        """Of a row, a staged event of its identity and that one's time: the record is the row's."""
        return sa.and_(
            self.same_identity(),
            self.rows.c.provider_id == self.staged.c.provider_id,
            from_same_record(self.rows, self.staged),
            was_there(self.rows, self.staged),
        )


def _staged_times(name: str = "staged_times") -> sa.Table:
    return sa.Table(
        name,
        sa.MetaData(),
        sa.Column("seq", sa.Integer, primary_key=True),
        sa.Column("milliseconds", sa.BigInteger, nullable=False),  # since 1970
        prefixes=["TEMPORARY"],
        postgresql_on_commit="DELETE ROWS",
    )


staged_times = named_for_its_definition(_staged_times)


def was_there(row: sa.FromClause, event: sa.FromClause) -> sa.ColumnElement[bool]:
    """Whether the event's record is not younger than the row."""
    applied: sa.ColumnElement[Any] = sa.func.extract("epoch", row.c.applied_at)
    latest = (applied + sa.literal_column(str(CLOCKS_APART))) * sa.literal_column("1000")
    return sa.and_(staged_times.c.seq == event.c.seq, staged_times.c.milliseconds <= latest)


def leave_out_others(history: History) -> ReturningDelete[Any]:
    """Take out of the batch what is no row's own source."""
    rows, staged = history.rows, history.staged
    own = (
        sa.select(staged_times.c.seq)
        .select_from(staged_times)
        .join(rows, history.own_source())
        .correlate(staged)
        .exists()
    )
    return sa.delete(staged).where(~own).returning(staged.c.seq, staged.c.source_topic)


def find_misread(history: History) -> sa.Select[Any]:
    """Staged records whose rows say that they are another claim, version or provider: `seq`, then
    what the row says. Found by their source, for which there is no index: this reads the table.

    A row and its record must have the event's own time in common: no other record passes for the
    row's where a topic's timestamps are its publisher's.
    """
    rows, staged = history.rows, history.staged
    another = sa.or_(*(rows.c[name] != staged.c[name] for name in history.names))
    return (
        sa.select(staged.c.seq, *(rows.c[name] for name in history.names))
        .join(rows, from_same_record(rows, staged))
        .join(staged_times, was_there(rows, staged))
        .where(rows.c.occurred_at == staged.c.occurred_at, another)
        .order_by(staged.c.seq)
    )


def confirm_misread(history: History) -> sa.Select[Any]:
    """As `find_misread`, of the rows that were noted: those that are there still."""
    rows, staged, misread = history.rows, history.staged, history.misread
    noted = sa.and_(*(rows.c[name] == misread.c[name] for name in history.names))
    return (
        sa.select(misread)
        .join(rows, noted)
        .join(staged, sa.and_(staged.c.seq == misread.c.seq, from_same_record(rows, staged)))
        .order_by(misread.c.seq)
    )


def lock_both_providers(history: History) -> sa.Select[Any]:
    """Lock, in order, those that the staged events name and those that their rows name."""
    named = sa.union(
        sa.select(history.staged.c.provider_id), sa.select(history.misread.c.provider_id)
    ).subquery("named")
    locked = (
        sa.select(providers.c.provider_id)
        .where(providers.c.provider_id.in_(sa.select(named.c.provider_id)))
        .order_by(providers.c.provider_id)
        .with_for_update(key_share=True)
        .cte("locked")
    )
    return sa.select(sa.func.count()).select_from(locked)


def forget_new_providers(history: History) -> sa.Delete:
    """Those that this transaction has made known, and that nothing staged is of any more."""
    left = sa.select(history.staged.c.provider_id)
    return sa.delete(providers).where(
        providers.c.first_seen_at == sa.func.now(), providers.c.provider_id.not_in(left)
    )


def by_topic(history: History, differ: sa.ColumnElement[bool]) -> sa.Select[Any]:
    """What is staged, by topic: how many, how many of them this transaction has stored, and of how
    many the row came from this very record and differs from it."""
    rows, staged = history.rows, history.staged
    same = sa.and_(history.same_identity(), from_same_record(rows, staged))
    stored = rows.c.applied_at == sa.func.now()
    return (
        sa.select(
            staged.c.source_topic,
            sa.func.count().label("staged"),
            sa.func.count().filter(stored).label("stored"),
            sa.func.count().filter(rows.c.source_topic.is_not(None), differ).label("differently"),
        )
        .select_from(staged.outerjoin(rows, same))
        .group_by(staged.c.source_topic)
    )


def conflicts(history: History, differ: sa.ColumnElement[bool]) -> sa.Select[Any]:
    """Staged events whose identity has other content from another record: both records' places."""
    rows, staged = history.rows, history.staged
    return (
        sa.select(
            *(staged.c[name] for name in PLACE),
            *(rows.c[name].label(f"its_{name}") for name in PLACE),
        )
        .join(rows, history.same_identity())
        .where(differ)
        .order_by(staged.c.seq)
    )


def stored_twice(history: History) -> sa.Select[Any]:
    """Places of which there is more than one row, within the windows of offsets that are bound: a
    record that was misread, and was read rightly since."""
    rows = history.rows
    windows = (
        sa.func.unnest(
            sa.bindparam("topics", type_=sa.ARRAY(sa.Text)),
            sa.bindparam("partitions", type_=sa.ARRAY(sa.Integer)),
            sa.bindparam("starts", type_=sa.ARRAY(sa.BigInteger)),
            sa.bindparam("ends", type_=sa.ARRAY(sa.BigInteger)),
        )
        .table_valued("topic", "partition", "starts_at", "ends_at", name="windows")
        .render_derived()
    )
    within = sa.and_(
        rows.c.source_topic == windows.c.topic,
        rows.c.source_partition == windows.c.partition,
        rows.c.source_offset >= windows.c.starts_at,
        rows.c.source_offset < windows.c.ends_at,
    )
    place = [rows.c[name] for name in PLACE]
    return (
        sa.select(*place)
        .select_from(rows.join(windows, within))
        .group_by(*place)
        .having(sa.func.count() > 1)
    )
