"""What holds for all types in all their formats."""

import csv
import io
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from repositories.reports import catalogue as report_catalogue
from repositories.vocabulary import ReportFormat, ReportType
from service.reports.documents import CATALOGUE, NoSuchFormat, render
from service.reports.documents.wording import time_text
from tests.unit.service.reports.documents.examples import (
    NOTHING_RECEIVED,
    PROVIDER,
    RECEIVED,
    UNKNOWN_PROVIDER,
    Rows,
    claim,
    rendered,
    report_row,
    request,
    seeded_claims,
)
from tests.unit.service.reports.documents.reading import pdf_pages, pdf_text, zip_files

UNNAMED = f"Physician (no profile received), id {UNKNOWN_PROVIDER.provider_id}"
APPLIED = "2026-02-03 02:00 MST, when the newest event of this physician was applied"
NONE_RECEIVED = "No claim event of this physician has been received"
NONE = Rows()
ONE = Rows([claim(1)])
MANY = Rows(seeded_claims(200, date(2025, 1, 1), date(2025, 12, 31)), [report_row(1)])
EVERY_FORMAT = [(type_, format_) for type_, d in CATALOGUE.items() for format_ in d.formats]
EVERY_PDF = [type_ for type_, format_ in EVERY_FORMAT if format_ is ReportFormat.PDF]
EVERY_CSV = [type_ for type_, format_ in EVERY_FORMAT if format_ is ReportFormat.CSV]

each_format = pytest.mark.parametrize(("report_type", "report_format"), EVERY_FORMAT)
each_amount = pytest.mark.parametrize("rows", [NONE, ONE, MANY], ids=["none", "one", "many"])


def test_every_type_is_in_the_catalogue_under_its_own_name() -> None:
    assert set(CATALOGUE) == set(ReportType)
    assert all(type_ is definition.report_type for type_, definition in CATALOGUE.items())


def test_whatever_can_be_asked_for_can_be_rendered() -> None:
    rendered_formats = {type_: set(definition.formats) for type_, definition in CATALOGUE.items()}

    assert rendered_formats == {
        type_: set(o.formats) for type_, o in report_catalogue.CATALOGUE.items()
    }


@each_amount
@each_format
async def test_the_same_rows_give_the_same_bytes(
    report_type: ReportType, report_format: ReportFormat, rows: Rows
) -> None:
    asked = request(report_type, report_format)

    assert await rendered(asked, rows) == await rendered(asked, rows)


@pytest.mark.parametrize("report_format", [ReportFormat.PDF, ReportFormat.CSV])
async def test_the_order_in_which_metrics_come_does_not_show(report_format: ReportFormat) -> None:
    cached = [row async for row in MANY.metrics()]
    asked = request(ReportType.MONTHLY_PERFORMANCE, report_format)
    forward, backward = (replace(MANY, cached=order) for order in (cached, cached[::-1]))

    assert await rendered(asked, forward) == await rendered(asked, backward)


@each_amount
@pytest.mark.parametrize("report_type", EVERY_PDF)
async def test_every_page_is_numbered_and_headed_and_holds_something(
    report_type: ReportType, rows: Rows
) -> None:
    pages = pdf_pages(await rendered(request(report_type, ReportFormat.PDF), rows))
    title = pages[0].splitlines()[0]

    for number, page in enumerate(pages, start=1):
        assert f"Page {number} of {len(pages)}" in page
        assert page.splitlines()[0] == title
        assert "Łukasz Nguyễn-Đặng · " in page.splitlines()[1]
        assert len(page.splitlines()) > 5


@each_amount
@pytest.mark.parametrize("report_type", EVERY_CSV)
async def test_every_csv_is_a_rectangle_with_crlf(report_type: ReportType, rows: Rows) -> None:
    text = (await rendered(request(report_type, ReportFormat.CSV), rows)).decode()
    lines = list(csv.reader(io.StringIO(text, newline=""), strict=True))

    assert len({len(line) for line in lines}) == 1
    assert text.endswith("\r\n")
    assert text.count("\n") == text.count("\r\n") == len(lines)


@each_format
async def test_a_physician_without_a_profile_is_called_so(
    report_type: ReportType, report_format: ReportFormat
) -> None:
    data = await rendered(request(report_type, report_format, provider=UNKNOWN_PROVIDER), MANY)

    if report_format is ReportFormat.PDF:
        assert UNNAMED in pdf_text(data)
    elif report_format is ReportFormat.ZIP:
        assert f"Claim data of {UNNAMED}" in zip_files(data)["README.txt"].decode()


@each_format
async def test_it_says_up_to_when_events_were_applied(
    report_type: ReportType, report_format: ReportFormat
) -> None:
    for received, said in ((RECEIVED, APPLIED), (NOTHING_RECEIVED, NONE_RECEIVED)):
        data = await rendered(request(report_type, report_format, received=received), ONE)
        if report_format is ReportFormat.PDF:
            assert f"Figures as of {said}" in pdf_text(data)
        elif report_format is ReportFormat.ZIP:
            assert f"Figures as of {said}" in zip_files(data)["README.txt"].decode()


def test_times_are_those_of_edmonton() -> None:
    assert time_text(datetime(2026, 7, 1, 5, 59, tzinfo=UTC)) == "2026-06-30 23:59 MDT"
    assert time_text(datetime(2026, 1, 1, 6, 59, tzinfo=UTC)) == "2025-12-31 23:59 MST"


@pytest.mark.parametrize("report_type", EVERY_PDF)
async def test_a_physician_of_any_letters_is_shown(report_type: ReportType) -> None:
    provider = replace(PROVIDER, first_name="Ευγενία Žižka", last_name="Щербаков-Nguyễn")
    asked = request(report_type, ReportFormat.PDF, provider=provider)

    assert "Physician Ευγενία Žižka Щербаков-Nguyễn" in pdf_text(await rendered(asked, ONE))


@pytest.mark.parametrize("report_type", EVERY_PDF)
async def test_markup_in_a_name_is_only_text(report_type: ReportType) -> None:
    name = '<b>Ann & "Bob"</b><img src="http://127.0.0.1:9/x"/>'
    asked = request(
        report_type, ReportFormat.PDF, provider=replace(PROVIDER, first_name=name, last_name="")
    )

    assert name in pdf_text(await rendered(asked, ONE))


def test_a_format_that_does_not_exist_is_refused_in_words() -> None:
    with pytest.raises(NoSuchFormat, match="no ZIP of a WCB_TIMING report; it exists as PDF, CSV"):
        render(request(ReportType.WCB_TIMING, ReportFormat.ZIP), NONE)


async def test_a_missing_period_is_refused_in_words() -> None:
    asked = request(ReportType.WCB_TIMING, ReportFormat.PDF, start=None)

    with pytest.raises(ValueError, match="needs period_start and period_end"):
        await rendered(asked, NONE)
