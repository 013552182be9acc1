"""The report figures: time and memory of single reports, and reports a minute."""

import asyncio
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import islice
from uuid import UUID, uuid4

from consumers.contracts.decode import decode_claim
from consumers.contracts.refusal import DeadLetter
from consumers.contracts.registry import CLAIM_CONTRACTS
from repositories.claims.batch import apply_claim_batch
from repositories.reports.requests import ReportRequest, record_requests
from repositories.vocabulary import ReportFormat, ReportType
from service import wiring
from service.local.simulator import FLAWLESS, PAYMENTS, Simulator
from service.reports.files.keys import new_master_key
from tests.benchmarks.claims import Bench, settings_of
from tests.unit.consumers.records import KafkaRecord

FIRST, LAST = date(2024, 10, 1), date(2026, 9, 30)  # 24 months: the longest period
NOW = datetime(2026, 10, 1, tzinfo=UTC)
BATCH = 10_000
CONTRACTS = {contract.topic: contract for contract in CLAIM_CONTRACTS}
SMALL = 50  # requests of 500 rows for the figure a minute


@dataclass(frozen=True)
class Made:
    """Reports that a process made: all of them, in so many seconds, with this memory at most."""

    what: str
    reports: int
    seconds: float
    peak_mb: float
    most_seconds: float  # what a tenth of the platform's target allows


@dataclass(frozen=True)
class Case:
    """A kind of report over a physician with so many claims, nine in ten of them paid."""

    what: str
    report_type: ReportType
    format: ReportFormat
    claims: int
    most_seconds: float
    reports: int = 1
    workers: int = 1


ACCOUNTANT, DETAIL = ReportType.ACCOUNTANT_SUMMARY, ReportType.ACCOUNTANT_DETAIL
PORTABILITY = ReportType.DATA_PORTABILITY
CASES = (
    Case("accountant CSV, 500 rows", ACCOUNTANT, ReportFormat.CSV, 560, 0.5),
    Case("accountant CSV, 50,000 rows", ACCOUNTANT, ReportFormat.CSV, 55_600, 50.0),
    Case("summary PDF, 500 rows", ACCOUNTANT, ReportFormat.PDF, 560, 1.0),
    Case("detail PDF, 6,000 rows", DETAIL, ReportFormat.PDF, 6_700, 6.0),
    Case("portability ZIP, 5,000 claims", PORTABILITY, ReportFormat.ZIP, 5_000, 30.0),
    Case("portability ZIP, 50,000 claims", PORTABILITY, ReportFormat.ZIP, 50_000, 30.0),
    Case(
        "accountant CSVs, two workers", ACCOUNTANT, ReportFormat.CSV, 560, SMALL * 0.5,
        reports=SMALL, workers=2,
    ),
)  # fmt: skip


def measure_reports(bench: Bench) -> Sequence[Made]:
    """Each case in turn, in one database with a physician for each size."""
    environment = bench.environment("reports")
    with tempfile.TemporaryDirectory() as folder:
        environment |= {
            "CLAIM_ANALYTICS_REPORT_STORAGE_URL": folder,
            "CLAIM_ANALYTICS_REPORT_MASTER_KEYS": new_master_key(NOW.date()),
        }
        physicians = {
            size: asyncio.run(_physician(environment, size))
            for size in sorted({case.claims for case in CASES})
        }
        return [_made(environment, case, physicians[case.claims]) for case in CASES]


def _made(environment: dict[str, str], case: Case, provider_id: UUID) -> Made:
    asyncio.run(_request(environment, case, provider_id))
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.benchmarks.make_reports", str(case.workers)],
            env={**os.environ, **environment},
            stdout=output,
        )
        _, status, usage = os.wait4(process.pid, 0)
        if status:
            raise RuntimeError(f"{case.what}: the worker ended with {status}")
        output.seek(0)
        seconds = float(output.read())
    return Made(case.what, case.reports, seconds, usage.ru_maxrss / 1024, case.most_seconds)


async def _request(environment: dict[str, str], case: Case, provider_id: UUID) -> None:
    whole = case.report_type is PORTABILITY
    requests = [
        ReportRequest(
            report_id=uuid4(),
            provider_id=provider_id,
            report_type=case.report_type,
            format=case.format,
            period_start=None if whole else FIRST,
            period_end=None if whole else LAST,
            scheduled=False,
            archive_password=None,
            requested_at=NOW,
            problem=None,
            source_topic="report-request",
            source_partition=0,
            source_offset=number,
        )
        for number in range(case.reports)
    ]
    async with wiring.open_database(settings_of(environment)) as database:
        await record_requests(database, requests, [])


async def _physician(environment: dict[str, str], claims: int) -> UUID:
    """A physician with so many claims, most of them paid, over 24 months."""
    simulator = Simulator(claims, 1, NOW, 24, FLAWLESS, course=PAYMENTS)
    rows = _rows(simulator, claims * 2)
    async with wiring.open_database(settings_of(environment)) as database:
        while batch := list(islice(rows, BATCH)):
            await apply_claim_batch(database, batch, [])
    return UUID(simulator.providers[0].provider_id)


def _rows(simulator: Simulator, events: int) -> Iterator[bytes]:
    for event in simulator.history(events):
        record = KafkaRecord(event.value, event.headers, event.topic_key)
        row = decode_claim(record, CONTRACTS[event.topic_key])
        if isinstance(row, DeadLetter):
            raise AssertionError(f"the simulator made a bad event: {row.detail}")
        yield row
