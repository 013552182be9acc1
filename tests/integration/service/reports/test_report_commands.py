"""Downloads, keys and erasure as a person does them, against a real database."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest

from repositories.tables import metadata
from service.reports.files.keys import Keyring
from service.settings import PREFIX
from tests.integration.repositories.examples import apply, paid, submitted
from tests.integration.repositories.report_examples import (
    P,
    Q,
    record,
    report_id,
    report_row,
    request,
)
from tests.integration.service.command_line import Finished, claim_analytics
from tests.integration.service.reports.making import MASTER_KEY, Bench

CSV = {"format": "CSV"}
DETAIL = CSV | {"report_type": "ACCOUNTANT_DETAIL"}
NUMBER = "987654321"
Said = Callable[..., Finished]


@pytest.fixture
def environment(migrated_url: str, folder: Path) -> dict[str, str]:
    return {
        f"{PREFIX}DATABASE_URL": migrated_url,
        f"{PREFIX}REPORT_STORAGE_URL": str(folder),
        f"{PREFIX}REPORT_MASTER_KEYS": MASTER_KEY,
    }


@pytest.fixture
def run(tmp_path: Path, environment: dict[str, str]) -> Said:
    def run(*arguments: str, said: str = "", **settings: str) -> Finished:
        given = environment | {PREFIX + name.upper(): text for name, text in settings.items()}
        return claim_analytics(tmp_path, *arguments, environment=given, said=said)

    return run


def _fetch(run: Said, out: Path, provider: UUID = P, name: str = "A", **settings: str) -> Finished:
    fetch = ("report", "fetch", str(report_id(name)), "--provider", str(provider))
    return run(*fetch, "--out", str(out), **settings)


async def test_a_report_is_fetched_by_its_provider_alone(
    bench: Bench, observer: asyncpg.Connection, run: Said, tmp_path: Path
) -> None:
    await bench.make(**CSV)
    mine, other = tmp_path / "mine.csv", tmp_path / "other.csv"
    refused = _fetch(run, other, provider=Q)
    assert (refused.code, other.exists()) == (5, False)
    assert not (await report_row(observer))["downloaded"]
    assert _fetch(run, mine).code == 0
    assert mine.read_bytes() == await bench.download()
    assert (await report_row(observer))["downloaded"]


async def test_a_report_that_is_not_ready_looks_like_none(
    bench: Bench, run: Said, tmp_path: Path
) -> None:
    await record(bench.database, request(**CSV))
    not_ready = _fetch(run, tmp_path / "out")
    unknown = _fetch(run, tmp_path / "out", name="unknown")
    assert not_ready.code == unknown.code == 5
    assert not_ready.errors == unknown.errors


async def test_a_report_is_gone_by_time_before_any_cleanup(
    bench: Bench, observer: asyncpg.Connection, run: Said, tmp_path: Path
) -> None:
    await bench.make(**CSV)
    await observer.execute("UPDATE generated_reports SET download_link_expires_at = now()")
    refused = _fetch(run, tmp_path / "out")
    assert refused.code == 6
    assert "request it again" in refused.words
    assert not (tmp_path / "out").exists()


async def test_after_a_rotation_the_new_master_key_alone_opens_the_files(
    bench: Bench, run: Said, tmp_path: Path
) -> None:
    await bench.make("A", **CSV)
    await bench.make("B", **CSV)
    before = await _stored(bench)
    both = _setting(run("keys", "new"), "REPORT_MASTER_KEYS")
    new = both.removesuffix(f",{MASTER_KEY}")
    assert new != both
    assert _fetch(run, tmp_path / "early", report_master_keys=new).code == 1
    assert run("keys", "rotate", report_master_keys=both).output.startswith("2 ")
    assert run("keys", "rotate", report_master_keys=both).output.startswith("0 ")
    refused = _fetch(run, tmp_path / "old", report_master_keys=MASTER_KEY)
    assert (refused.code, (tmp_path / "old").exists()) == (1, False)
    for name in "AB":
        assert _fetch(run, tmp_path / name, name=name, report_master_keys=new).code == 0
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


async def test_nothing_is_left_of_an_erased_provider_and_all_of_the_others(
    bench: Bench, observer: asyncpg.Connection, run: Said, tmp_path: Path
) -> None:
    await _two_providers_with_reports(bench)
    others = await _rows_that_name(observer, Q)
    gone = run("erase", "provider", str(P), "--yes")
    assert gone.words == "erased 2 claims, 3 events, 2 reports"
    assert await _rows_that_name(observer, P) == {}
    assert await _rows_that_name(observer, Q) == others
    assert {key.split("/")[1] for key in await bench.files()} == {str(Q)}
    assert _fetch(run, tmp_path / "out", name="A").code == 5
    assert _fetch(run, tmp_path / "other", provider=Q, name="C").code == 0
    assert run("verify").code == 0


async def test_erasing_a_provider_again_changes_nothing(bench: Bench, run: Said) -> None:
    assert run("erase", "provider", str(P), "--yes").words == "erased 0 claims, 0 events, 0 reports"


async def test_without_a_yes_nothing_is_erased(
    bench: Bench, observer: asyncpg.Connection, run: Said
) -> None:
    await _two_providers_with_reports(bench)
    before = await _rows_that_name(observer, P)
    assert run("erase", "provider", str(P), said="n\n").code == 1
    assert await _rows_that_name(observer, P) == before


async def test_an_erased_patients_number_is_nowhere_and_reports_that_show_it_expire(
    bench: Bench, observer: asyncpg.Connection, run: Said, tmp_path: Path
) -> None:
    await apply(bench.database, submitted(patient_phn=NUMBER), paid(patient_phn=NUMBER))
    await apply(bench.database, paid("other", patient_phn="111111111"))
    await bench.make("A", **DETAIL)
    await bench.make("B", **CSV)
    await bench.make("C", provider="Q", **DETAIL)
    gone = run("erase", "patient", "--yes", said=f"{NUMBER}\n")
    assert gone.code == 0
    assert "erased from 1 claims and 2 events; 1 reports expire" in gone.words
    assert NUMBER not in gone.words
    assert await _rows_that_name(observer, NUMBER) == {}
    assert "claims" in await _rows_that_name(observer, "111111111")
    assert _fetch(run, tmp_path / "detail", name="A").code == 6
    assert _fetch(run, tmp_path / "summary", name="B").code == 0
    assert _fetch(run, tmp_path / "another", provider=Q, name="C").code == 0
    assert run("verify").code == 0


async def test_what_is_no_patients_number_is_refused(bench: Bench, run: Said) -> None:
    refused = run("erase", "patient", "--yes", said="12345678\n")
    assert refused.code == 2
    assert "nine digits" in refused.words
    assert "12345678" not in refused.words


async def _two_providers_with_reports(bench: Bench) -> None:
    await apply(bench.database, submitted(), paid(), paid("another"), paid("theirs", provider="Q"))
    await bench.make("A", **CSV)
    await bench.make("B", **DETAIL)
    await bench.make("C", provider="Q", **CSV)


async def _stored(bench: Bench) -> Mapping[str, bytes]:
    return {
        key: b"".join([piece async for piece in bench.store.get(key)])
        for key in await bench.files()
    }


def _setting(finished: Finished, name: str) -> str:
    lines = dict(line.split("=", 1) for line in finished.output.splitlines())
    return lines[PREFIX + name]


async def _rows_that_name(observer: asyncpg.Connection, what: object) -> dict[str, list[str]]:
    """The rows of every table in which this text stands, reports' jobs by their reports' ids."""
    found = {}
    for table in metadata.sorted_tables:
        rows = await observer.fetch(
            f"SELECT t::text AS row FROM {table.name} AS t WHERE t::text LIKE $1 ORDER BY 1",
            f"%{what}%",
        )
        if rows:
            found[table.name] = [row["row"] for row in rows]
    return found
