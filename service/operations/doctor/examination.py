"""All that the doctor looks at, in order."""

from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import asynccontextmanager

from consumers.kafka.cluster import Cluster
from consumers.topics.claims import CLAIMS
from repositories.errors import RepositoryError
from repositories.postgres.database import Database
from service import wiring
from service.kafka import KafkaFailed, kafka_admin
from service.operations.doctor.database import AREA, CLOCK, look_at_clock, look_at_database, told
from service.operations.doctor.findings import Finding, Level, fine, look, wrong
from service.operations.doctor.kafka import all_topics, look_at_permissions, look_at_topics
from service.operations.doctor.nights import NIGHTLY, look_at_nightly_run
from service.operations.doctor.reports import KEYS, STORE, look_at_keys, look_at_store
from service.operations.doctor.work import LAG, WAITING, groups, look_at_lag, look_at_what_waits
from service.settings import Settings

KAFKA = "Kafka"


async def examine(settings: Settings) -> Sequence[Finding]:
    """Everything that can be looked at; a fault ends only what depends on it."""
    found = [*await look_at_database(settings)]
    usable = not any(finding.level is Level.WRONG for finding in found)
    async with _opened(settings, usable) as database:
        if database:
            found += await _or_fault(CLOCK, look_at_clock(database))
        else:
            found.append(look(AREA, "clock, lag and what waits are looked at once it is right"))
        cluster, of_kafka = await _look_at_kafka(settings, database)
        found += of_kafka
        if database:
            running = _running(settings, cluster)
            found += await _or_fault(WAITING, look_at_what_waits(settings, database, running))
            found += await _or_fault(NIGHTLY, look_at_nightly_run(settings, database, running))
        found += await _or_fault(KEYS, look_at_keys(settings, database))
        found += await _or_fault(STORE, look_at_store(settings, database))
    return found


@asynccontextmanager
async def _opened(settings: Settings, usable: bool) -> AsyncIterator[Database | None]:
    if not usable:
        yield None
        return
    database = wiring.impatient_database(settings)
    try:
        yield database
    finally:
        await database.close()


async def _look_at_kafka(
    settings: Settings, database: Database | None
) -> tuple[Cluster | None, Sequence[Finding]]:
    connection, cluster = wiring.kafka_connection(settings), None
    found: list[Finding] = []
    try:
        async with kafka_admin(connection) as admin:
            cluster = await admin.look_at(all_topics(settings), [*groups(settings)])
            found.append(fine(KAFKA, f"Kafka at {settings.kafka_bootstrap_servers} answers"))
            found += look_at_permissions(settings, cluster)
            found += await look_at_topics(settings, cluster, admin)
            if database:
                found += await _or_fault(LAG, look_at_lag(settings, database, cluster, admin))
    except KafkaFailed as error:
        found.append(wrong(KAFKA, str(error)))
    return cluster, found


def _running(settings: Settings, cluster: Cluster | None) -> bool | None:
    """Whether an instance follows the claims, if Kafka said it."""
    members = cluster.members.get(settings.group(CLAIMS.name)) if cluster else None
    return None if members is None else members > 0


async def _or_fault(area: str, looking: Awaitable[Sequence[Finding]]) -> Sequence[Finding]:
    try:
        return await looking
    except RepositoryError as error:
        return [wrong(area, told(error))]
