"""Faults that are staged for real, one after the other; each is found, and no other beside it."""

import asyncio
import json
import re
import shutil
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from migrations.revisions import head
from repositories.postgres.database import Database
from service.kafka import TopicPlan, kafka_admin
from service.operations.doctor import Finding, Level, examine, work
from service.operations.doctor.nights import look_at_nightly_run
from service.reports.files.keys import Keyring, new_master_key
from service.reports.files.locations import open_store
from service.reports.ownership import MARKER
from service.settings import PREFIX
from service.settings.topics import setting_of
from service.wiring import kafka_connection
from tests.harness.deployment import PAID, Deployment
from tests.harness.kafka import commit, publish
from tests.harness.messages import nonsense
from tests.harness.process import ServiceProcess, consuming
from tests.harness.reports import deploy_reports
from tests.harness.starter import PROGRAM
from tests.harness.waiting import until_async
from tests.integration.service.command_line import NOBODY_LISTENS, claim_analytics
from tests.integration.service.operations.faults import STAGED_ROWS, WRONG_SETTINGS, Staged
from tests.integration.service.reports.making import Bench
from tests.servers import execute, fresh_database, unique_topic

OF_OTHERS = {"installation": "another", "database": "another", "why": "it is another's"}


@pytest.fixture(scope="module")
def healthy(
    kafka: str, _postgres18_server: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Deployment]:
    """All topics, a schema, a store with a report's file in it, keys. No instance runs."""
    with fresh_database(_postgres18_server) as url, ThreadPoolExecutor(max_workers=1) as thread:
        folder = tmp_path_factory.mktemp("doctor") / "store"
        yield thread.submit(asyncio.run, _deployed(kafka, url, folder)).result()


async def _deployed(kafka: str, url: str, folder: Path) -> Deployment:
    deployment = await deploy_reports(kafka, url, folder)
    database = Database(url)
    keys = Keyring.parse(deployment.values["report_master_keys"])
    await Bench(database, open_store(str(folder)), keys).make(format="CSV")
    await database.close()
    execute(url, "DELETE FROM outbox")
    return deployment.having(nightly_at="03:00")  # nothing runs it here


def said(found: Sequence[Finding], level: Level) -> list[str]:
    return [f"{one.area}: {one.said}" for one in found if one.level is level]


def stored(deployment: Deployment) -> list[Path]:
    return sorted(Path(deployment.values["report_storage_url"]).rglob("*"))


def owner(deployment: Deployment) -> str:
    """The installation that the store's marker names."""
    marker = Path(deployment.values["report_storage_url"], MARKER)
    return str(json.loads(marker.read_text())["installation"])


def assert_said(found: Sequence[Finding], level: Level, *patterns: str) -> None:
    """Just so many are of this level, and each pattern fits one of them."""
    texts = said(found, level)
    assert len(texts) == len(patterns), texts
    assert [p for p in patterns if not any(re.search(p, text) for text in texts)] == [], texts


async def test_where_nothing_is_wrong_everything_was_looked_at_and_nothing_changed(
    healthy: Deployment,
) -> None:
    before = stored(healthy)
    found = await examine(healthy.settings)
    assert said(found, Level.WRONG) == []
    assert {one.area for one in found} == {
        "PostgreSQL", "clock", "Kafka", "permissions", "topics", "lag", "work that waits",
        "nightly run", "keys", "report store",
    }  # fmt: skip
    assert all("no instance reads" in text for text in said(found, Level.LOOK))
    assert stored(healthy) == before


@pytest.mark.parametrize("staged", WRONG_SETTINGS, ids=str)
async def test_each_setting_that_leads_astray_is_found_and_the_rest_is_looked_at(
    staged: Staged, healthy: Deployment, postgres18: str, tmp_path: Path
) -> None:
    places = _places(healthy, postgres18, tmp_path)
    changed = {name: value.format(**places) for name, value in staged.settings.items()}
    found = await examine(healthy.having(**changed).settings)
    assert_said(found, Level.WRONG, *staged.wrong)
    assert "hidden" not in str(found)
    assert {"Kafka", "report store", "PostgreSQL"} <= {one.area for one in found}


def _places(healthy: Deployment, other: str, folder: Path) -> dict[str, str]:
    url = urlsplit(healthy.database_url)
    store, file = folder / "others", folder / "file"
    store.mkdir()
    (store / MARKER).write_text(json.dumps(OF_OTHERS))
    file.write_text("no folder")
    key_id = healthy.values["report_master_keys"].partition(":")[0]
    other_keys = new_master_key(date(2020, 1, 1))
    return {
        "stranger": url._replace(netloc=f"nobody:hidden@{url.netloc.rpartition('@')[2]}").geturl(),
        "absent": url._replace(path="/not_there").geturl(),
        "other": other,
        "misspelt": f"{healthy.topic(PAID)}s",
        "others_store": str(store),
        "file": str(file),
        "other_keys": other_keys,
        "same_id": f"{key_id}:{other_keys.partition(':')[2]}",
    }


@pytest.mark.parametrize(("stage", "undo", "level", "expected"), STAGED_ROWS)
async def test_each_state_of_the_database_that_needs_somebody_is_found(
    stage: str, undo: str, level: Level, expected: str, healthy: Deployment
) -> None:
    undo = undo.replace("{head}", head()).replace("{installation}", owner(healthy))
    execute(healthy.database_url, stage.replace("{group}", healthy.group))
    try:
        found = await examine(healthy.settings)
    finally:
        execute(healthy.database_url, undo)
    others = [text for text in said(found, level) if "no instance reads" not in text]
    assert [text for text in others if re.search(expected, text)] == others != []


async def test_a_nightly_run_that_is_switched_off_is_told_and_one_that_is_under_way_is_none_missed(
    healthy: Deployment,
) -> None:
    async def found(deployment: Deployment, running: bool | None = None) -> Finding:
        [only] = await look_at_nightly_run(deployment.settings, database, running)
        return only

    database = Database(healthy.database_url)
    off = await found(healthy.having(nightly_at="off"))
    assert (off.level, "refresh" in off.said) == (Level.LOOK, True)
    rows = "INSERT INTO job_runs (job, night, {}) VALUES ('nightly', current_date - {}, {})"
    try:
        execute(healthy.database_url, rows.format("ended_at", 4, "now()"))
        for running, todo in ((True, "the log of the instances"), (None, "if no instance runs")):
            missed = await found(healthy, running)
            assert (missed.level, todo in missed.said) == (Level.WRONG, True)
        lease = "gen_random_uuid(), now() + interval '1 minute'"
        execute(healthy.database_url, rows.format("lease_token, leased_until", 1, lease))
        assert "under way since" in (await found(healthy)).said
        lapsed = "UPDATE job_runs SET leased_until = now() WHERE lease_token IS NOT NULL"
        execute(healthy.database_url, lapsed)
        assert (await found(healthy)).level is Level.WRONG
        execute(healthy.database_url, rows.format("ended_at", 0, "now()"))
        assert "none is due" in (await found(healthy)).said
    finally:
        execute(healthy.database_url, "DELETE FROM job_runs")
        await database.close()


async def test_a_user_without_rights_is_told_all_that_it_lacks(healthy: Deployment) -> None:
    user = unique_topic("user").replace("-", "_")
    url = urlsplit(healthy.database_url)
    own = url._replace(netloc=f"{user}:{user}@{url.netloc.rpartition('@')[2]}").geturl()
    database = url.path[1:]
    execute(healthy.database_url, f"CREATE ROLE {user} LOGIN PASSWORD '{user}'")
    execute(healthy.database_url, f"REVOKE TEMPORARY ON DATABASE {database} FROM PUBLIC")
    try:
        found = await examine(healthy.having(database_url=own).settings)
    finally:
        execute(healthy.database_url, f"GRANT TEMPORARY ON DATABASE {database} TO PUBLIC")
        execute(healthy.database_url, f"DROP OWNED BY {user}; DROP ROLE {user}")
    faults = " ".join(said(found, Level.WRONG))
    assert "make no temporary tables: GRANT TEMPORARY" in faults
    assert "may not read and write" in faults
    assert "a statement was refused" in faults or "lacks a right" in faults  # the revision's table


async def test_topics_that_are_set_wrongly_are_found_with_the_command_that_mends_them(
    healthy: Deployment,
) -> None:
    topic = unique_topic("paid")
    plans = [
        TopicPlan(topic, 2, 1, {"retention.ms": "86400000"}),
        TopicPlan(f"{topic}.dlq", 2, 1, {"message.timestamp.type": "LogAppendTime"}),
    ]
    async with kafka_admin(kafka_connection(healthy.settings)) as admin:
        await admin.create_all(plans)
    found = await examine(healthy.having(**{setting_of(PAID): topic}).settings)
    alter = "kafka-configs.sh --alter --entity-type topics --entity-name"
    assert_said(
        found,
        Level.WRONG,
        rf"topics: {topic}: its messages count .*{alter} {topic} --add-config message.timestamp",
        rf"topics: {topic}\.dlq: it keeps dead letters.*--add-config retention.ms=86400000",
    )
    [uneven] = [text for text in said(found, Level.LOOK) if "number of partitions" in text]
    assert f"{topic} has 2" in uneven


async def test_messages_that_nobody_reads_are_found_and_are_fine_once_they_are_read(
    healthy: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work, "LATE", timedelta(0))
    await publish(healthy, nonsense(healthy, 3, PAID))
    found = await examine(healthy.settings)
    assert_said(
        found,
        Level.WRONG,
        f"lag: {healthy.group}: 3 messages wait for longer than .* in {healthy.topic(PAID)}"
        ".*No instance reads: start `claim-analytics run`",
    )

    async def fine() -> bool:
        found = await examine(healthy.settings)
        expected = f"lag: {healthy.group}: 0 messages wait, for 2 members"
        return said(found, Level.WRONG) == [] and expected in said(found, Level.FINE)

    async with consuming(healthy):
        await until_async(fine, "a doctor who finds nothing")


async def test_a_database_that_came_from_a_backup_asks_for_the_list_of_erasures(
    healthy: Deployment,
) -> None:
    """It stands behind what was committed."""
    own = healthy.having(group_prefix=unique_topic("restored"))
    await commit(own, own.group, {(own.topic(PAID), 0): 1})
    found = await examine(own.settings)
    restored = [text for text in said(found, Level.WRONG) if "restored from a backup" in text]
    assert len(restored) == 1
    assert "claim-analytics erase --import FILE" in restored[0]


def _doctor(folder: Path, environment: dict[str, str], *form: str) -> tuple[int, Any]:
    done = claim_analytics(folder, "doctor", *form, environment=environment)
    return done.code, json.loads(done.output) if form else done.output


async def test_the_command_says_to_people_and_to_programs_what_is_wrong(
    healthy: Deployment, tmp_path: Path
) -> None:
    code, fine = _doctor(tmp_path, healthy.environment, "--json")
    assert (code, fine["fine"]) == (0, True)
    wrong = healthy.having(kafka_bootstrap_servers=NOBODY_LISTENS, report_master_keys="nonsense")
    code, shown = _doctor(tmp_path, wrong.environment)
    assert code == 1
    assert f"WRONG  Kafka: Kafka at {NOBODY_LISTENS} refuses connections" in shown
    assert "2 of " in shown.splitlines()[-1]
    assert [line for line in shown.splitlines() if len(line) > 100] == []


def test_wrong_settings_are_all_named(tmp_path: Path) -> None:
    given = {"BRAKE_RATIO": "hidden", "LOG_FORMAT": "hidden", "BRAKE_RATOI": "1"}
    wrong = {PREFIX + name: value for name, value in given.items()}
    code, found = _doctor(tmp_path, wrong, "--json")
    assert code == 1
    texts = [(one["level"], one["said"].split()[0]) for one in found["findings"]]
    levels = ("wrong", "wrong", "look")
    assert texts[:3] == [(level, PREFIX + name) for level, name in zip(levels, given, strict=True)]
    assert "hidden" not in str(found)


# It is not Python's to install; .ci/run does.
@pytest.mark.skipif(shutil.which("faketime") is None, reason="faketime is not installed")
async def test_a_clock_that_is_off_is_found(healthy: Deployment) -> None:
    faketime = ("faketime", "--exclude-monotonic", "-f", "+1h", PROGRAM)
    away = healthy.having(kafka_bootstrap_servers=NOBODY_LISTENS)  # whose client would be slower
    with ServiceProcess(away, "doctor", program=faketime) as process:
        assert await process.ended() == 1
        assert re.search(r"WRONG  clock: this machine's is 3,[56]\d\d seconds", process.output())
