"""Downloads, keys and cleanup as a person does them, against a real database."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import asyncpg

from repositories.reports.outcomes import Retry
from service.reports.cleanup import CleanupPolicy, clean
from service.reports.downloads import retry_if_lost
from service.reports.files.keys import Keyring
from service.settings import PREFIX
from tests.integration.repositories.report_examples import (
    P,
    Q,
    claimed,
    finish,
    let_time_pass,
    record,
    report_id,
    report_row,
    request,
)
from tests.integration.service.command_line import Finished, claim_analytics
from tests.integration.service.reports.making import MASTER_KEY, Bench, Said, fetch

CSV = {"format": "CSV"}
DETAIL = CSV | {"report_type": "ACCOUNTANT_DETAIL"}


async def test_a_report_is_fetched_by_its_provider_alone(
    bench: Bench, observer: asyncpg.Connection, run: Said, tmp_path: Path
) -> None:
    await bench.make(**CSV)
    mine, other = tmp_path / "mine.csv", tmp_path / "other.csv"
    refused = fetch(run, other, provider=Q)
    assert (refused.code, other.exists()) == (5, False)
    assert not (await report_row(observer))["downloaded"]
    assert fetch(run, mine).code == 0
    assert mine.read_bytes() == await bench.download()
    assert (await report_row(observer))["downloaded"]
    looked = [("report fetch", "failed", {}), ("report fetch", "done", {"bytes": _size(mine)})]
    assert await _recorded(observer) == looked


async def test_the_list_shows_whole_on_80_columns_what_fetch_asks_for(
    bench: Bench, environment: dict[str, str], tmp_path: Path
) -> None:
    await bench.make(**DETAIL)
    narrow = environment | {"COLUMNS": "80"}
    lines = claim_analytics(tmp_path, "report", "list", environment=narrow).output.splitlines()
    assert [line for line in lines if len(line) > 80] == []
    assert [line.split()[0] for line in lines[-2:]] == [str(report_id("A")), str(P)]


async def test_a_report_that_is_not_ready_looks_like_none(
    bench: Bench, run: Said, tmp_path: Path
) -> None:
    await record(bench.database, request(**CSV))
    not_ready = fetch(run, tmp_path / "out")
    unknown = fetch(run, tmp_path / "out", name="unknown")
    assert not_ready.code == unknown.code == 5
    assert not_ready.errors == unknown.errors


async def test_a_report_is_gone_by_time_before_any_cleanup(
    bench: Bench, observer: asyncpg.Connection, run: Said, tmp_path: Path
) -> None:
    await bench.make(**CSV)
    await observer.execute("UPDATE generated_reports SET download_link_expires_at = now()")
    refused = fetch(run, tmp_path / "out")
    assert refused.code == 6
    assert "request it again" in refused.words
    assert not (tmp_path / "out").exists()


async def test_after_a_rotation_the_new_master_key_alone_opens_the_files(
    bench: Bench, observer: asyncpg.Connection, run: Said, tmp_path: Path
) -> None:
    await bench.make("A", **CSV)
    await bench.make("B", **CSV)
    before = await _stored(bench)
    both = _setting(run("keys", "new"), "REPORT_MASTER_KEYS")
    new = both.removesuffix(f",{MASTER_KEY}")
    assert new != both
    assert fetch(run, tmp_path / "early", report_master_keys=new).code == 1
    assert run("keys", "rotate", report_master_keys=both).output.startswith("2 ")
    assert run("keys", "rotate", report_master_keys=both).output.startswith("0 ")
    rotations = [one for one in await _recorded(observer) if one[0] == "keys rotate"]
    assert [counts["file_keys"] for _, _, counts in rotations] == [2, 0]
    refused = fetch(run, tmp_path / "old", report_master_keys=MASTER_KEY)
    assert (refused.code, (tmp_path / "old").exists()) == (1, False)
    for name in "AB":
        assert fetch(run, tmp_path / name, name=name, report_master_keys=new).code == 0
    assert await _stored(bench) == before


async def test_a_report_that_was_begun_under_the_old_key_can_be_rotated_later(
    bench: Bench, run: Said, tmp_path: Path
) -> None:
    both = _setting(run("keys", "new"), "REPORT_MASTER_KEYS")
    run("keys", "rotate", report_master_keys=both)
    await bench.make(**CSV)
    assert run("keys", "rotate", report_master_keys=both).output.startswith("1 ")
    bench = replace(bench, keyring=Keyring.parse(both.removesuffix(f",{MASTER_KEY}")))
    assert (await bench.download()).startswith(b"date_of_service")


async def test_a_ready_report_whose_file_is_gone_says_so_and_can_be_made_again(
    bench: Bench, observer: asyncpg.Connection, run: Said, tmp_path: Path
) -> None:
    job = await bench.make(**CSV)
    its = (P, report_id())
    assert await retry_if_lost(bench.database, bench.store, *its) is Retry.NOT_FAILED
    await bench.store.delete(job.file_path)
    refused = fetch(run, tmp_path / "out")
    assert (refused.code, f"report retry {report_id()}" in refused.words) == (1, True)
    assert run("report", "retry", str(report_id()), "--why", "lost").code == 0
    assert (await _recorded(observer))[-1] == ("report retry", "done", {})
    assert await observer.fetchval("SELECT max(why) FROM operator_actions") == "lost"
    await bench.worker().make(await claimed(bench.database))
    assert (await bench.download()).startswith(b"date_of_service")


async def test_many_reports_that_would_expire_at_once_wait_for_a_person(
    bench: Bench, observer: asyncpg.Connection, run: Said
) -> None:
    for n in range(41):
        await record(bench.database, request(f"{n}"))
        await finish(bench.database, await claimed(bench.database))
    for n in range(20):  # as many as may always expire
        await let_time_pass(observer, f"{n}")
    assert (await clean(bench.database, bench.store, CleanupPolicy())).expired == 20
    await let_time_pass(observer, within="40 days")  # as if the database's clock had jumped
    paused = run("report", "cleanup")
    assert (paused.code, "report cleanup --confirm" in paused.words) == (1, True)
    assert await _with_status(observer, "ready") == 21
    assert run("report", "cleanup", "--confirm").words.startswith("21 reports expired")
    assert await _with_status(observer, "ready") == 0
    [(command, outcome, counts)] = await _recorded(observer)  # and nothing of the one that paused
    assert (command, outcome, counts["expired"]) == ("report cleanup --confirm", "done", 21)


async def _with_status(observer: asyncpg.Connection, status: str) -> int:
    count = "SELECT count(*) FROM generated_reports WHERE status = $1"
    return int(await observer.fetchval(count, status))


async def _recorded(observer: asyncpg.Connection) -> list[tuple[str, str, dict[str, int]]]:
    """Command, outcome and counts of what was done."""
    rows = await observer.fetch(
        "SELECT command, outcome, counts FROM operator_actions ORDER BY started_at"
    )
    return [(row["command"], row["outcome"], json.loads(row["counts"])) for row in rows]


def _size(file: Path) -> int:
    return file.stat().st_size


async def _stored(bench: Bench) -> Mapping[str, bytes]:
    return {
        key: b"".join([piece async for piece in bench.store.get(key)])
        for key in await bench.files()
    }


def _setting(finished: Finished, name: str) -> str:
    lines = dict(line.split("=", 1) for line in finished.output.splitlines())
    return lines[PREFIX + name]
