"""Leases: one worker at a time, and a late one changes nothing."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from asyncpg import Connection

from repositories.postgres.database import Database
from repositories.reports.jobs import claim_job, extend_lease, postpone_job, release_job
from repositories.vocabulary import ReportFormat, ReportType
from tests.integration.repositories.database_state import dump
from tests.integration.repositories.report_examples import (
    JWE,
    LEASE,
    P,
    announced,
    claimed,
    end_lease,
    fail,
    finish,
    record,
    report_id,
    report_row,
    request,
    requested_and_claimed,
)
from tests.integration.repositories.waiting import transaction_of_another

CHANGES: dict[str, Any] = {
    "extend": lambda database, job: extend_lease(database, job, LEASE),
    "release": release_job,
    "postpone": lambda database, job: postpone_job(database, job, code="x", pause_seconds=0),
    "finish": finish,
    "fail": fail,
}
change = pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)

CONTEXT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


async def test_without_reports_there_is_nothing_to_claim(database: Database) -> None:
    assert await claim_job(database, LEASE) is None


async def test_a_claimed_report_is_generating_under_a_lease(
    database: Database, observer: Connection
) -> None:
    given = request(archive_password=JWE, traceparent=CONTEXT,
                    report_type=ReportType.DATA_PORTABILITY, format=ReportFormat.ZIP,
                    period_start=None, period_end=None)  # fmt: skip
    await record(database, given)
    job = await claimed(database)
    same = set(vars(given)) & set(vars(job))
    assert {name: getattr(job, name) for name in same} == {
        name: getattr(given, name) for name in same
    }
    assert len(same) == 10
    assert (job.attempt, job.tries, job.last_error) == (1, 1, None)
    row = await report_row(observer)
    assert row["status"] == "generating"
    assert (row["lease_token"], row["leased_until"]) == (job.lease_token, job.leased_until)
    now = await observer.fetchval("SELECT now()")
    assert timedelta(0) < now + timedelta(seconds=LEASE) - job.leased_until < timedelta(minutes=1)


async def test_a_claimed_report_is_nobody_elses(database: Database) -> None:
    await requested_and_claimed(database)
    assert await claim_job(database, LEASE) is None


async def test_the_report_that_has_been_due_for_longest_comes_first(database: Database) -> None:
    for name in "BCA":
        await record(database, request(name))
    assert [(await claimed(database)).report_id for _ in "123"] == [
        report_id(name) for name in "BCA"
    ]


async def test_workers_that_claim_at_once_get_different_reports(database: Database) -> None:
    await record(database, *(request(f"{n}") for n in range(20)))
    jobs = await asyncio.gather(*(claimed(database) for _ in range(20)))
    assert len({job.report_id for job in jobs}) == 20
    assert len({job.lease_token for job in jobs}) == 20


async def test_workers_do_not_wait_for_one_another(migrated_url: str, database: Database) -> None:
    await record(database, request())
    await record(database, request("B"))
    lock = "SELECT FROM report_jobs WHERE report_id = $1 FOR UPDATE"
    async with transaction_of_another(migrated_url, lock, report_id("A")):
        assert (await claimed(database)).report_id == report_id("B")
        assert await claim_job(database, LEASE) is None


async def test_a_report_whose_lease_has_ended_is_taken_over_with_a_new_file(
    database: Database, observer: Connection
) -> None:
    first = await requested_and_claimed(database)
    await end_lease(observer)
    second = await claimed(database)
    assert second.report_id == first.report_id
    assert second.lease_token != first.lease_token
    assert (second.attempt, second.tries) == (2, 2)
    row = await report_row(observer)
    assert row["status"] == "generating"
    assert row["file_path"] == second.file_path != first.file_path
    assert second.file_path.startswith(f"reports/{P}/{report_id()}.2.")


@change
async def test_a_late_worker_changes_nothing_after_a_take_over(
    database: Database, observer: Connection, change: Any
) -> None:
    late = await requested_and_claimed(database)
    await end_lease(observer)
    await claimed(database)
    before = await dump(observer)
    assert await change(database, late) is False
    assert await dump(observer) == before


@change
@pytest.mark.parametrize("end", [finish, fail, release_job, CHANGES["postpone"]])
async def test_a_worker_changes_nothing_once_it_has_given_the_job_away(
    database: Database, observer: Connection, end: Any, change: Any
) -> None:
    job = await requested_and_claimed(database)
    assert await end(database, job) is True
    before = await dump(observer)
    assert await change(database, job) is False
    assert await dump(observer) == before


@change
async def test_a_token_opens_no_other_report(
    database: Database, observer: Connection, change: Any
) -> None:
    await record(database, request("B"))
    job = await requested_and_claimed(database)
    forged = [replace(job, report_id=report_id("C")), replace(job, lease_token=uuid4())]
    before = await dump(observer)
    assert [await change(database, one) for one in forged] == [False, False]
    assert await dump(observer) == before


@change
async def test_a_worker_may_act_after_its_lease_as_long_as_nobody_took_over(
    database: Database, observer: Connection, change: Any
) -> None:
    job = await requested_and_claimed(database)
    await end_lease(observer)
    assert await change(database, job) is True


async def test_an_extended_lease_is_not_taken_over(
    database: Database, observer: Connection
) -> None:
    job = await requested_and_claimed(database)
    await end_lease(observer)
    assert await extend_lease(database, job, LEASE)
    assert await claim_job(database, LEASE) is None
    assert (await report_row(observer))["leased_until"] > job.leased_until


async def test_a_postponed_report_stays_generating_until_it_is_due_again(
    database: Database, observer: Connection
) -> None:
    job = await requested_and_claimed(database)
    assert await postpone_job(database, job, code="store-away", pause_seconds=600)
    row = await report_row(observer)
    assert (row["status"], row["lease_token"]) == ("generating", None)
    assert await claim_job(database, LEASE) is None
    await observer.execute("UPDATE report_jobs SET due_at = due_at - interval '600 s'")
    again = await claimed(database)
    assert (again.attempt, again.tries, again.last_error) == (2, 2, "store-away")
    assert await announced(observer) == []


async def test_a_released_report_is_due_at_once_and_the_try_does_not_count(
    database: Database, observer: Connection
) -> None:
    assert await release_job(database, await requested_and_claimed(database))
    again = await claimed(database)
    assert (again.attempt, again.tries) == (2, 1)
    assert (await report_row(observer))["file_path"] == again.file_path


@pytest.mark.parametrize("end", [finish, fail])
async def test_a_report_that_is_done_is_never_claimed_again(
    database: Database, observer: Connection, end: Any
) -> None:
    await end(database, await requested_and_claimed(database))
    await end_lease(observer)
    assert await claim_job(database, LEASE) is None


@pytest.mark.parametrize("status", ["ready", "failed", "expired"])
async def test_a_report_in_a_final_state_is_not_claimed_even_if_its_job_is_due(
    database: Database, observer: Connection, status: str
) -> None:
    await record(database, request())
    await observer.execute("UPDATE generated_reports SET status = $1", status)
    assert await claim_job(database, LEASE) is None


async def test_of_a_late_worker_and_its_successor_only_one_announces(
    database: Database, observer: Connection
) -> None:
    first = await requested_and_claimed(database)
    await end_lease(observer)
    second = await claimed(database)
    ends = await asyncio.gather(*(finish(database, job) for job in (first, second, first, second)))
    assert sorted(ends) == [False, False, False, True]
    assert len(await announced(observer)) == 1
