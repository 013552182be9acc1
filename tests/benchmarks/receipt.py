"""How long a receipt takes: in the database, and Kafka's answer where the claim is unknown."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from uuid import UUID, uuid4

from rich.console import Console
from sqlalchemy import func, select

from consumers.topics.claims import CLAIMS
from repositories.operations.receipts import read_receipt
from repositories.postgres.database import Database
from repositories.tables import claims
from service import wiring
from service.kafka import kafka_admin
from service.operations.reading import ask
from service.settings import Settings
from tests.benchmarks.claims import Bench, settings_of
from tests.benchmarks.processes import drain
from tests.benchmarks.workload import Workload, preload, topics_named

MOST_MS = 50
CLAIMS_ASKED = 100
KAFKA_ASKED = 10


@dataclass(frozen=True)
class Receipts:
    """Seconds of each: the first, which is planned and compiled, apart."""

    first: float
    known: Sequence[float]
    unknown: Sequence[float]
    kafka: Sequence[float]


def measure_receipts(bench: Bench, workload: Workload) -> Receipts:
    environment = bench.environment("receipt") | topics_named("receipt")
    settings = settings_of(environment)
    asyncio.run(preload(settings, workload))
    drain(bench.stack, workload.events, environment)
    return asyncio.run(_measured(settings))


async def _measured(settings: Settings) -> Receipts:
    database = wiring.database(settings)
    try:
        async with database.snapshot() as connection:
            some = select(claims.c.claim_id).order_by(func.random()).limit(CLAIMS_ASKED + 1)
            first, *others = (await connection.scalars(some)).all()
        return Receipts(
            await _seconds(database, first),
            [await _seconds(database, claim_id) for claim_id in others],
            [await _seconds(database, uuid4()) for _ in others],
            [await _kafka_seconds(settings) for _ in range(KAFKA_ASKED)],
        )
    finally:
        await database.close()


async def _seconds(database: Database, claim_id: UUID) -> float:
    began = time.monotonic()
    async with database.snapshot() as connection:
        await read_receipt(connection, claim_id)
    return time.monotonic() - began


async def _kafka_seconds(settings: Settings) -> float:
    """With connecting, as the command does it."""
    began = time.monotonic()
    async with kafka_admin(wiring.kafka_connection(settings)) as admin:
        await admin.existing_topics()
        await ask(admin, [settings.topic(name) for name in CLAIMS.decoders], None)
    return time.monotonic() - began


def show_receipts(receipts: Receipts, console: Console) -> None:
    def said(seconds: Sequence[float]) -> str:
        return f"{median(seconds) * 1000:.1f} ms in the median, {max(seconds) * 1000:.1f} at most"

    console.print(
        f"receipt of a known claim: {said(receipts.known)} (must be under {MOST_MS} ms in the"
        f" database), the first of a process {receipts.first * 1000:.0f} ms; of an unknown one"
        f" {said(receipts.unknown)}, and Kafka's answer, with connecting: {said(receipts.kafka)}"
    )
