import io
import json
import zipfile
from dataclasses import replace
from datetime import date

import pytest
import pyzipper

from repositories.vocabulary import ReportFormat, ReportType
from tests.unit.service.reports.documents.examples import (
    LOCATIONS,
    PROVIDER,
    REQUESTED_AT,
    UNKNOWN_PROVIDER,
    Rows,
    claim,
    rendered,
    report_row,
    request,
    seeded_claims,
)
from tests.unit.service.reports.documents.reading import csv_header, csv_lines, zip_files

ZIP = request(ReportType.DATA_PORTABILITY, ReportFormat.ZIP)
PASSWORD = "žluťoučký kůň 2026"
LOCKED = replace(ZIP, password=PASSWORD)
# WinZip's format says which key derivation it is; the library that is asked for it finds it weak.
locked = pytest.mark.filterwarnings("ignore:PBKDF2 without:DeprecationWarning")
ROWS = Rows(seeded_claims(60, date(2025, 1, 1), date(2025, 6, 30)), [report_row(1)])
NAMES = [
    "README.txt",
    "provider.csv",
    "claims.csv",
    "claim_history.csv",
    "metrics.csv",
    "reports.csv",
]


async def test_the_archive_holds_the_files_of_the_specification() -> None:
    for rows in (Rows(), ROWS):
        assert list(zip_files(await rendered(ZIP, rows))) == NAMES


async def test_the_readme_explains_every_column_of_every_file() -> None:
    files = zip_files(await rendered(ZIP, Rows()))
    readme = files.pop("README.txt").decode()

    for name, data in files.items():
        section = readme.split(f"{name}: ")[1].split("\r\n\r\n")[0]
        explained = [line.split()[0] for line in section.splitlines()[1:]]
        assert explained == csv_header(data)


async def test_all_claims_and_their_history_are_there() -> None:
    files = zip_files(await rendered(ZIP, ROWS))
    claims, history = csv_lines(files["claims.csv"]), csv_lines(files["claim_history.csv"])

    assert [line["claim_id"] for line in claims] == [str(row.claim_id) for row in ROWS.rows]
    assert "WITHDRAWN" in {line["state"] for line in claims}
    assert len(history) == 2 * len(claims)
    assert history[0]["occurred_at"] == claims[0]["submitted_at"]


async def test_a_claim_is_there_with_all_its_fields() -> None:
    whole = claim(5, modifiers=("CMGP01", "AGE75"), explanatory_codes=("05A", "39"))
    files = zip_files(await rendered(ZIP, Rows([whole])))

    assert csv_lines(files["claims.csv"]) == [
        {
            "claim_id": "00000000-0000-0000-0000-000000000005",
            "claim_version": "2",
            "state": "PAID",
            "claim_type": "AHCIP",
            "date_of_service": "2025-03-10",
            "patient_phn": "900000005",
            "ba_number": "1234567",
            "location_id": str(LOCATIONS[0].location_id),
            "hsc_code": "03.03A",
            "modifiers": "CMGP01;AGE75",
            "form_id": "",
            "timing_tier": "",
            "submitted_fee": "41.10",
            "submitted_at": "2025-03-11T04:05:00+00:00",
            "submission_deadline": "",
            "assessed_fee": "41.10",
            "payment_date": "2025-03-28",
            "rrnp_premium": "0.00",
            "explanatory_codes": "05A;39",
            "created_at": "",
        }
    ]


async def test_metrics_and_reports_are_there() -> None:
    files = zip_files(await rendered(ZIP, ROWS))
    metrics = csv_lines(files["metrics.csv"])
    [report] = csv_lines(files["reports.csv"])

    by_payer = [m for m in metrics if m["dimension"] == "claim_type"]
    assert {m["dimension_value"] for m in by_payer} == {"AHCIP", "WCB"}
    assert all(json.loads(m["value"]) for m in metrics)
    assert (report["status"], report["downloaded"], report["scheduled"]) == (
        "ready",
        "true",
        "false",
    )


async def test_the_provider_has_a_line_per_location() -> None:
    files = zip_files(await rendered(ZIP, Rows()))
    unknown = zip_files(await rendered(replace(ZIP, provider=UNKNOWN_PROVIDER), Rows()))

    lines = csv_lines(files["provider.csv"])
    assert [line["location_name"] for line in lines] == [place.name for place in LOCATIONS]
    assert lines[1]["rrnp_rate"] == "22.00"
    [alone] = csv_lines(unknown["provider.csv"])
    assert alone["provider_id"] == str(PROVIDER.provider_id)
    assert alone["first_name"] == alone["location_id"] == ""


async def test_the_files_are_dated_by_the_request() -> None:
    with zipfile.ZipFile(io.BytesIO(await rendered(ZIP, Rows()))) as archive:
        assert {info.date_time[:5] for info in archive.infolist()} == {
            (2026, 2, 3, 16, 45),
        }
    assert REQUESTED_AT.minute == 45


@locked
async def test_a_password_opens_the_archive() -> None:
    data = await rendered(LOCKED, ROWS)

    with pyzipper.AESZipFile(io.BytesIO(data)) as archive:
        archive.setpassword(PASSWORD.encode())
        found = {name: archive.read(name) for name in archive.namelist()}
        strengths = {info.wz_aes_strength for info in archive.infolist()}
        versions = {info.wz_aes_version for info in archive.infolist()}
    assert found == zip_files(await rendered(ZIP, ROWS))
    assert (strengths, versions) == ({3}, {2})  # AES-256, AE-2


@locked
async def test_a_wrong_password_is_refused() -> None:
    data = await rendered(LOCKED, ROWS)

    with pyzipper.AESZipFile(io.BytesIO(data)) as archive:
        archive.setpassword(b"another password")
        with pytest.raises(RuntimeError, match="Bad password"):
            archive.read("claims.csv")


@locked
async def test_nothing_readable_is_left_in_a_locked_archive() -> None:
    data = await rendered(LOCKED, Rows([claim(5)]))

    assert b"900000005" not in data
    assert b"1234567" not in data


@locked
async def test_no_two_locked_archives_are_alike() -> None:
    assert await rendered(LOCKED, ROWS) != await rendered(LOCKED, ROWS)
