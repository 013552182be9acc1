"""The bucket of the files is away for a while."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from uuid import uuid4

import asyncpg
import pytest
from moto.server import ThreadedMotoServer

from repositories.postgres.database import Database
from repositories.reports.outcomes import Retry, retry_report
from service.reports.files.keys import Keyring
from service.reports.files.locations import open_store
from service.reports.worker import GENERIC
from tests.harness.waiting import until_async
from tests.integration.repositories.report_examples import (
    P,
    announced,
    record,
    report_id,
    report_row,
    request,
)
from tests.integration.service.reports.making import MASTER_KEY, Bench, at_work, ended
from tests.integration.service.reports_files.buckets import Bucket

CSV = {"format": "CSV"}
HOST = "127.0.0.1"


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Bucket:
    """A bucket at a port where nothing listens yet."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "someone")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "something")
    with socket.socket() as free:
        free.bind((HOST, 0))
        port = free.getsockname()[1]
    return Bucket(f"http://{HOST}:{port}", f"reports-{uuid4()}")


@pytest.fixture
def far_bench(database: Database, bucket: Bucket) -> Bench:
    return Bench(database, open_store(bucket.url), Keyring.parse(MASTER_KEY))


@contextmanager
def answering(bucket: Bucket) -> Iterator[None]:
    """The block runs while the bucket is there; it is empty at its begin."""
    server = ThreadedMotoServer(HOST, int(bucket.endpoint.rpartition(":")[2]), verbose=False)
    server.start()
    try:
        bucket.create()
        yield
    finally:
        server.stop()


async def test_a_report_is_tried_again_until_the_store_is_back(
    far_bench: Bench, observer: asyncpg.Connection, bucket: Bucket
) -> None:
    async def has_failed_once() -> bool:
        return (await report_row(observer))["last_error"] is not None

    await record(far_bench.database, request(**CSV))
    async with at_work(far_bench.worker(most_tries=1_000)):
        await until_async(has_failed_once, "a try that failed")
        row = await report_row(observer)
        assert (row["status"], row["last_error"]) == ("generating", "StoreUnavailable")
        assert await announced(observer) == []
        with answering(bucket):
            await ended(observer)
            assert (await far_bench.download()).startswith(b"date_of_service")
    assert [one["data"]["status"] for one in await announced(observer)] == ["ready"]


async def test_after_too_many_tries_it_fails_and_a_retry_makes_it_when_the_store_is_back(
    far_bench: Bench, observer: asyncpg.Connection, bucket: Bucket
) -> None:
    await record(far_bench.database, request(**CSV))
    async with at_work(far_bench.worker(most_tries=2)):
        await ended(observer)
        row = await report_row(observer)
        assert (row["status"], row["error_message"]) == ("failed", GENERIC)
        with answering(bucket):
            assert await retry_report(far_bench.database, P, report_id()) is Retry.PENDING
            await until_async(lambda: _is_ready(observer), "the report to be ready")
            assert (await far_bench.download()).startswith(b"date_of_service")
    told = await announced(observer)
    assert [one["data"]["status"] for one in told] == ["failed", "ready"]
    assert told[1]["data"]["error_message"] is None
    assert (await report_row(observer))["download_link_expires_at"] - row["created_at"] > timedelta(
        days=29
    )


async def _is_ready(observer: asyncpg.Connection) -> bool:
    return bool((await report_row(observer))["status"] == "ready")
