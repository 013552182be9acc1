from dataclasses import replace
from datetime import date
from decimal import Decimal
from uuid import UUID

import pytest

from repositories.reports.rows import Location
from repositories.vocabulary import ClaimState, ClaimType, FormId, ReportFormat, ReportType
from tests.unit.service.reports.documents.examples import (
    PROVIDER,
    Rows,
    cached_metrics,
    claim,
    rendered,
    request,
    seeded_claims,
)
from tests.unit.service.reports.documents.reading import pdf_last_page, pdf_pages, pdf_text

SUMMARY = request(ReportType.ACCOUNTANT_SUMMARY, ReportFormat.PDF)
DETAIL = request(ReportType.ACCOUNTANT_DETAIL, ReportFormat.PDF)
YEAR = Rows(seeded_claims(500, date(2025, 1, 1), date(2025, 12, 31)))
TWO_YEARS = date(2024, 1, 1), date(2025, 12, 30)


def revenue_of_2025(dimensions: dict[str, str] | None) -> Decimal:
    return sum(
        (
            Decimal(str(row.value["amount"]))
            for row in cached_metrics(YEAR.rows)
            if row.metric_key == "revenue_monthly" and row.dimensions == dimensions
        ),
        Decimal(0),
    )


async def test_the_summary_names_physician_numbers_and_period() -> None:
    first = pdf_text(await rendered(SUMMARY, YEAR))

    assert "Physician Łukasz Nguyễn-Đặng" in first
    assert "Billing number 123456789" in first
    assert "BA numbers 1234567, 2345678, 8000000001" in first
    assert "Period 2025-01-01 to 2025-12-31" in first
    assert "Requested 2026-02-03 09:45 MST · Report 3f2c7d1e-5b0a-4c57-9d7e-2a64c1f0b9aa" in first


async def test_the_summarys_totals_equal_revenue_monthly() -> None:
    text = pdf_text(await rendered(SUMMARY, YEAR))

    assert f"Adjusted claims {revenue_of_2025(None):,.2f}" in text
    for payer in ClaimType:
        row = text.split("Adjusted revenue ($)")[1].split(payer)[1].split("%")[0].split()
        assert row[2] == f"{revenue_of_2025({'claim_type': payer}):,.2f}"


async def test_the_summary_counts_adjusted_claims_with_their_corrected_fee() -> None:
    adjusted = claim(2, state=ClaimState.ADJUSTED, assessed_fee=Decimal("30.05"))

    text = pdf_text(await rendered(SUMMARY, Rows([claim(1), adjusted])))

    assert "AHCIP 2 82.20 71.15 100.00 % 1 30.05 -11.05" in text


async def test_the_summary_shows_the_premium_apart_from_revenue() -> None:
    rows = Rows([claim(1, rrnp_premium=Decimal("9.04")), claim(2, rrnp_premium=None)])

    text = pdf_text(await rendered(SUMMARY, rows))

    assert "82.20 2 9.04 0" in text


async def test_the_summary_breaks_revenue_down() -> None:
    text = pdf_text(await rendered(SUMMARY, YEAR))

    assert "Revenue by business arrangement" in text
    assert "Đặng Văn Ngữ Family Clinic" in text
    assert "No BA number" in text
    assert "No location" in text


async def test_the_summary_explains_gst() -> None:
    for rows in (Rows(), YEAR):
        text = pdf_text(await rendered(SUMMARY, rows))
        assert "Part II of Schedule V to the Excise Tax Act" in text


async def test_notes_that_the_first_page_does_not_hold_have_no_page_alone() -> None:
    provider = replace(PROVIDER, first_name="A Very Long Name " * 60)
    claims = [claim(n, ba_number=f"{n:010}") for n in range(1, 30)]
    asked = request(ReportType.ACCOUNTANT_SUMMARY, ReportFormat.PDF, provider=provider)

    _, second, *_ = pdf_pages(await rendered(asked, Rows(claims)))

    assert "GST" in second
    assert "Revenue by month" in second


@pytest.mark.parametrize("sites", [0, 1, 4, 60])
async def test_the_summary_has_two_to_four_pages(sites: int) -> None:
    start, end = TWO_YEARS
    name = "Community Health Centre of the Eastern Slopes and Foothills, Walk-in Department {}"
    locations = tuple(Location(UUID(int=n + 1), name.format(n)) for n in range(sites))
    claims = [
        replace(row, location_id=locations[n % sites].location_id, ba_number=f"{n % sites:010}")
        for n, row in enumerate(seeded_claims(900, start, end))
        if sites
    ]
    asked = request(
        ReportType.ACCOUNTANT_SUMMARY,
        ReportFormat.PDF,
        start,
        end,
        replace(PROVIDER, locations=locations),
    )

    pages = pdf_pages(await rendered(asked, Rows(claims)))

    assert 2 <= len(pages) <= 4


async def test_a_long_breakdown_keeps_its_total() -> None:
    rows = Rows([claim(n, ba_number=f"{n:07}") for n in range(1, 41)])

    text = pdf_text(await rendered(SUMMARY, rows))

    assert "and 28 more" in text
    assert "29 others 29 1,191.90 72.50 % Total 40 1,644.00 100.00 %" in text


async def test_the_detail_has_every_paid_claim_once() -> None:
    text = pdf_text(await rendered(DETAIL, YEAR))
    paid = [row async for row in YEAR.paid_claims(date(2025, 1, 1), date(2025, 12, 31))]

    for row in (paid[0], paid[len(paid) // 2], paid[-1]):
        code, modifiers = row.hsc_code or row.form_id, " ".join(row.modifiers) or "–"
        assert (
            f"{row.date_of_service} {code} {modifiers} {row.claim_type} {row.submitted_fee} "
            f"{row.assessed_fee} {row.payment_date} {row.ba_number or '–'}"
        ) in text
    assert text.count(" AHCIP ") + text.count(" WCB ") == len(paid)
    assert f"Total {len(paid):,} claims" in text


async def test_the_detail_has_subtotals_by_month() -> None:
    march = [claim(1), claim(2, assessed_fee=Decimal("40.00"))]
    rows = Rows([*march, claim(3, date_of_service=date(2025, 4, 1))])

    text = pdf_text(await rendered(DETAIL, rows))

    assert "Subtotal 2 claims 82.20 81.10" in text
    assert "Subtotal 1 claim 41.10 41.10 Total 3 claims 123.30 122.20" in text
    assert text.index("March 2025 Service") < text.index("April 2025 Service")


async def test_the_detail_counts_adjusted_claims_and_their_difference_by_month() -> None:
    more = claim(1, state=ClaimState.ADJUSTED, assessed_fee=Decimal("51.10"))
    less = claim(2, state=ClaimState.ADJUSTED, assessed_fee=Decimal("30.05"))
    april = claim(3, date_of_service=date(2025, 4, 1), assessed_fee=Decimal("0.00"))

    text = pdf_text(await rendered(DETAIL, Rows([more, less, april])))

    assert "March 2025 2 82.20 81.15 2 -1.05" in text
    assert "April 2025 1 41.10 0.00 0 0.00 Total 3 123.30 81.15 2 -1.05" in text


async def test_the_details_pages_repeat_the_columns() -> None:
    pages = pdf_pages(await rendered(DETAIL, YEAR))

    assert len(pages) > 5
    assert all("Modifiers" in page and "BA number" in page for page in pages)


async def test_no_page_of_the_detail_starts_with_a_lone_total() -> None:
    for count in range(40, 60):  # about as many as the first page holds
        pdf = await rendered(DETAIL, Rows([claim(n) for n in range(count)]))
        assert pdf_last_page(pdf).count("2025-03-10") >= 3


async def test_a_wcb_claim_without_a_code_is_shown_by_its_form() -> None:
    wcb = claim(1, claim_type=ClaimType.WCB, form_id=FormId.C050E, hsc_code=None)

    assert "2025-03-10 C050E CMGP01 WCB" in pdf_text(await rendered(DETAIL, Rows([wcb])))
