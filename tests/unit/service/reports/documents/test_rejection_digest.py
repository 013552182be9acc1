from datetime import date

from repositories.vocabulary import ClaimState, ReportFormat, ReportType
from tests.unit.service.reports.documents.examples import Rows, claim, rendered, request
from tests.unit.service.reports.documents.reading import csv_lines, pdf_text

PDF = request(ReportType.REJECTION_DIGEST, ReportFormat.PDF)
CSV = request(ReportType.REJECTION_DIGEST, ReportFormat.CSV)
ROWS = Rows(
    [
        claim(1, state=ClaimState.REJECTED, assessed_fee=None, payment_date=None),
        claim(2, state=ClaimState.REJECTED, assessed_fee=None, payment_date=None, modifiers=()),
        claim(3, state=ClaimState.REJECTED, hsc_code="08.19A", date_of_service=date(2025, 5, 1)),
        claim(4),
        claim(5, state=ClaimState.REJECTED, date_of_service=date(2024, 12, 31)),
    ]
)


async def test_with_no_rejections_it_says_so() -> None:
    text = pdf_text(await rendered(PDF, Rows([claim(1)])))

    assert "No claim with a date of service in this period stands rejected." in text
    assert csv_lines(await rendered(CSV, Rows([claim(1)]))) == []


async def test_rejections_are_counted_by_code() -> None:
    text = pdf_text(await rendered(PDF, ROWS))

    assert "03.03A 2 82.20 66.67 % 08.19A 1 41.10 33.33 % Total 3 123.30 100.00 %" in text
    assert "3 123.30 4 75.00 %" in text


async def test_it_says_that_explanatory_codes_are_not_known() -> None:
    assert "explanatory codes, which say why" in pdf_text(await rendered(PDF, ROWS))


async def test_each_rejected_claim_is_listed() -> None:
    lines = csv_lines(await rendered(CSV, ROWS))
    text = pdf_text(await rendered(PDF, ROWS))

    assert [line["claim_id"][-1] for line in lines] == ["1", "2", "3"]
    assert lines[0]["submitted_at"] == "2025-03-11T04:05:00+00:00"
    assert all(line["claim_id"] in text for line in lines)
