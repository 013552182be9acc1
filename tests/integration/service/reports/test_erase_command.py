"""Erasure as a person does it, against a real database and a store."""

from pathlib import Path

import asyncpg
import pytest

from repositories.schema import metadata
from tests.integration.repositories.database_state import clear
from tests.integration.repositories.examples import apply, paid, submitted
from tests.integration.repositories.report_examples import (
    P,
    Q,
    report_id,
)
from tests.integration.service.reports.making import Bench, Said, fetch

CSV = {"format": "CSV"}
DETAIL = CSV | {"report_type": "ACCOUNTANT_DETAIL"}
NUMBER = "987654321"
# Rows of operations that name a provider.
OPERATIONS = (
    "INSERT INTO provider_freshness VALUES ($1, now()) ON CONFLICT DO NOTHING",
    """INSERT INTO repaired_rows (found_by, provider_id, metric_key, period_start)
       VALUES ('refresh', $1, 'claims_paid', '2024-10-01')""",
    """INSERT INTO dead_letters (source_topic, source_partition, source_offset, source_timestamp,
           reason, detail, consumer_group, provider_id)
       VALUES ($1::uuid::text, 0, 1, now(), 'invalid-field', 'a field', 'a group', $1::uuid)""",
    """INSERT INTO operator_actions (who, command, arguments, ended_at, outcome, counts)
       VALUES ('ada', 'rebuild', jsonb_build_object('provider', $1::uuid), now(), 'done',
           jsonb_build_object('providers', ARRAY[$1::uuid]))""",
)
ITS_REPORT = """
    INSERT INTO operator_actions (who, command, arguments, why, ended_at, outcome)
    VALUES ('ada', 'report retry', jsonb_build_object('report_id', $1::uuid), $2, now(), 'done')
"""
ERASE_P = ("erase", "provider", str(P), "--why", "asked", "--yes")


async def test_a_copy_of_the_database_erases_its_rows_and_none_of_the_files(
    bench: Bench, observer: asyncpg.Connection, run: Said
) -> None:
    await bench.make(**CSV)
    before = await bench.files()
    await observer.execute("UPDATE installation SET installation_id = gen_random_uuid()")
    refused = run(*ERASE_P)
    assert (refused.code, "another installation's" in refused.words) == (1, True)
    assert await bench.files() == before


async def test_nothing_is_left_of_an_erased_provider_and_all_of_the_others(
    bench: Bench, observer: asyncpg.Connection, run: Said, tmp_path: Path
) -> None:
    await _two_providers_with_reports(bench)
    for provider in (P, Q):
        for statement in OPERATIONS:
            await observer.execute(statement, provider)
    await observer.execute(ITS_REPORT, report_id("A"), f"for {P}".upper())
    others = await _rows_that_name(observer, Q)
    gone = run(*ERASE_P)
    assert gone.words == "erased 2 claims, 3 events, 2 reports"
    assert await _rows_that_name(observer, P) == {}
    assert await _rows_that_name(observer, report_id("A")) == {}
    assert await _rows_that_name(observer, Q) == others
    assert await observer.fetchval("SELECT count(*) FROM operator_actions") == 4
    assert {key.split("/")[1] for key in await bench.files()} == {str(Q)}
    assert fetch(run, tmp_path / "out", name="A").code == 5
    assert fetch(run, tmp_path / "other", provider=Q, name="C").code == 0
    assert run("verify").code == 0


async def test_erasing_a_provider_whom_nobody_knows_is_not_found(bench: Bench, run: Said) -> None:
    unknown = run(*ERASE_P)
    assert (unknown.code, "No provider" in unknown.words) == (5, True)
    assert run(*ERASE_P, "--lift").code == 5


async def test_erasing_a_provider_again_changes_nothing(bench: Bench, run: Said) -> None:
    await apply(bench.database, submitted())
    assert run(*ERASE_P).code == 0
    assert run(*ERASE_P).words == "erased 0 claims, 0 events, 0 reports"


async def test_a_list_of_erasures_goes_into_a_database_that_was_restored(
    bench: Bench, observer: asyncpg.Connection, run: Said, tmp_path: Path
) -> None:
    """Files of reports go with it; a lifted erasure is in no list that is exported after it."""
    await _two_providers_with_reports(bench)
    assert run(*ERASE_P).code == 0
    exported = tmp_path / "erasures.json"
    assert run("erase", "--export", exported).words == f"exported 1 erasures to {exported}"
    assert exported.stat().st_mode & 0o777 == 0o600
    assert str(P) not in exported.read_text("utf-8")
    installation = await observer.fetchval("SELECT installation_id FROM installation")
    await clear(observer)
    restored = "INSERT INTO installation (installation_id) VALUES ($1)"
    await observer.execute(restored, installation)
    await _two_providers_with_reports(bench)
    assert {key.split("/")[1] for key in await bench.files()} == {str(P), str(Q)}
    done = run("erase", "--import", exported, "--yes")
    assert "imported 1 of 1 erasures" in done.words
    assert "erased again: 1 providers" in done.words
    assert await _rows_that_name(observer, P) == {}
    assert {key.split("/")[1] for key in await bench.files()} == {str(Q)}
    assert run(*ERASE_P, "--lift").code == 0
    assert "exported 0 erasures" in run("erase", "--export", exported).words


@pytest.mark.parametrize("text", ["", "{}", '{"keys": ["00"], "tombstones": []}'])
async def test_what_is_no_list_of_erasures_is_refused(
    bench: Bench, run: Said, tmp_path: Path, text: str
) -> None:
    file = tmp_path / "erasures.json"
    file.write_text(text, "utf-8")
    refused = run("erase", "--import", file, "--yes")
    assert (refused.code, "is no list" in refused.words) == (2, True)


async def test_without_a_yes_nothing_is_erased(
    bench: Bench, observer: asyncpg.Connection, run: Said
) -> None:
    await _two_providers_with_reports(bench)
    before = await _rows_that_name(observer, P)
    assert run(*ERASE_P[:-1], said="n\n").code == 1
    assert await _rows_that_name(observer, P) == before


async def test_an_erased_patients_number_is_nowhere_and_reports_that_show_it_expire(
    bench: Bench, observer: asyncpg.Connection, run: Said, tmp_path: Path
) -> None:
    await apply(bench.database, submitted(patient_phn=NUMBER), paid(patient_phn=NUMBER))
    await apply(bench.database, paid("other", patient_phn="111111111"))
    await bench.make("A", **DETAIL)
    await bench.make("B", **CSV)
    await bench.make("C", provider="Q", **DETAIL)
    gone = run("erase", "patient", "--why", "asked", "--yes", said=f"{NUMBER}\n")
    assert gone.code == 0
    assert "erased from 1 claims and 2 events; 1 reports expire" in gone.words
    assert NUMBER not in gone.words
    assert await _rows_that_name(observer, NUMBER) == {}
    assert "claims" in await _rows_that_name(observer, "111111111")
    assert fetch(run, tmp_path / "detail", name="A").code == 6
    assert fetch(run, tmp_path / "summary", name="B").code == 0
    assert fetch(run, tmp_path / "another", provider=Q, name="C").code == 0
    assert run("verify").code == 0


async def test_what_is_no_patients_number_is_refused(bench: Bench, run: Said) -> None:
    refused = run("erase", "patient", "--why", "asked", "--yes", said="12345678\n")
    assert refused.code == 2
    assert "nine digits" in refused.words
    assert "12345678" not in refused.words


async def _two_providers_with_reports(bench: Bench) -> None:
    await apply(bench.database, submitted(), paid(), paid("another"), paid("theirs", provider="Q"))
    await bench.make("A", **CSV)
    await bench.make("B", **DETAIL)
    await bench.make("C", provider="Q", **CSV)


async def _rows_that_name(observer: asyncpg.Connection, what: object) -> dict[str, list[str]]:
    """The rows of every table in which this text stands, reports' jobs by their reports' ids."""
    found = {}
    for table in metadata.sorted_tables:
        rows = await observer.fetch(
            f"SELECT t::text AS row FROM {table.name} AS t WHERE t::text ILIKE $1 ORDER BY 1",
            f"%{what}%",
        )
        if rows:
            found[table.name] = [row["row"] for row in rows]
    return found
