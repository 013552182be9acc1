"""Reading ranges of partitions again, from their starts to their ends, in the turns of a lane."""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from aiokafka import TopicPartition

from consumers.contracts.refusal import Record
from consumers.engine.errors import ConsumerStopped
from consumers.engine.reader import Position, Reader
from consumers.engine.subscription import Event
from consumers.replay.ranges import LOG_APPEND_TIME, Ranges


@dataclass
class RangeReader(Reader[Event]):
    """Hands the records of ranges, decoded, to the intake, and ends."""

    ranges: Ranges = field(default_factory=dict)
    # By topic: of how many looked at records the timestamp is the log's (True), the publisher's.
    log_times: dict[str, Counter[bool]] = field(default_factory=dict)

    async def read(self) -> None:
        """Read all. Raises ConsumerStopped in the end if a partition could not be read to its end;
        the others were."""
        self.consumer.assign(list(self.ranges))
        for partition, its in self.ranges.items():
            self.consumer.seek(partition, its.start)
            if its.start < its.end:
                self._open[partition] = Position(its.start)
            else:
                self.consumer.pause(partition)
        while self._open:
            if time.monotonic() < self._singly_until:
                await self._read_singly()
            else:
                await self._read(self._whose_turn_it_is())
        if stops := self.progress.stopped.values():
            raise ConsumerStopped(" ".join(sorted({stop.why for stop in stops})))

    async def _hand_on(self, partition: TopicPartition, records: Sequence[Record]) -> None:
        its = self.ranges[partition]
        ended = False
        if records:
            last = records[-1]
            by_log = getattr(last, "timestamp_type", None) == LOG_APPEND_TIME
            self.log_times.setdefault(partition.topic, Counter())[by_log] += 1
            # The log's times do not fall again.
            ended = by_log and its.until is not None and last.timestamp >= its.until
            if its.since is not None or its.until is not None or last.offset >= its.end:
                records = [record for record in records if its.holds(record)]
        await super()._hand_on(partition, records)
        if ended or self._open[partition].next >= its.end:
            self.consumer.pause(partition)
            del self._open[partition]
