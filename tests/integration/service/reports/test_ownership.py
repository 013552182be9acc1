"""A second installation, or a copy of the database, on the store of another: nothing is lost."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import update

from repositories.installation import identity
from repositories.operations.actions import recorded_actions
from repositories.postgres.database import Database
from repositories.reports.generated_reports import list_all_providers_reports
from repositories.reports.tables import installation
from service.reports.cleanup import CleanupPolicy, clean
from service.reports.files.file_errors import StoreNotOurs
from service.reports.ownership import MARKER, StoreOwner
from tests.harness.reports import stored_files
from tests.harness.waiting import until_async
from tests.integration.repositories.migrated import migrated_database
from tests.integration.repositories.report_examples import record, request
from tests.integration.service.command_line import claim_analytics
from tests.integration.service.reports.making import Bench, at_work

CSV = {"format": "CSV"}
AT_ONCE = CleanupPolicy(grace=-60.0)  # no file is too young to be an orphan


@pytest.fixture
async def other(_postgres18_server: str, bench: Bench) -> AsyncIterator[Bench]:
    """Another installation: a database of its own, and by mistake the same store and keys."""
    with migrated_database(_postgres18_server) as url:
        database = Database(url)
        yield Bench(database, bench.store, bench.keyring)
        await database.close()


async def copied_from(bench: Bench, other: Bench) -> None:
    """As if the database of `other` were a dump of that of `bench`, restored."""
    mine = await identity(bench.database)
    await identity(other.database)
    async with other.database.transaction() as connection:
        await connection.execute(update(installation).values(installation_id=mine.installation))


async def test_another_installation_deletes_none_of_the_files(
    bench: Bench, other: Bench, folder: Path
) -> None:
    await bench.make(**CSV)
    before = stored_files(folder)
    with pytest.raises(StoreNotOurs, match=r"another installation's.*store adopt --why"):
        await clean(other.database, other.store, AT_ONCE)
    assert stored_files(folder) == before
    assert (await bench.download()).startswith(b"date_of_service")
    assert (await clean(bench.database, bench.store, AT_ONCE)).quarantined == 0


async def test_another_installation_makes_no_reports_there_and_loses_none(
    bench: Bench, other: Bench, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def said() -> bool:
        return "the report store is another installation's" in caplog.text

    await bench.make(**CSV)
    before = stored_files(folder)
    await record(other.database, request("B", **CSV))
    async with at_work(other.worker()):
        await until_async(said, "a line that says whose the store is")
    assert stored_files(folder) == before
    async with other.database.transaction() as connection:
        rows = await list_all_providers_reports(connection)
    assert [row.status for row in rows] == ["pending"]


async def test_a_copy_of_the_database_is_not_the_installation(
    bench: Bench, other: Bench, folder: Path
) -> None:
    await bench.make(**CSV)
    before = stored_files(folder)
    await copied_from(bench, other)
    with pytest.raises(StoreNotOurs, match="of which this one is a copy"):
        await clean(other.database, other.store, AT_ONCE)
    assert stored_files(folder) == before


async def test_an_empty_store_becomes_the_installations(bench: Bench, folder: Path) -> None:
    await StoreOwner(bench.database, bench.store).confirm()
    assert str((await identity(bench.database)).installation) in (folder / MARKER).read_text()
    assert (folder / MARKER).stat().st_mode & 0o777 == 0o600
    await StoreOwner(bench.database, bench.store).confirm()


@pytest.mark.parametrize("marker", [None, "no JSON"])
async def test_a_store_with_files_that_nobody_marked_waits_until_it_is_adopted(
    bench: Bench, folder: Path, migrated_url: str, tmp_path: Path, marker: str | None
) -> None:
    await bench.make(**CSV)
    (folder / MARKER).unlink()
    if marker:
        (folder / MARKER).write_text(marker)
    with pytest.raises(StoreNotOurs, match=MARKER):
        await clean(bench.database, bench.store, AT_ONCE)
    environment = {
        "CLAIM_ANALYTICS_DATABASE_URL": migrated_url,
        "CLAIM_ANALYTICS_REPORT_STORAGE_URL": str(folder),
    }
    adopt = ("store", "adopt", "--why", "it is from before stores were marked")
    assert claim_analytics(tmp_path, *adopt, environment=environment).code == 0
    assert "from before stores were marked" in (folder / MARKER).read_text()
    [action] = await recorded_actions(bench.database)
    assert (action.command, action.counts) == ("store adopt", {"adopted": 1})
    assert (await clean(bench.database, bench.store, AT_ONCE)).quarantined == 0
