from decimal import Decimal

from repositories.reports.rows import ClaimRow
from repositories.vocabulary import ClaimState, ClaimType, FormId, ReportFormat, ReportType
from repositories.vocabulary import TimingTier as Tier
from tests.unit.service.reports.documents.examples import Rows, claim, rendered, request
from tests.unit.service.reports.documents.reading import csv_lines, pdf_pages, pdf_text

PDF = request(ReportType.WCB_TIMING, ReportFormat.PDF)
CSV = request(ReportType.WCB_TIMING, ReportFormat.CSV)


def wcb(number: int, form: FormId, tier: Tier | None, fee: str | None) -> ClaimRow:
    """Paid with this fee, or still waiting."""
    return claim(
        number,
        claim_type=ClaimType.WCB,
        form_id=form,
        timing_tier=tier,
        hsc_code=None,
        state=ClaimState.PAID if fee else ClaimState.SUBMITTED,
        assessed_fee=Decimal(fee) if fee else None,
    )


ROWS = Rows(
    [
        wcb(1, FormId.C050E, Tier.SAME_DAY, "94.15"),
        wcb(2, FormId.C050E, Tier.SAME_DAY, "94.16"),
        wcb(3, FormId.C050E, Tier.LATE, "54.08"),
        wcb(4, FormId.C050E, Tier.LATE, "54.08"),
        wcb(5, FormId.C050E, Tier.LATE, "54.08"),
        wcb(6, FormId.C050E, Tier.ON_TIME, None),
        wcb(7, FormId.C151, Tier.ON_TIME, "85.80"),
        wcb(8, FormId.C151, None, "20.00"),
        claim(9),
    ]
)


async def test_claims_are_counted_by_form_and_tier() -> None:
    lines = csv_lines(await rendered(CSV, ROWS))

    counted = [(r["form_id"], r["timing_tier"], r["submitted"], r["paid"]) for r in lines]
    assert counted == [
        ("C050E", "SAME_DAY", "2", "2"),
        ("C050E", "ON_TIME", "1", "0"),
        ("C050E", "LATE", "3", "3"),
        ("C151", "ON_TIME", "1", "1"),
        ("C151", "", "1", "1"),
    ]


async def test_a_later_tier_costs_what_same_day_would_have_brought_more() -> None:
    lines = csv_lines(await rendered(CSV, ROWS))

    # 3 claims at the average of 94.155 would be 282.465, and 162.24 was paid.
    assert [line["cost"] for line in lines] == ["", "", "120.23", "", ""]
    assert lines[2]["average_fee"] == "54.08"
    assert lines[2]["same_day_average"] == "94.16"


async def test_a_later_tier_that_brought_more_has_a_negative_cost() -> None:
    rows = Rows([wcb(1, FormId.C568, Tier.SAME_DAY, "10"), wcb(2, FormId.C568, Tier.LATE, "12.5")])

    assert csv_lines(await rendered(CSV, rows))[1]["cost"] == "-2.50"


async def test_the_pages_show_the_cost_and_the_total() -> None:
    text = pdf_text(await rendered(PDF, ROWS))

    assert "C050E Late 3 3 162.24 54.08 120.23" in text
    assert "C151 On time 1 1 85.80 85.80 –" in text
    assert "C151 No tier 1 1 20.00 20.00 –" in text
    assert "Total 8 7 456.35 65.19 120.23" in text


async def test_with_no_wcb_claims_it_says_so() -> None:
    assert "No WCB claims in this period." in pdf_text(await rendered(PDF, Rows([claim(1)])))


async def test_a_cost_that_nothing_is_known_of_is_a_dash() -> None:
    late = Rows([wcb(1, FormId.C050E, Tier.LATE, "54.08")])

    text = pdf_text(await rendered(PDF, late))

    assert "Cost of later tiers ($) 1 1 54.08 –" in text
    assert "Total 1 1 54.08 54.08 –" in text


async def test_a_long_table_leaves_no_page_to_a_chart_or_a_note() -> None:
    tiers = [*Tier, None]
    cells = [(form, tier) for form in FormId for tier in tiers]
    rows = Rows([wcb(n, form, tier, "50.00") for n, (form, tier) in enumerate(cells)])

    first, *others = pdf_pages(await rendered(PDF, rows))

    assert "Claims submitted by form" in first
    assert all("Cost against same day" in page for page in others)
