"""`/v1/reports/{id}/download`: whole for whom it is, and nothing left behind where it breaks."""

import asyncio
import json
import os
import socket
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg
import httpx
import psutil
import pytest

from repositories.postgres.database import Database
from repositories.reports.outcomes import finish_job
from service.http import limits
from service.http.api import downloads
from service.reports.files.report_files import write_report
from service.settings import Settings
from tests.harness.http import http_client
from tests.harness.issuer import Issuer
from tests.harness.waiting import until, until_async
from tests.integration.repositories.report_examples import (
    P,
    Q,
    claimed,
    fail,
    let_time_pass,
    record,
    report_id,
    report_row,
    request,
)
from tests.integration.service.reports.making import Bench

MIB = 1024 * 1024
LARGE = 24 * MIB
ACTIONS = "SELECT * FROM operator_actions WHERE command = 'report download' ORDER BY started_at"
IN_TRANSACTION = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND state <> 'idle'
"""


def path(name: str = "A") -> str:
    return f"/v1/reports/{report_id(name)}/download"


async def store_large(bench: Bench, size: int = LARGE) -> bytes:
    """A ready report of P's that is larger than all buffers between the store and a client."""
    content = os.urandom(MIB) * (size // MIB)

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, size, MIB):
            yield content[start : start + MIB]

    await record(bench.database, request("A"))
    job = await claimed(bench.database)
    written = await write_report(bench.store, bench.keyring, job.file_path, pieces())
    assert await finish_job(
        bench.database,
        job,
        file_size_bytes=written.size_bytes,
        wrapped_key=written.key.ciphertext,
        key_id=written.key.key_id,
    )
    return content


async def noted(observer: asyncpg.Connection, count: int = 1) -> list[dict[str, Any]]:
    """So many downloads, once all have ended."""

    async def ended() -> list[dict[str, Any]]:
        rows = [dict(row) for row in await observer.fetch(ACTIONS)]
        return rows if len(rows) == count and all(row["outcome"] for row in rows) else []

    return await until_async(ended, f"{count} downloads that came to an end")


async def test_a_report_comes_whole_with_its_length_and_name_and_is_noted(
    client: httpx.AsyncClient, issuer: Issuer, bench: Bench, observer: asyncpg.Connection
) -> None:
    await bench.make("A")
    content = await bench.download("A")
    await observer.execute("UPDATE generated_reports SET downloaded = false")
    ranged = {"Range": "bytes=10-20", **issuer.bearer(P, sub="dr-7")}
    answer = await client.get(path(), headers=ranged)
    assert (answer.status_code, answer.content) == (200, content)
    assert answer.headers["content-length"] == str(len(content))
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.headers["accept-ranges"] == "none"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-disposition"] == (
        'attachment; filename="accountant-summary_2025-01-01_2025-12-31.pdf"'
    )
    [action] = await noted(observer)
    assert (action["who"], action["outcome"]) == ("dr-7", "done")
    named = {"report_id": str(report_id("A")), "provider_id": str(P)}
    assert json.loads(action["arguments"]) == named
    assert json.loads(action["counts"]) == {"bytes": len(content)}
    assert (await report_row(observer))["downloaded"]


async def test_its_head_alone_tells_nobody_anything_of_a_patient(
    client: httpx.AsyncClient, issuer: Issuer, bench: Bench, observer: asyncpg.Connection
) -> None:
    await bench.make("A")
    answer = await client.head(path(), headers=issuer.bearer(P))
    size = (await report_row(observer))["file_size_bytes"]
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-length"] == str(size)
    assert not (await report_row(observer))["downloaded"]
    assert await observer.fetch(ACTIONS) == []


async def test_what_is_not_there_for_the_caller_is_404_alike_and_what_is_over_410(
    client: httpx.AsyncClient,
    issuer: Issuer,
    bench: Bench,
    database: Database,
    observer: asyncpg.Connection,
) -> None:
    await bench.make("others", provider="Q")
    await bench.make("over")
    await let_time_pass(observer, "over")
    await record(database, request("failed"))
    await fail(database, await claimed(database))
    await record(database, request("generating"))
    await claimed(database)
    await record(database, request("pending"))
    names = [str(report_id(name)) for name in ("others", "failed", "generating", "pending")]
    answers = [
        await client.get(f"/v1/reports/{one}/download", headers=issuer.bearer(P))
        for one in (*names, str(uuid4()), "none")
    ]
    assert {answer.status_code for answer in answers} == {404}
    assert (
        len({(answer.text, str(answer.headers.get("content-length"))) for answer in answers}) == 1
    )
    over = await client.get(path("over"), headers=issuer.bearer(P))
    assert (over.status_code, over.json()["status"]) == (410, 410)
    assert (await client.get(path("others"), headers=issuer.bearer(Q))).status_code == 200
    narrow = issuer.bearer(Q, permissions=["reports:read"])
    assert (await client.get(path("others"), headers=narrow)).status_code == 403
    assert len(await noted(observer)) == 1


async def test_a_client_that_stops_in_the_middle_leaves_nothing_open(
    client: httpx.AsyncClient, issuer: Issuer, bench: Bench, observer: asyncpg.Connection
) -> None:
    await store_large(bench)
    await client.get("/v1/reports", headers=issuer.bearer(P))  # opens what stays open
    await client.head(path(), headers=issuer.bearer(P))

    process, threads = psutil.Process(), threading.active_count()

    def open_ends() -> int:
        """Of connections to the service."""
        ends = process.net_connections("tcp")
        return sum(c.laddr.port == client.base_url.port and c.status == "ESTABLISHED" for c in ends)

    async with client.stream("GET", path(), headers=issuer.bearer(P)) as answer:
        pieces = answer.aiter_bytes()  # kept: dropped, it would hang up at once
        await anext(pieces)
        during = await observer.fetchval(IN_TRANSACTION)
        assert open_ends() == 1
    [action] = await noted(observer)
    assert action["outcome"] == "broken off"
    assert json.loads(action["counts"])["bytes"] < LARGE
    assert (during, await observer.fetchval(IN_TRANSACTION)) == (0, 0)
    assert not (await report_row(observer))["downloaded"]
    await until(lambda: open_ends() == 0, "the connection to be closed")
    assert [file.path for file in process.open_files() if file.path.endswith(".enc")] == []
    assert threading.active_count() <= threads


async def test_a_client_that_takes_nothing_any_more_is_hung_up_on(
    api_settings: Settings,
    issuer: Issuer,
    bench: Bench,
    observer: asyncpg.Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limits, "STALLED_SECONDS", 0.5)
    await store_large(bench)
    async with http_client(api_settings) as client:
        where = urlsplit(str(client.base_url))
        with socket.create_connection((where.hostname, where.port)) as stalled:
            token = issuer.token(P)
            asked = f"GET {path()} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\n\r\n"
            stalled.sendall(asked.encode())
            [action] = await noted(observer)
    assert action["outcome"] == "broken off"


async def test_a_store_that_fails_in_the_middle_breaks_the_answer_off(
    client: httpx.AsyncClient, issuer: Issuer, bench: Bench, observer: asyncpg.Connection
) -> None:
    await store_large(bench)
    [file] = [Path(p) for p in bench.store._folder.glob("reports/*/*")]  # type: ignore[union-attr]  # a local one
    with file.open("r+b") as stored:
        stored.truncate(LARGE // 2)
    with pytest.raises(httpx.RemoteProtocolError, match="closed connection"):
        await client.get(path(), headers=issuer.bearer(P))
    [action] = await noted(observer)
    assert action["outcome"] == "failed"
    assert not (await report_row(observer))["downloaded"]


async def test_a_file_that_is_gone_or_that_no_key_opens_is_an_error_without_a_word_of_it(
    client: httpx.AsyncClient, issuer: Issuer, bench: Bench, observer: asyncpg.Connection
) -> None:
    await bench.make("A")
    [key] = await bench.files()
    await bench.store.delete(key)
    gone = await client.get(path(), headers=issuer.bearer(P))
    await observer.execute("UPDATE report_jobs SET key_id = 'another'")
    locked = await client.get(path(), headers=issuer.bearer(P))
    assert {gone.status_code, locked.status_code} == {500}
    assert "reports/" not in gone.text + locked.text
    assert await observer.fetch(ACTIONS) == []


async def test_one_provider_cannot_take_all_places(
    client: httpx.AsyncClient, issuer: Issuer, bench: Bench, observer: asyncpg.Connection
) -> None:
    await store_large(bench)
    headers = issuer.bearer(P)
    most = downloads.MOST_OF_ONE_PROVIDER
    streams = [client.stream("GET", path(), headers=headers) for _ in range(most)]
    await asyncio.gather(*(stream.__aenter__() for stream in streams))
    refused = await client.get(path(), headers=headers)
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "5")
    for stream in streams:
        await stream.__aexit__(None, None, None)
    await noted(observer, most)
    assert (await client.head(path(), headers=headers)).status_code == 200
    assert (await client.get(path(), headers=headers)).status_code == 200
