from decimal import Decimal
from uuid import UUID

from repositories.vocabulary import ReportFormat, ReportType
from tests.unit.service.reports.documents.examples import (
    LOCATIONS,
    UNNAMED_LOCATION,
    Rows,
    claim,
    rendered,
    request,
)
from tests.unit.service.reports.documents.reading import csv_lines, pdf_pages, pdf_text

PDF = request(ReportType.RRNP_QUARTERLY, ReportFormat.PDF)
CSV = request(ReportType.RRNP_QUARTERLY, ReportFormat.CSV)
NEAR, FAR = LOCATIONS[0].location_id, LOCATIONS[1].location_id
ROWS = Rows(
    [
        claim(1, location_id=NEAR, rrnp_premium=Decimal("3.00")),
        claim(2, location_id=FAR, rrnp_premium=Decimal("9.00")),
        claim(3, location_id=FAR, rrnp_premium=Decimal("0.00")),
        claim(4, location_id=UNNAMED_LOCATION, rrnp_premium=None),
    ]
)


async def test_premium_is_summed_by_location_the_largest_first() -> None:
    far, near, unnamed = csv_lines(await rendered(CSV, ROWS))

    assert far == {
        "location_id": str(FAR),
        "location": "Fort McMurray – Łukasz House",
        "rrnp_rate": "22.00",
        "paid_claims": "2",
        "revenue": "82.20",
        "claims_with_premium": "1",
        "premium": "9.00",
    }
    assert near["premium"] == "3.00"
    assert (unnamed["location"], unnamed["rrnp_rate"]) == (str(UNNAMED_LOCATION), "")
    assert (unnamed["claims_with_premium"], unnamed["premium"]) == ("0", "0.00")


async def test_the_pages_show_each_locations_share_and_the_total() -> None:
    text = pdf_text(await rendered(PDF, ROWS))

    assert "22.00 % 2 82.20 1 9.00 75.00 %" in text
    assert "Total 4 164.40 2 12.00 100.00 %" in text


async def test_a_premium_is_charted_only_if_there_is_one() -> None:
    rows = Rows([claim(1)])

    assert "by month of service ($): nothing to show" in pdf_text(await rendered(PDF, rows))
    assert "nothing to show" not in pdf_text(await rendered(PDF, ROWS))


async def test_a_long_table_leaves_no_page_to_a_chart_or_a_note() -> None:
    premium = Decimal("1.00")
    rows = [claim(n, location_id=UUID(int=n + 1), rrnp_premium=premium) for n in range(25)]

    first, *others = pdf_pages(await rendered(PDF, Rows(rows)))

    assert "RRNP premium by month" in first
    assert all("Claims with premium" in " ".join(page.split()) for page in others)
