"""From rows of `analytics_cache` to a month's figures."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import uuid4

from repositories.records import SelectAnalyticsCache
from repositories.vocabulary import MetricKey
from service.demo.figures import MonthFigures, TopCode, month_figures

MONTH = date(2025, 11, 1)


def row(
    metric_key: MetricKey, value: dict[str, Any], dimensions: dict[str, str] | None = None
) -> SelectAnalyticsCache:
    return SelectAnalyticsCache(
        cache_id=uuid4(),
        provider_id=uuid4(),
        metric_key=metric_key,
        period_start=MONTH,
        period_end=date(2025, 11, 30),
        dimensions=dimensions,
        value=value,
        computed_at=datetime.now(UTC),
    )


def test_figures_come_from_the_top_level_rows() -> None:
    paid = {"count": 12, "amount": "1812.50"}
    figures = month_figures(
        MONTH,
        [
            row(MetricKey.CLAIMS_SUBMITTED, {"count": 88, "amount": "9000.00"}),
            row(MetricKey.AVG_FEE_PER_CLAIM, {**paid, "average": "151.04"}),
            row(MetricKey.PENDING_PIPELINE, {"count": 76, "amount": "5010.00"}),
            row(MetricKey.AVG_RESOLUTION_TIME, {"count": 12, "days": 147, "average_days": "12.25"}),
        ],
    )
    assert figures == MonthFigures(
        month=MONTH,
        submitted=88,
        paid=12,
        revenue=Decimal("1812.50"),
        average_fee=Decimal("151.04"),
        pending=76,
        pending_amount=Decimal("5010.00"),
        days_to_payment=Decimal("12.25"),
    )


def test_a_row_with_dimensions_is_not_taken_for_the_whole() -> None:
    submitted = {"count": 80, "amount": "8000.00"}
    figures = month_figures(
        MONTH, [row(MetricKey.CLAIMS_SUBMITTED, submitted, {"claim_type": "AHCIP"})]
    )
    assert figures.submitted == 0


def test_breakdowns_are_by_business_arrangement_and_location() -> None:
    figures = month_figures(
        MONTH,
        [
            row(MetricKey.REVENUE_BY_BA, {"count": 1, "amount": "7.00"}, {"ba_number": "1234567"}),
            row(
                MetricKey.REVENUE_BY_LOCATION, {"count": 1, "amount": "5.00"}, {"location_id": "x"}
            ),
        ],
    )
    assert figures.by_ba == {"1234567": Decimal("7.00")}
    assert figures.by_location == {"x": Decimal("5.00")}


def test_top_codes_keep_their_order() -> None:
    codes = [
        {"hsc_code": "03.03A", "count": 2, "amount": "50.00"},
        {"hsc_code": "13.4 A", "count": 9, "amount": "40.23"},
    ]
    figures = month_figures(MONTH, [row(MetricKey.TOP_HSC_CODES, {"codes": codes})])
    assert figures.top_codes == [
        TopCode("03.03A", Decimal("50.00")),
        TopCode("13.4 A", Decimal("40.23")),
    ]


def test_a_month_without_rows_is_all_zeros() -> None:
    assert month_figures(MONTH, []) == MonthFigures(MONTH)
