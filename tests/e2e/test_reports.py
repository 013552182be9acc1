"""From requests on Kafka to files and announcements, through the real process."""

import asyncio
import io
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import pytest
import pyzipper

from repositories.vocabulary import ReportFormat, ReportType
from service.reports.worker import GENERIC
from tests import servers
from tests.e2e.report_story import (
    CLEAR,
    IMPOSSIBLE,
    LOCKED,
    OFFERED,
    PASSWORD,
    PLANTED,
    PROVIDER,
    UNOPENED,
    Story,
    report_of,
    tell,
)
from tests.harness.kafka import read_topic
from tests.harness.process import command
from tests.harness.reports import (
    REQUESTS,
    announcements,
    downloaded,
    report_row,
    states_told,
    stored_files,
)
from tests.harness.rows import assert_tables_equal_oracle, connected
from tests.unit.service.reports.documents.reading import csv_lines, pdf_text, zip_files

BEGINS = {ReportFormat.PDF: b"%PDF-", ReportFormat.ZIP: b"PK"}
REFUSED = {UNOPENED: "cannot be opened", CLEAR: "compact JWE", IMPOSSIBLE: "not as ZIP"}
ALL = {report_of(*offer) for offer in OFFERED} | {LOCKED} | set(REFUSED)


@pytest.fixture(scope="module")
def story(
    kafka: str, _postgres18_server: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Story]:
    folder = tmp_path_factory.mktemp("reports") / "store"
    with (
        servers.fresh_database(_postgres18_server) as database,
        ThreadPoolExecutor(max_workers=1) as thread,
    ):
        yield thread.submit(asyncio.run, tell(kafka, database, folder)).result()


async def test_each_request_is_one_row_one_file_and_one_announcement(story: Story) -> None:
    told = Counter(
        (one.data["report_id"], one.data["status"])
        for one in (await announcements(story.deployment)).values()
    )
    ready = ALL - REFUSED.keys()
    assert told == Counter(
        [(str(one), "ready") for one in ready] + [(str(one), "failed") for one in REFUSED]
    )
    rows = await _rows(story)
    assert rows.keys() == ALL
    assert stored_files(story.folder) == sorted(rows[one] for one in ready)


@pytest.mark.parametrize(("kind", "form"), OFFERED)
async def test_each_type_in_each_format_can_be_downloaded(
    story: Story, kind: ReportType, form: ReportFormat
) -> None:
    report_id = report_of(kind, form)
    content = await downloaded(story.deployment, PROVIDER, report_id)
    row = await report_row(story.deployment, report_id)
    assert row is not None
    assert len(content) == row["file_size_bytes"]
    if form is ReportFormat.CSV:
        assert content.decode().count("\r\n") >= 1
    else:
        assert content.startswith(BEGINS[form])


@pytest.mark.parametrize("report_id", REFUSED)
async def test_what_cannot_be_done_fails_with_a_word_for_the_person_who_asked(
    story: Story, report_id: UUID
) -> None:
    told = [
        one
        for one in (await announcements(story.deployment)).values()
        if one.data["report_id"] == str(report_id)
    ]
    assert [one.ce_type for one in told] == ["ca.meritum.report.failed.v1"]
    row = await report_row(story.deployment, report_id)
    assert row is not None
    assert told[0].data["error_message"] == row["error_message"] != GENERIC
    assert REFUSED[report_id] in row["error_message"]


async def test_what_is_no_request_at_all_goes_to_the_dead_letters(story: Story) -> None:
    topic = story.deployment.topic(REQUESTS) + story.deployment.settings.topic_dlq_suffix
    letters = await read_topic(story.deployment, topic)
    reasons = Counter(dict(letter.headers)["dlq-reason"] for letter in letters)
    assert reasons == {b"unknown-type": 2, b"invalid-field": 2}


async def test_the_profile_stands_in_the_accountants_summary(story: Story) -> None:
    report_id = report_of(ReportType.ACCOUNTANT_SUMMARY, ReportFormat.PDF)
    text = pdf_text(await downloaded(story.deployment, PROVIDER, report_id))
    for said in ("Łukasz", "Nguyễn", "0123-45678", "Peace River Clinic"):
        assert said in text


async def test_the_accountants_csv_adds_up_to_the_revenue_of_its_months(story: Story) -> None:
    report_id = report_of(ReportType.ACCOUNTANT_SUMMARY, ReportFormat.CSV)
    lines = csv_lines(await downloaded(story.deployment, PROVIDER, report_id))
    async with connected(story.deployment) as connection:
        cached = await connection.fetchrow(
            "SELECT sum((value->>'amount')::numeric) AS amount,"
            " sum((value->>'count')::int) AS count FROM analytics_cache"
            " WHERE provider_id = $1 AND metric_key = 'revenue_monthly' AND dimensions IS NULL",
            PROVIDER,
        )
    assert len(lines) == cached["count"] == 30
    assert sum(Decimal(line["assessed_fee"]) for line in lines) == cached["amount"]


async def test_a_locked_archive_opens_with_its_password_alone(story: Story) -> None:
    content = await downloaded(story.deployment, PROVIDER, LOCKED)
    with pyzipper.AESZipFile(io.BytesIO(content)) as archive:
        with pytest.raises(RuntimeError, match=r"[Pp]assword"):
            archive.read("claims.csv", pwd=b"wrong horse battery")
        claims = archive.read("claims.csv", pwd=PASSWORD.encode())
    open_archive = zip_files(
        await downloaded(
            story.deployment, PROVIDER, report_of(ReportType.DATA_PORTABILITY, ReportFormat.ZIP)
        )
    )
    assert claims == open_archive["claims.csv"]
    assert PLANTED.encode() in claims


async def test_a_password_is_forgotten_once_it_was_used(story: Story) -> None:
    async with connected(story.deployment) as connection:
        kept = "SELECT archive_password FROM report_jobs WHERE report_id = $1"
        assert await connection.fetchval(kept, LOCKED) is None


async def test_a_patients_number_is_in_no_log_announcement_message_or_header(
    story: Story,
) -> None:
    told = [one.text for one in (await announcements(story.deployment)).values()]
    topic = story.deployment.topic(REQUESTS) + story.deployment.settings.topic_dlq_suffix
    headers = [str(letter.headers) for letter in await read_topic(story.deployment, topic)]
    async with connected(story.deployment) as connection:
        reports = await connection.fetch("SELECT t::text FROM generated_reports AS t")
        outbox = await connection.fetch("SELECT t::text FROM outbox AS t")
    assert "report ready" in story.output
    places = [story.output, *told, *headers, *map(str, [*reports, *outbox])]
    assert [place for place in [*places, *stored_files(story.folder)] if PLANTED in place] == []
    assert [place for place in places if PASSWORD in place] == []


def test_neither_a_number_nor_a_password_can_be_read_in_a_stored_file(story: Story) -> None:
    for key in stored_files(story.folder):
        content = Path(story.folder, key).read_bytes()
        assert PLANTED.encode() not in content
        assert b"PK\x03\x04" not in content[:200]


async def test_reports_change_nothing_about_the_figures(story: Story) -> None:
    await assert_tables_equal_oracle(story.deployment, story.load.events)


async def test_the_command_lists_the_reports_and_tells_no_place(story: Story) -> None:
    listed = await command(story.deployment, "report", "list", "--json")
    assert listed.count("report_id") == len(ALL)
    assert ".enc" not in listed
    assert await states_told(story.deployment, LOCKED) == ["ready"]


async def _rows(story: Story) -> dict[UUID, str]:
    async with connected(story.deployment) as connection:
        rows = await connection.fetch("SELECT report_id, file_path FROM generated_reports")
    assert len({row["report_id"] for row in rows}) == len(rows)
    return {row["report_id"]: row["file_path"] for row in rows}
