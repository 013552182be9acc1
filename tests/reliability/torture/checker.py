"""What must hold once all was published and read, and every instance has ended."""

import io
import json
import zipfile
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Any
from uuid import UUID

from aiokafka.structs import ConsumerRecord

from tests.harness.kafka import members, read_topics
from tests.harness.operations import rows
from tests.harness.reports import announcements, downloaded, stored_files
from tests.harness.rows import assert_tables_equal_oracle, connected
from tests.harness.waiting import until_async
from tests.oracle import PlainEvent
from tests.reliability.torture.faults import CONSUMERS
from tests.reliability.torture.stage import Stage
from tests.reliability.torture.workload import identity_of

COPY = "dlq-redrive-of"  # the last header of what a redrive sends
ENDS = {"CSV": b"\r\n", "PDF": b"%%EOF"}

Place = tuple[str, int, int]  # topic, partition, offset


async def findings(stage: Stage) -> list[str]:
    """Everything that is not as it must be, a line or some for each; none is success."""
    found = [*stage.fleet.findings]
    for check in CHECKS:
        try:
            await check(stage)
        except Exception as wrong:  # noqa: BLE001  # what a check stumbles over is found, too
            found.append(f"{check.__name__}: {type(wrong).__name__}: {wrong}")
    return found


async def tables_are_the_oracles(stage: Stage) -> None:
    """Whole tables, from the events that were published, less those of erased providers, and less
    the numbers of erased patients."""
    horizon = await rows(stage.deployment, "SELECT first_month FROM cache_horizon")
    events = [
        _without_number(event) if event["data"].get("patient_phn") in stage.patients else event
        for event in stage.workload.events
        if event["data"]["provider_id"] not in stage.erased
    ]
    first_month = horizon[0]["first_month"] if horizon else None
    await assert_tables_equal_oracle(stage.deployment, events, first_month)
    async with connected(stage.deployment) as connection:
        numbers = "SELECT count(*) FROM claim_events WHERE patient_phn = ANY ($1)"
        assert not await connection.fetchval(numbers, [*stage.patients]), "erased numbers are there"


async def nothing_was_ever_repaired(stage: Stage) -> None:
    """A rebuild or a refresh that comes by would hide that figures had been wrong."""
    repaired = await rows(
        stage.deployment,
        "SELECT found_by, metric_key, value_before, value_after FROM repaired_rows LIMIT 3",
    )
    assert not repaired, f"figures were wrong when a recomputation came by: {repaired}"
    counted = await rows(
        stage.deployment,
        "SELECT command, counts FROM operator_actions"
        " WHERE coalesce((counts ->> 'repaired_claims')::int, 0) > 0",
    )
    assert not counted, f"claims were wrong when a recomputation came by: {counted}"


async def history_is_from_where_it_says(stage: Stage) -> None:
    """Each row's source is a message of that claim and version, or the copy of a redrive."""
    there = {
        _place(record): record for record in await read_topics(stage.deployment, _topics(stage))
    }
    history = await rows(
        stage.deployment,
        "SELECT claim_id, claim_version, source_topic, source_partition, source_offset"
        " FROM claim_events",
    )
    wrong = []
    for row in history:
        record = there.get((row["source_topic"], row["source_partition"], row["source_offset"]))
        said = _data(record.value) if record else {}
        if (said.get("claim_id"), said.get("claim_version")) != (
            str(row["claim_id"]),
            row["claim_version"],
        ):
            wrong.append(row)
    assert not wrong, f"{len(wrong)} rows of the history came from elsewhere, such as {wrong[0]}"


async def dead_letters_are_the_garbage(stage: Stage) -> None:
    """Each has one row, open, with a copy on the dead letter topic; what was garbage to a faulty
    decoder alone is resolved, and need not be there: if the decoder's instance died first, a good
    one has read the message again."""
    garbage, of_erased = stage.workload.garbage, set()
    expected: set[Place] = set()
    for record in await _published(stage):
        if _data(record.value).get("provider_id") in stage.erased:
            of_erased.add(_place(record))
        elif identity_of(record.topic, record.value, record.headers) in garbage:
            expected.add(_place(record))
    letters = {
        (row["source_topic"], row["source_partition"], row["source_offset"]): row
        for row in await rows(stage.deployment, "SELECT * FROM dead_letters")
    }
    is_open = {at for at, row in letters.items() if row["state"] == "open"}
    _assert_same(expected, is_open, "open letters")
    states = Counter(row["state"] for row in letters.values())
    assert not states.keys() - {"open", "resolved"}, f"letters in these states: {states}"
    assert not [at for at in letters if at in of_erased], "letters that name an erased provider"
    unplaced = [at for at in is_open if letters[at]["copy_offset"] is None]
    assert not unplaced, f"open letters that do not say where their message lies: {unplaced[:3]}"
    suffix = stage.deployment.settings.topic_dlq_suffix
    sent = {
        (headers["dlq-topic"], int(headers["dlq-partition"]), int(headers["dlq-offset"]))
        for record in await read_topics(stage.deployment, [t + suffix for t in _topics(stage)])
        for headers in [{name: value.decode() for name, value in record.headers}]
    }
    assert is_open <= sent, "open letters that are not on the dead letter topic"
    assert sent <= letters.keys() | of_erased, "messages on dead letter topics without a row"


async def reports_are_one_each(stage: Stage) -> None:
    """One row, one whole file, one announcement of readiness; nothing of erased providers. What may
    have shown an erased patient's number may have expired, and is announced as that, and gone."""
    expected = {
        report_id: provider_id
        for report_id, provider_id in stage.workload.reports.items()
        if str(provider_id) not in stage.erased
    }
    found = {
        row["report_id"]: row
        for row in await rows(stage.deployment, "SELECT * FROM generated_reports")
    }
    _assert_same(expected.keys(), found.keys(), "reports")
    may_expire = {UUID(provider_id) for provider_id in stage.patients.values()}
    expired = {
        report_id
        for report_id, row in found.items()
        if row["status"] == "expired" and row["provider_id"] in may_expire
    }
    ready = {report_id: row for report_id, row in found.items() if report_id not in expired}
    states = Counter(row["status"] for row in ready.values())
    assert states.keys() <= {"ready"}, f"reports in these states: {states}"
    told = Counter(
        (UUID(one.data["report_id"]), one.data["status"])
        for one in (await announcements(stage.deployment)).values()
    )
    twice = [report_id for report_id in expected if told[report_id, "ready"] != 1]
    assert not twice, f"readiness was not announced once: {twice}"
    unlike = [one for one in expected if told[one, "expired"] != (one in expired)]
    assert not unlike, f"expiry was not announced as it is: {unlike}"
    store = Path(stage.deployment.values["report_storage_url"])
    _assert_same({row["file_path"] for row in ready.values()}, stored_files(store), "files")
    for report_id in ready:
        provider_id = expected[report_id]
        whole = await downloaded(stage.deployment, provider_id, report_id)
        _assert_whole(found[report_id]["format"], whole)


async def nothing_is_left_behind(stage: Stage) -> None:
    """No lease, no lock, no connection, no order, no member, no temporary file."""
    async with connected(stage.deployment) as connection:

        async def is_alone() -> bool:
            others = (
                "SELECT count(*) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            return not await connection.fetchval(others)

        await until_async(is_alone, "the service's connections to end")
        for what, query in LEFT.items():
            count = await connection.fetchval(f"SELECT count(*) FROM {query}")
            assert count == 0, f"{count} {what}"
    for consumer in CONSUMERS:
        group = stage.deployment.settings.group(consumer)

        async def is_empty(group: str = group) -> bool:
            return not await members(stage.deployment, group)

        await until_async(is_empty, f"members to have left {group}")
    assert not (left := [str(file) for file in stage.temporary.iterdir()]), f"files: {left}"


CHECKS: list[Callable[[Stage], Awaitable[None]]] = [
    tables_are_the_oracles,
    nothing_was_ever_repaired,
    history_is_from_where_it_says,
    dead_letters_are_the_garbage,
    reports_are_one_each,
    nothing_is_left_behind,
]
LEFT = {
    "leases of reports": "report_jobs WHERE lease_token IS NOT NULL OR due_at IS NOT NULL",
    "announcements that wait": "outbox WHERE published_at IS NULL OR refused_at IS NOT NULL",
    "leases of jobs": "job_runs WHERE lease_token IS NOT NULL",
    "orders": "orders WHERE closed_at IS NULL",
    "partitions that have stopped": "stopped_partitions",
    "lists that are due": "lists_due",
    "prepared transactions": "pg_prepared_xacts",
    "locks": "pg_locks JOIN pg_database ON oid = database"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()",
}


def _without_number(event: PlainEvent) -> PlainEvent:
    return {**event, "data": {**event["data"], "patient_phn": None}}


def _topics(stage: Stage) -> list[str]:
    return [*stage.deployment.topics, stage.deployment.topic("ai-suggestion")]


async def _published(stage: Stage) -> list[ConsumerRecord]:
    """All messages of claims and of the coach that the broker has, less what redrives sent."""
    records = await read_topics(stage.deployment, _topics(stage))
    return [one for one in records if not one.headers or one.headers[-1][0] != COPY]


def _place(record: ConsumerRecord) -> Place:
    return record.topic, record.partition, record.offset


def _data(value: bytes | None) -> dict[str, Any]:
    """What the message says, if it is JSON: an event's data in either mode."""
    try:
        said = json.loads(value or b"")
    except ValueError:
        return {}
    data = said.get("data", said)
    return data if isinstance(data, dict) else {}


def _assert_whole(file_format: str, content: bytes) -> None:
    """The cipher authenticates the file's end already; this looks at what was encrypted."""
    if file_format == "ZIP":
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            assert archive.testzip() is None
    else:
        assert content.rstrip(b"\n").endswith(ENDS[file_format].rstrip(b"\n")), file_format


def _assert_same(expected: Iterable[Any], found: Iterable[Any], what: str) -> None:
    expected, found = {*expected}, {*found}
    missing, surplus = expected - found, found - expected
    assert not missing, f"{what}: {len(missing)} are missing, such as {min(missing)}"
    assert not surplus, f"{what}: {len(surplus)} are too many, such as {min(surplus)}"
