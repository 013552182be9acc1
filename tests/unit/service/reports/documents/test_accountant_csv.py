from dataclasses import replace
from datetime import date
from decimal import Decimal

from repositories.vocabulary import ClaimState, ClaimType, FormId, ReportFormat, ReportType
from tests.unit.service.reports.documents.examples import (
    LOCATIONS,
    PROVIDER,
    UNNAMED_LOCATION,
    Rows,
    cached_metrics,
    claim,
    rendered,
    request,
    seeded_claims,
)
from tests.unit.service.reports.documents.reading import csv_header, csv_lines

SUMMARY = request(ReportType.ACCOUNTANT_SUMMARY, ReportFormat.CSV)
DETAIL = request(ReportType.ACCOUNTANT_DETAIL, ReportFormat.CSV)
COLUMNS = (
    "date_of_service,hsc_code,modifiers,submitted_fee,assessed_fee,payment_date,ba_number,"
    "location,claim_type"
)


async def test_the_columns_are_those_of_the_specification() -> None:
    summary, detail = await rendered(SUMMARY, Rows()), await rendered(DETAIL, Rows())

    assert summary.decode() == f"{COLUMNS}\r\n"
    assert detail.decode() == f"claim_id,patient_phn,{COLUMNS}\r\n"


async def test_a_paid_claim_is_one_line() -> None:
    paid = claim(5, modifiers=("CMGP01", "AGE75"), assessed_fee=Decimal("0.00"))

    [line] = csv_lines(await rendered(DETAIL, Rows([paid])))

    assert line == {
        "claim_id": "00000000-0000-0000-0000-000000000005",
        "patient_phn": "900000005",
        "date_of_service": "2025-03-10",
        "hsc_code": "03.03A",
        "modifiers": "CMGP01;AGE75",
        "submitted_fee": "41.10",
        "assessed_fee": "0.00",
        "payment_date": "2025-03-28",
        "ba_number": "1234567",
        "location": "Đặng Văn Ngữ Family Clinic",
        "claim_type": "AHCIP",
    }


async def test_the_summary_has_the_same_lines_without_claim_and_patient() -> None:
    rows = Rows(seeded_claims(50, date(2025, 1, 1), date(2025, 12, 31)))
    summary, detail = await rendered(SUMMARY, rows), await rendered(DETAIL, rows)

    assert csv_header(detail)[2:] == csv_header(summary)
    columns = csv_header(summary)
    cut = [{name: line[name] for name in columns} for line in csv_lines(detail)]
    assert cut == csv_lines(summary)


async def test_what_is_unknown_is_empty() -> None:
    wcb = claim(
        1,
        claim_type=ClaimType.WCB,
        form_id=FormId.C151,
        hsc_code=None,
        modifiers=(),
        ba_number=None,
        location_id=None,
        patient_phn=None,
    )

    [line] = csv_lines(await rendered(DETAIL, Rows([wcb])))

    empty = [name for name, text in line.items() if not text]
    assert empty == ["patient_phn", "hsc_code", "modifiers", "ba_number", "location"]


async def test_a_location_without_a_name_is_shown_by_its_id() -> None:
    rows = Rows([claim(1, location_id=UNNAMED_LOCATION)])

    [line] = csv_lines(await rendered(SUMMARY, rows))

    assert line["location"] == str(UNNAMED_LOCATION)


async def test_text_from_outside_runs_as_no_formula() -> None:
    evil = replace(LOCATIONS[0], name='=HYPERLINK("http://x","y")')
    asked = replace(SUMMARY, provider=replace(PROVIDER, locations=(evil,)))
    rows = Rows([claim(1, hsc_code="@03.03", modifiers=("+1", "=2"), ba_number="-7")])

    [line] = csv_lines(await rendered(asked, rows))

    assert line["location"] == '\'=HYPERLINK("http://x","y")'
    assert (line["hsc_code"], line["modifiers"], line["ba_number"]) == ("'@03.03", "'+1;=2", "-7")


async def test_only_paid_claims_of_the_period_are_there() -> None:
    days = [date(2024, 12, 31), date(2025, 1, 1), date(2025, 12, 31), date(2026, 1, 1)]
    paid = [claim(n, date_of_service=day) for n, day in enumerate(days)]
    others = [claim(9, state=ClaimState.REJECTED), claim(10, state=ClaimState.SUBMITTED)]

    lines = csv_lines(await rendered(SUMMARY, Rows([*paid, *others])))

    assert [line["date_of_service"] for line in lines] == ["2025-01-01", "2025-12-31"]


async def test_the_sum_equals_revenue_monthly_for_whole_months() -> None:
    rows = Rows(seeded_claims(300, date(2024, 11, 1), date(2026, 2, 28)))
    lines = csv_lines(await rendered(SUMMARY, rows))

    months = [
        row.value
        for row in cached_metrics(rows.rows)
        if row.metric_key == "revenue_monthly"
        and row.dimensions is None
        and row.period_start.year == 2025
    ]
    assert sum(Decimal(line["assessed_fee"]) for line in lines) == sum(
        Decimal(str(month["amount"])) for month in months
    )
    assert len(lines) == sum(int(str(month["count"])) for month in months)
