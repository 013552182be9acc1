"""Whether this instance can do its work, and if not, why."""

import asyncio
import time
from collections.abc import Iterator

from consumers.supervision.outage import lasting
from migrations.revisions import head, require_head
from repositories.errors import RepositoryError
from repositories.postgres.database import Database
from repositories.postgres.requirements import schema_revision
from service.http.process import ServedProcess

ANSWER_SECONDS = 3.0  # for the database
FRESH_SECONDS = 1.0  # no matter how many ask, the database is asked no more often


class Readiness:
    """Asked by probes, in the HTTP side's event loop."""

    def __init__(self, process: ServedProcess, database: Database) -> None:
        self._process = process
        self._database = database
        self._turn = asyncio.Lock()
        self._looked = float("-inf")
        self._fault: str | None = None
        self._migrated = False
        self.revision: str | None = None  # of the schema, when the database answered last
        self.expected_revision = head()

    async def faults(self) -> list[str]:
        """Why it is not ready; empty if it is. A partition that stopped, a topic that is missing
        and a Kafka that went away are no reasons: neither a restart nor another instance helps. A
        Kafka that refuses this instance is one: what was changed a moment ago must not go on to
        the next instances."""
        found = ["it is stopping"] if self._process.stopping() else []
        if fault := await self._fault_of_database():
            found.append(fault)
        kept_out = sorted({outage.what for outage in lasting() if outage.kept_out})
        return [*found, *self._not_joined(), *kept_out]

    def _not_joined(self) -> Iterator[str]:
        """Until a first rebalance has ended nobody knows that Kafka lets this instance in."""
        for name, progress in self._process.progress.items():
            joined, lanes = len(progress.joined), self._process.lanes[name]
            if joined < lanes and not progress.without_topic:
                yield (
                    f"{joined} of {lanes} lanes of {name} have been in their consumer group: a"
                    " first rebalance has not ended"
                )

    async def _fault_of_database(self) -> str | None:
        async with self._turn:
            if time.monotonic() - self._looked > FRESH_SECONDS:
                self._fault = await self._look()
                self._looked = time.monotonic()
            return self._fault

    async def _look(self) -> str | None:
        """Once the schema was this version's, a later one is no fault: older instances go on beside
        it for as long as they may (`repositories/postgres/schema_demand.py`)."""
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                self.revision = await schema_revision(self._database)
            if not self._migrated:
                require_head(self.revision)
                self._migrated = True
        except TimeoutError:
            return f"PostgreSQL does not answer within {ANSWER_SECONDS:.0f} seconds"
        except RepositoryError as error:
            return str(error)
        return None
