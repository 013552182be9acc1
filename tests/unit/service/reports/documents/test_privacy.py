"""Patients' health numbers are in the two files that are meant to hold them, and nowhere else."""

import re
from datetime import date

import pytest

from repositories.reports.catalogue import CATALOGUE as OFFERS
from repositories.vocabulary import ReportFormat, ReportType
from service.reports.documents import CATALOGUE
from tests.unit.service.reports.documents.examples import Rows, rendered, request, seeded_claims
from tests.unit.service.reports.documents.reading import csv_header, pdf_text, zip_files

ROWS = Rows(seeded_claims(200, date(2025, 1, 1), date(2025, 12, 31)))
NUMBERS = {row.patient_phn for row in ROWS.rows}
MEANT = {(of, form) for of, offer in OFFERS.items() for form in offer.shows_patients}
EVERY_TABLE = [
    (type_, format_)
    for type_, definition in CATALOGUE.items()
    for format_ in definition.formats
    if format_ is not ReportFormat.PDF
]
OTHERS = [
    (type_, format_)
    for type_, definition in CATALOGUE.items()
    for format_ in definition.formats
    if (type_, format_) not in MEANT
]


@pytest.mark.parametrize(("report_type", "report_format"), OTHERS)
async def test_no_health_number_is_shown(
    report_type: ReportType, report_format: ReportFormat
) -> None:
    data = await rendered(request(report_type, report_format), ROWS)
    text = pdf_text(data) if report_format is ReportFormat.PDF else data.decode()

    assert NUMBERS.isdisjoint(re.findall(r"[0-9]{9}", text))


@pytest.mark.parametrize(("report_type", "report_format"), EVERY_TABLE)
async def test_the_heads_of_a_file_say_whether_erasing_a_patient_ends_it(
    report_type: ReportType, report_format: ReportFormat
) -> None:
    data = await rendered(request(report_type, report_format), ROWS)
    tables = zip_files(data) if report_format is ReportFormat.ZIP else {"report.csv": data}
    heads = {
        name for file, text in tables.items() if file.endswith(".csv") for name in csv_header(text)
    }

    assert ("patient_phn" in heads) == ((report_type, report_format) in MEANT)


async def test_the_detail_csv_shows_them() -> None:
    asked = request(ReportType.ACCOUNTANT_DETAIL, ReportFormat.CSV)

    assert NUMBERS & set(re.findall(r"[0-9]{9}", (await rendered(asked, ROWS)).decode()))


async def test_no_file_name_in_the_archive_has_a_number() -> None:
    files = zip_files(await rendered(request(*max(MEANT)), ROWS))

    assert not re.search(r"[0-9]", "".join(files))


def test_a_request_does_not_print_its_password() -> None:
    asked = request(*max(MEANT), password="correct horse battery")

    assert "horse" not in repr(asked)
