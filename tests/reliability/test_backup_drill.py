"""Database, report store and master keys, restored from backups: together, or one of them older.

What is had back by which commands stands in docs/deployment.md.
"""

import re
import shutil
from pathlib import Path
from uuid import uuid4

import pytest

from service.local.stack.postgres import PostgresServer
from tests.harness.backups import dump, restored
from tests.harness.deployment import Deployment
from tests.harness.kafka import publish
from tests.harness.messages import simulated
from tests.harness.operations import YES, refused
from tests.harness.process import ServiceProcess, command
from tests.harness.reports import (
    QUICK,
    RUN_REPORTS,
    ZIP,
    all_told,
    deploy_reports,
    downloaded,
    request,
    states_told,
    stored_files,
)
from tests.harness.rows import all_applied, assert_tables_equal_oracle
from tests.harness.starter import PROGRAM
from tests.harness.waiting import until
from tests.reliability.drill import (
    PROVIDER,
    ask,
    fetch_in_vain,
    has_status,
    in_quarantine,
    is_of,
    leave_begun_and_told,
    let_its_time_be_over,
    path_of,
    status_over_http,
    stop,
    times_on_the_wire,
    two_providers,
    words_of,
)
from tests.reliability.outages import copy_of_data, restore_data

RUN = ("run", "--only", "claims", "--only", "reports")
WORK = {**QUICK, "group_session_seconds": 1.5, "claim_lanes": 1, "report_workers": 1}
WHY = ("--why", "the drill")
URL, KEYS = "CLAIM_ANALYTICS_REPORT_STORAGE_URL", "CLAIM_ANALYTICS_REPORT_MASTER_KEYS"


@pytest.fixture
async def whole(kafka: str, own_database: str, folder: Path) -> Deployment:
    """Of claims and reports, on a database server that can be copied."""
    return (await deploy_reports(kafka, own_database, folder)).having(**WORK)


async def test_all_that_was_lost_is_had_back_from_the_backups_and_the_topics(
    whole: Deployment, own_postgres: PostgresServer, folder: Path, tmp_path: Path
) -> None:
    kept, since, later = simulated(whole, 900).split(3)
    provider, erased = two_providers(kept.events + since.events)
    ready, expired, failed, told, begun, lost, theirs = (uuid4() for _ in range(7))

    with ServiceProcess(whole, *RUN) as process:
        await publish(whole, kept.messages)
        await all_applied(whole, kept.events)
        await ask(whole, provider, ready, expired)
        await ask(whole, erased, theirs)
        await publish(whole, [request(whole, failed, provider, format="ZIP")])
        await all_told(whole, 4)
        await let_its_time_be_over(whole, expired)
        await has_status(whole, expired, "expired")
        await all_told(whole, 4)
        await stop(process)
    await leave_begun_and_told(whole, provider, begun, told)
    before = await downloaded(whole, provider, ready)
    dump(own_postgres, whole.database_url, tmp_path / "database")
    shutil.copytree(folder, tmp_path / "store-backup")

    with ServiceProcess(whole, *RUN) as process:
        await publish(whole, since.messages)
        await all_applied(whole, kept.events + since.events)
        await ask(whole, provider, lost)
        await all_told(whole, 7)
        was = await downloaded(whole, provider, lost)
        await stop(process)
    await command(whole, "erase", "provider", str(erased), *YES)
    await command(whole, "erase", "--export", str(tmp_path / "erasures"))

    shutil.rmtree(folder)
    with restored(own_postgres, tmp_path / "database") as url:
        shutil.copytree(tmp_path / "store-backup", folder)
        again = whole.having(database_url=url)
        doctor = words_of(await refused(again, 1, "doctor"))
        assert "the database of which this one is a copy" in doctor
        assert "the database stands behind what was committed to Kafka" in doctor
        await command(again, "store", "adopt", *WHY)
        await command(again, "erase", "--import", str(tmp_path / "erasures"), *YES)
        await command(again, "run", "--only", "claims", "--drain")
        living = [event for event in kept.events + since.events if not is_of(event, erased)]
        await assert_tables_equal_oracle(again, living)
        with ServiceProcess(again, *RUN) as process:
            await publish(again, later.messages)
            living += [event for event in later.events if not is_of(event, erased)]
            await all_applied(again, living)
            await all_told(again, 6)
            await stop(process)
        await assert_tables_equal_oracle(again, living)
        assert await downloaded(again, provider, ready) == before
        assert await downloaded(again, provider, lost) == was
        for each in (told, begun):
            assert await downloaded(again, provider, each)
        assert await states_told(again, ready) == ["ready"]
        assert await states_told(again, expired) == ["ready", "expired"]
        assert await states_told(again, failed) == ["failed"]
        assert await states_told(again, told) == ["ready"]
        assert await times_on_the_wire(again, told) == 3  # under one ce_id
        for each in (begun, lost):  # what was announced since the backup the backup does not know
            assert await states_told(again, each) == ["ready", "ready"]
        assert len(stored_files(folder)) == 4  # none of the erased provider
        assert not (folder / "quarantine").exists()


async def test_a_database_older_than_the_store_costs_no_file_if_the_newer_one_turns_up(
    whole: Deployment, own_postgres: PostgresServer, folder: Path
) -> None:
    """A base backup, restored under a running service; later the newer database in its place."""
    kept, since = simulated(whole, 600).split(2)
    provider, _ = two_providers(kept.events)
    ready, lost = uuid4(), uuid4()
    with ServiceProcess(whole, *RUN) as process:
        await publish(whole, kept.messages)
        await all_applied(whole, kept.events)
        await ask(whole, provider, ready)
        await all_told(whole, 1)
        own_postgres.stop()
        backup = copy_of_data(own_postgres)
        own_postgres.start()
        await publish(whole, since.messages)
        await all_applied(whole, kept.events + since.events)
        await ask(whole, provider, lost)
        await all_told(whole, 2)
        first = await path_of(whole, lost)
        before, was = [await downloaded(whole, provider, each) for each in (ready, lost)]

        own_postgres.stop()
        newer = copy_of_data(own_postgres, "newer")
        restore_data(own_postgres, backup)
        own_postgres.start()
        await all_applied(whole, kept.events + since.events)
        await all_told(whole, 2)
        aside = await until(lambda: in_quarantine(folder), "the file that no row names")
        assert [path for _, path in aside] == [first]
        assert await downloaded(whole, provider, ready) == before
        assert await downloaded(whole, provider, lost)  # another file

        own_postgres.stop()
        restore_data(own_postgres, newer)
        own_postgres.start()
        assert await path_of(whole, lost) == first
        [(quarantined, _)] = [one for one in in_quarantine(folder) if one[1] == first]
        quarantined.rename(folder / first)
        assert await downloaded(whole, provider, lost) == was
        await until(lambda: len(stored_files(folder)) == 2, "the other file to go")
        await stop(process)
    await assert_tables_equal_oracle(whole, kept.events + since.events)


async def test_of_a_store_older_than_the_database_reports_are_made_again(
    reports: Deployment, folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    ready, lost, archive = uuid4(), uuid4(), uuid4()
    with ServiceProcess(reports, *RUN_REPORTS) as process:
        await ask(reports, PROVIDER, ready)
        await all_told(reports, 1)
        shutil.copytree(folder, tmp_path / "backup")
        await ask(reports, PROVIDER, lost)
        await publish(reports, [request(reports, archive, PROVIDER, **ZIP)])
        await all_told(reports, 3)
        was = await downloaded(reports, PROVIDER, lost)
        await stop(process)
    shutil.rmtree(folder)
    shutil.copytree(tmp_path / "backup", folder)

    assert await downloaded(reports, PROVIDER, ready) == was  # of the same claim
    said = words_of(await fetch_in_vain(reports, lost, tmp_path))
    assert f"is not in the report store. If {URL} is right" in said
    assert f"claim-analytics report retry {lost}" in said
    assert await status_over_http(reports, lost, tmp_path) == 500
    assert f"report retry {lost}" in caplog.text
    said = words_of(await refused(reports, 1, "doctor"))
    assert "report store: it lacks the files of 2 of the newest 3 ready reports" in said

    await command(reports, "report", "retry", str(lost), *WHY)
    said = words_of(await refused(reports, 1, "report", "retry", str(archive), *WHY))
    assert "request another one" in said
    assert "and this is neither" in await refused(reports, 1, "report", "retry", str(ready))
    with ServiceProcess(reports, *RUN_REPORTS) as process:
        await publish(reports, [request(reports, uuid4(), PROVIDER, **ZIP)])
        await all_told(reports, 4)
        await stop(process)
    assert await downloaded(reports, PROVIDER, lost) == was
    assert await states_told(reports, lost) == ["ready", "ready"]

    shutil.rmtree(folder)  # and without any backup
    assert "4 of the newest 4 ready" in words_of(await refused(reports, 1, "doctor"))
    await command(reports, "report", "retry", str(ready), *WHY)
    with ServiceProcess(reports, *RUN_REPORTS) as process:
        await has_status(reports, ready, "ready")
        await stop(process)
    assert await downloaded(reports, PROVIDER, ready) == was


@pytest.mark.skipif(  # it is not Python's to install
    shutil.which("jq") is None, reason="the documented loop needs jq: apt-get install jq"
)
async def test_the_documented_loop_makes_each_report_again_that_has_lost_its_file(
    reports: Deployment, folder: Path
) -> None:
    kept, *lost = (uuid4() for _ in range(3))
    with ServiceProcess(reports, *RUN_REPORTS) as process:
        await ask(reports, PROVIDER, kept, *lost)
        await all_told(reports, 3)
        await stop(process)
    was = await downloaded(reports, PROVIDER, kept)
    for each in lost:
        (folder / await path_of(reports, each)).unlink()

    text = (Path(__file__).parents[2] / "docs/deployment.md").read_text("utf-8")
    [loop] = re.findall(r"^```\n(claim-analytics report list [^`]*)^```", text, re.MULTILINE)
    shell = ("bash", "-c", f'PATH="{PROGRAM.parent}:$PATH"\n{loop}')
    with ServiceProcess(reports, program=shell) as process:
        await process.ended()
        assert process.output().count("and this is neither") == 1  # that which has its file
        assert "Traceback" not in process.output()
    with ServiceProcess(reports, *RUN_REPORTS) as process:
        await all_told(reports, 3)
        await stop(process)
    for each in (kept, *lost):
        assert await downloaded(reports, PROVIDER, each) == was
    told = [await states_told(reports, each) for each in (kept, *lost)]
    assert told == [["ready"], ["ready", "ready"], ["ready", "ready"]]
