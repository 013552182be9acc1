"""A report file of 100 MB over HTTP, beside what its store alone gives."""

import asyncio
import os
import socket
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from statistics import median
from uuid import UUID, uuid4

import psutil
from rich.console import Console

from repositories.reports.jobs import claim_job
from repositories.reports.outcomes import finish_job
from repositories.reports.requests import ReportRequest, record_requests
from repositories.vocabulary import ReportFormat, ReportType
from service import wiring
from service.reports.files.keys import new_master_key
from service.reports.files.report_files import write_report
from service.reports.wiring import keyring, report_store
from service.settings import Settings
from tests.benchmarks.claims import Bench, settings_of
from tests.benchmarks.http.reading import answers, api_environment
from tests.benchmarks.latency import service
from tests.benchmarks.processes import HERE, program
from tests.harness.issuer import Issuer

MB = 1_000_000
MIB = 1024 * 1024
SIZE = 100 * MB
TIMES = 5
LEAST_SHARE, MOST_GROWTH_MB = 0.5, 40


@dataclass(frozen=True)
class Downloads:
    """In MB a second, and MB."""

    store: Sequence[float]
    http: Sequence[float]
    before_mb: float
    peak_mb: float


def measure_download(bench: Bench) -> Downloads:
    issuer = Issuer()
    with tempfile.TemporaryDirectory() as folder:
        environment = bench.environment("download") | api_environment(Path(folder), issuer)
        environment["CLAIM_ANALYTICS_REPORT_STORAGE_URL"] = f"{folder}/store"
        environment["CLAIM_ANALYTICS_REPORT_MASTER_KEYS"] = new_master_key(date(2026, 1, 1))
        return asyncio.run(_measured(environment, issuer))


async def _measured(environment: dict[str, str], issuer: Issuer) -> Downloads:
    settings = settings_of(environment)
    provider_id, report_id = uuid4(), uuid4()
    path = await _stored(settings, provider_id, report_id)
    store = report_store(settings)
    alone = []
    for _ in range(TIMES):
        began = time.monotonic()
        size = sum([len(piece) async for piece in store.get(path)])
        alone.append(size / MB / (time.monotonic() - began))
    address = environment["CLAIM_ANALYTICS_HTTP_ADDRESS"]
    token = issuer.token(provider_id)
    async with service(environment, [program(HERE), "run", "--only", "http"]) as process:
        await answers(environment)
        served = psutil.Process(process.pid)
        await asyncio.to_thread(_download, address, token, report_id)
        before = served.memory_info().rss / MB
        rates, peak = [], before
        for _ in range(TIMES):
            seconds = await asyncio.to_thread(_download, address, token, report_id)
            rates.append(SIZE / MB / seconds)
            peak = max(peak, served.memory_info().rss / MB)
    return Downloads(alone, rates, before, peak)


async def _stored(settings: Settings, provider_id: UUID, report_id: UUID) -> str:
    """A ready report of so many random bytes; the path of its file."""
    asked = ReportRequest(
        report_id=report_id,
        provider_id=provider_id,
        report_type=ReportType.ACCOUNTANT_DETAIL,
        format=ReportFormat.PDF,
        period_start=date(2026, 1, 1),
        period_end=date(2026, 12, 31),
        scheduled=False,
        archive_password=None,
        requested_at=datetime.now(UTC),
        problem=None,
        source_topic="report-request",
        source_partition=0,
        source_offset=0,
    )

    async def content() -> AsyncIterator[bytes]:
        for _ in range(SIZE // MB):
            yield os.urandom(MB)

    async with wiring.open_database(settings) as database:
        await record_requests(database, [asked], ())
        job = await claim_job(database, 600)
        assert job is not None
        written = await write_report(
            report_store(settings), keyring(settings), job.file_path, content()
        )
        await finish_job(
            database,
            job,
            file_size_bytes=written.size_bytes,
            wrapped_key=written.key.ciphertext,
            key_id=written.key.key_id,
        )
    return job.file_path


def _download(address: str, token: str, report_id: UUID) -> float:
    """Seconds until the last byte; the client does nothing with any. Raises RuntimeError."""
    host, _, port = address.partition(":")
    asked = (
        f"GET /v1/reports/{report_id}/download HTTP/1.1\r\nHost: {address}\r\n"
        f"Authorization: Bearer {token}\r\nConnection: close\r\n\r\n"
    )
    buffer = bytearray(MIB)
    began, taken = time.monotonic(), 0
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(asked.encode())
        first = b""
        while got := connection.recv_into(buffer):
            first = first or bytes(buffer[:15])
            taken += got
    if b" 200 " not in first or taken < SIZE:
        raise RuntimeError(f"{first!r}, and {taken:,} bytes")
    return time.monotonic() - began


def show_download(found: Downloads, console: Console) -> None:
    share = median(found.http) / median(found.store)
    console.print(
        f"a file of {SIZE // MB} MB over HTTP, decrypted: {median(found.http):.0f} MB/s, the store"
        f" alone {median(found.store):.0f} MB/s: {share:.0%} of it (must be {LEAST_SHARE:.0%} or"
        f" more); memory {found.before_mb:.0f} MB after the first, {found.peak_mb:.0f} MB at most"
        f" (may grow by {MOST_GROWTH_MB} MB)"
    )
