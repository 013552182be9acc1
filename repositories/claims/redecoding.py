"""Correcting the history of claims from its own records, in the caller's transaction."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from repositories.claims import merge, redecode
from repositories.claims.batch import hold_providers, merge_held, stage_events
from repositories.metrics.upsert import remove_empty_days
from repositories.replaying.replayed import MergedBatch, Place, RefusedRecord


class ClaimHistory:
    """Claim events, as `repositories.replaying.replay` wants a kind of events."""

    history = redecode.EVENTS
    differs = staticmethod(merge.differs)
    reads_differently = staticmethod(redecode.reads_differently)
    stage = staticmethod(stage_events)
    hold = staticmethod(hold_providers)

    async def merge(self, connection: AsyncConnection, events: int, erased: int) -> MergedBatch:
        merged = await merge_held(connection, events, erased)
        refused = [
            RefusedRecord(Place(each.topic, each.partition, each.offset), each.other_provider)
            for each in merged.refused
        ]
        stored = merged.applied + merged.stale
        return MergedBatch(stored, refused, merged.decoded_differently)

    async def correct(self, connection: AsyncConnection) -> Sequence[str]:
        """The topic of each row that was corrected; its claim and figures follow."""
        rows = (await connection.execute(redecode.correct())).all()
        await self._remake(connection, {row.claim_id for row in rows})
        return [row.source_topic for row in rows]

    async def split(self, connection: AsyncConnection) -> Sequence[int]:
        """Of the staged events that were misread, those that cannot be moved."""
        return (await connection.scalars(redecode.split_claims())).all()

    async def remove_misread(self, connection: AsyncConnection) -> None:
        """Remove the rows that are of other events; their claims and figures follow."""
        touched = await connection.scalars(redecode.remove_misread())
        await self._remake(connection, set(touched))

    async def _remake(self, connection: AsyncConnection, claims: set[UUID]) -> None:
        if not claims:
            return
        values = {"touched": sorted(claims)}
        counts = (await connection.execute(redecode.remake(), values)).mappings().one()
        if emptied := counts["emptied_days"]:
            await connection.execute(remove_empty_days(emptied))
