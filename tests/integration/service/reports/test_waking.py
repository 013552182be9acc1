"""Who waits for work is woken by it, costs next to nothing meanwhile, and never depends on it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest
from sqlalchemy import event

from repositories.erasure import erase_patient
from repositories.outbox import Announcement, unpublished
from repositories.postgres import notifications as module
from repositories.postgres.notifications import Channel, Notifications
from repositories.reports.jobs import release_job
from repositories.reports.outcomes import retry_report
from service.reports import relay
from service.reports.relay import relay_outbox
from service.reports.worker import WorkerPolicy
from service.settings import Settings
from tests.harness.waiting import LONG, until_async
from tests.integration.repositories.examples import apply, paid
from tests.integration.repositories.report_examples import (
    P,
    claimed,
    fail,
    record,
    report_id,
    request,
)
from tests.integration.service.reports.making import Bench, at_work, ended

CSV = {"format": "CSV"}
NEVER = 10 * LONG  # a slow poll that no test lives to see
NUMBER = "987654321"
LISTENING = """
    SELECT pid FROM pg_stat_activity
    WHERE datname = current_database() AND query LIKE 'LISTEN%outbox%' AND state = 'idle'
"""


@asynccontextmanager
async def listening(bench: Bench, observer: asyncpg.Connection) -> AsyncIterator[Notifications]:
    """What the waiters of a process share, connected."""
    notifications, stop = Notifications(), asyncio.Event()
    running = asyncio.create_task(notifications.listen(bench.database, stop))
    try:
        await _listener(observer)
        yield notifications
    finally:
        stop.set()
        await running


@asynccontextmanager
async def waiting_worker(bench: Bench, observer: asyncpg.Connection) -> AsyncIterator[None]:
    """A worker that looks when it is woken, and has looked."""
    async with (
        listening(bench, observer) as notifications,
        at_work(bench.worker(notifications, poll=NEVER)),
    ):
        await asyncio.sleep(0.2)  # it has looked once, and waits
        yield


async def _listener(observer: asyncpg.Connection, but: int | None = None) -> int:
    async def other() -> int | None:
        pid = await observer.fetchval(LISTENING)
        return None if pid == but else pid

    pid = await until_async(other, "a connection that listens")
    assert pid is not None
    return pid


async def test_a_waiting_worker_makes_a_report_as_soon_as_it_is_asked_for(
    bench: Bench, observer: asyncpg.Connection
) -> None:
    async with listening(bench, observer) as notifications:
        workers = [bench.worker(notifications, poll=NEVER) for _ in range(2)]
        async with at_work(*workers):
            for count, name in enumerate("ABC", start=1):
                await record(bench.database, request(name, **CSV))
                await ended(observer, count)


@pytest.mark.parametrize("how", ["released", "tried again", "begun anew"])
async def test_a_report_that_is_due_again_wakes_a_worker(
    bench: Bench, observer: asyncpg.Connection, how: str
) -> None:
    await apply(bench.database, paid(patient_phn=NUMBER))
    await record(bench.database, request(**CSV, report_type="ACCOUNTANT_DETAIL"))
    job = await claimed(bench.database)
    if how == "tried again":
        await fail(bench.database, job)
    async with waiting_worker(bench, observer):
        match how:
            case "released":
                await release_job(bench.database, job)
            case "tried again":
                await retry_report(bench.database, P, report_id())
            case _:
                await erase_patient(bench.database, NUMBER, "asked")
        await until_async(lambda: _is_ready(observer), "the report to be ready")


async def _is_ready(observer: asyncpg.Connection) -> bool:
    return bool(await observer.fetchval("SELECT status FROM generated_reports") == "ready")


async def test_a_waiting_relay_publishes_as_soon_as_something_is_announced(
    bench: Bench, observer: asyncpg.Connection
) -> None:
    async def look() -> Sequence[Announcement]:
        async with unpublished(bench.database, 10) as announcements:
            return list(announcements)

    async with listening(bench, observer) as notifications:
        waiting = asyncio.create_task(
            notifications.wait_for(Channel.OUTBOX, look, asyncio.Event(), NEVER)
        )
        await bench.make(**CSV)
        async with asyncio.timeout(LONG):
            [announcement] = await waiting or []
    assert announcement.data["status"] == "ready"


async def test_a_listening_connection_that_was_cut_is_replaced(
    bench: Bench, observer: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "RECONNECT_SECONDS", 0.1)
    async with waiting_worker(bench, observer):
        pid = await _listener(observer)
        await observer.execute("SELECT pg_terminate_backend($1, 60000)", pid)
        await _listener(observer, but=pid)
        await asyncio.sleep(0.2)  # it has looked after the reconnection
        await record(bench.database, request(**CSV))
        await ended(observer)


async def test_what_was_asked_for_while_the_connection_was_away_is_found_after_it(
    bench: Bench, observer: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "RECONNECT_SECONDS", 1.0)
    async with waiting_worker(bench, observer):
        pid = await _listener(observer)
        await observer.execute("SELECT pg_terminate_backend($1, 60000)", pid)
        await record(bench.database, request(**CSV))
        await ended(observer)


async def test_idle_workers_and_relay_make_less_than_one_transaction_a_second(
    bench: Bench, observer: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At twice the usual pace: they poll every 2.5 seconds in place of five."""

    @asynccontextmanager
    async def no_broker(_: Any) -> AsyncIterator[None]:
        yield None

    monkeypatch.setattr(relay, "publisher", no_broker)
    monkeypatch.setattr(relay, "_publish", _nothing)
    monkeypatch.setattr(relay, "POLL_SECONDS", relay.POLL_SECONDS / 2)
    poll = WorkerPolicy().poll / 2
    stop, seconds, begun = asyncio.Event(), 5, 0

    def count(_: object) -> None:
        nonlocal begun
        begun += 1

    async with listening(bench, observer) as notifications:
        relaying = asyncio.create_task(
            relay_outbox(bench.database, None, Settings(), notifications, stop)  # type: ignore[arg-type]  # no Kafka
        )
        async with at_work(*[bench.worker(notifications, poll=poll) for _ in range(4)]):
            await asyncio.sleep(1)  # each has looked once
            engine = bench.database._engine.sync_engine
            event.listen(engine, "begin", count)
            await asyncio.sleep(seconds)  # the time over which it counts
            event.remove(engine, "begin", count)
        stop.set()
        await relaying
    assert 2 <= begun < 2 * seconds * 0.7


async def _nothing(*_: Any) -> None:
    pass
