"""A report file of 100 MB over HTTP, beside what its store, the cipher and the sending give, each
alone.

Cipher and sending share one core, as both are the HTTP side's thread: one after the other is the
fastest that a download can be there. Once from the page cache, which is memory, and once from the
disk: the system forgets the file before each time.
"""

import asyncio
import os
import socket
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from statistics import mean, median
from uuid import UUID, uuid4

import psutil
from rich.console import Console
from rich.table import Table

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
from tests.benchmarks.http.floors import MB, Speed, speed_of, speeds_of_cipher
from tests.benchmarks.http.reading import answers, api_environment
from tests.benchmarks.latency import service
from tests.benchmarks.processes import HERE, program
from tests.harness.issuer import Issuer

MIB = 1024 * 1024
SIZE = 100 * MB
TIMES = 11
LEAST_SHARE, MOST_GROWTH_MB = 0.5, 40


@dataclass(frozen=True)
class Downloads:
    """Each a few times; memory of the serving process in MB, after the first and at most. `disk`:
    read from the store alone, and downloaded, where the page cache has nothing of it."""

    store: Sequence[Speed]
    cipher: Sequence[Speed]
    sending: Sequence[Speed]
    http: Sequence[Speed]
    disk: tuple[Sequence[Speed], Sequence[Speed]]
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
    file = Path(environment["CLAIM_ANALYTICS_REPORT_STORAGE_URL"], path)
    alone = [await speed_of(store.get(path)) for _ in range(TIMES)]
    from_disk = []
    for _ in range(TIMES):
        _forget(file)
        from_disk.append(await speed_of(store.get(path)))
    cipher = await speeds_of_cipher(SIZE, TIMES)
    address = environment["CLAIM_ANALYTICS_HTTP_ADDRESS"]
    floor = [sys.executable, "-m", "tests.benchmarks.http.floors", address, str(SIZE)]
    async with service(environment, floor) as process:
        await answers(environment)
        sending, _ = await _downloads(psutil.Process(process.pid), address, "/", "")
    asked = f"/v1/reports/{report_id}/download", issuer.token(provider_id)
    async with service(environment, [program(HERE), "run", "--only", "http"]) as process:
        await answers(environment)
        served = psutil.Process(process.pid)
        http, memory = await _downloads(served, address, *asked)
        disk, _ = await _downloads(served, address, *asked, forgotten=file)
    return Downloads(alone, cipher, sending, http, (from_disk, disk), memory[0], max(memory))


def _forget(file: Path) -> None:
    """Makes the system read it from the disk again."""
    descriptor = os.open(file, os.O_RDONLY)
    os.fsync(descriptor)  # what is not on the disk yet cannot be forgotten
    os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    os.close(descriptor)


async def _downloads(
    served: psutil.Process, address: str, path: str, token: str, *, forgotten: Path | None = None
) -> tuple[Sequence[Speed], Sequence[float]]:
    """With the memory after each, in MB. The first one does not count: it loads what it needs."""
    speeds, memory = [], list[float]()
    for _ in range(TIMES + 1):
        if forgotten:
            _forget(forgotten)
        before = served.cpu_times()
        seconds = await asyncio.to_thread(_download, address, path, token)
        after = served.cpu_times()
        used = after.user + after.system - before.user - before.system
        speeds.append(Speed(SIZE / MB / seconds, used))
        memory.append(served.memory_info().rss / MB)
    return speeds[1:], memory


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


def _download(address: str, path: str, token: str) -> float:
    """Seconds until the last byte; the client does nothing with any. Raises RuntimeError."""
    host, _, port = address.partition(":")
    asked = (
        f"GET {path} HTTP/1.1\r\nHost: {address}\r\n"
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
    table = Table("", "MB/s", "ms of CPU", title=f"A file of {SIZE // MB} MB, medians")
    rates = []
    for what, speeds in (
        ("read from the store alone", found.store),
        ("decrypted alone", found.cipher),
        ("sent alone, by a server that does nothing else", found.sending),
        ("downloaded", found.http),
        ("read from the store alone, from the disk", found.disk[0]),
        ("downloaded, from the disk", found.disk[1]),
    ):
        rates.append(median(one.rate for one in speeds))
        # The mean: processes tell their CPU in hundredths of a second.
        table.add_row(what, f"{rates[-1]:,.0f}", f"{mean(one.cpu for one in speeds) * 1000:.0f}")
    console.print(table)
    store, cipher, sending, http, disk, http_disk = rates
    one_core = 1 / (1 / cipher + 1 / sending)
    console.print(
        f"downloaded at {http_disk / disk:.0%} of the store's speed from the disk, and at"
        f" {http / store:.0%} of it from the page cache (must be {LEAST_SHARE:.0%}), which is"
        f" {http / one_core:.0%} of what cipher and sending give one after the other,"
        f" {one_core:,.0f} MB/s; memory {found.before_mb:.0f} MB after the first,"
        f" {found.peak_mb:.0f} MB at most (may grow by {MOST_GROWTH_MB} MB)"
    )
