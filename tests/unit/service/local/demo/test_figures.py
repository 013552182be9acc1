"""From rows of `analytics_cache` to a month's figures."""

from decimal import Decimal

from repositories.records import SelectAnalyticsCache
from repositories.vocabulary import MetricKey
from service.local.demo.figures import Coaching, MonthFigures, Rejections, TopCode, month_figures
from tests.unit.service.local.demo.cache_rows import MONTH, row


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


def test_rejections_have_their_reasons_and_what_became_of_them() -> None:
    def refused_for(code: str, count: int) -> SelectAnalyticsCache:
        value = {"count": count, "amount": "9.00"}
        return row(MetricKey.REJECTION_BY_CODE, value, {"explanatory_code": code})

    funnel = {"rejected": 6, "resubmitted": 4, "paid_on_resubmission": 3, "written_off": 1}
    figures = month_figures(
        MONTH,
        [
            row(MetricKey.REJECTION_RATE_MONTHLY, {"rejected": 3, "decided": 20, "rate": "15.00"}),
            row(MetricKey.REJECTION_RESOLUTION_FUNNEL, funnel),
            refused_for("05", 1),
            refused_for("39B", 2),
            refused_for("20A", 1),
            refused_for("67", 0),
        ],
    )
    reasons = [("39B", 2), ("05", 1), ("20A", 1)]
    assert figures.rejections == Rejections(3, 20, Decimal("15.00"), reasons, 6, 4, 3, 1)


def test_the_coach_has_its_numbers_and_its_rules() -> None:
    named = {"rule_id": "11111111-1111-4111-8111-111111111111", "rule_name": "Age modifier"}
    unnamed = {**named, "rule_name": None}
    acceptance = {"generated": 5, "accepted": 2, "dismissed": 1, "rate": "66.67"}
    followed = [{**named, "count": 2, "amount": "30.10"}]
    since = "2025-11-03T17:00:00.000000Z"
    figures = month_figures(
        MONTH,
        [
            row(MetricKey.AI_COACH_ACCEPTANCE_RATE, acceptance),
            row(MetricKey.AI_COACH_REVENUE_RECOVERED, {"count": 2, "amount": "30.10"}),
            row(MetricKey.AI_COACH_TOP_ACCEPTED, {"rules": followed}),
            row(MetricKey.AI_COACH_SUPPRESSED, {"rules": [{**unnamed, "since": since}]}),
        ],
    )
    rules, silenced = [("Age modifier", Decimal("30.10"))], ["rule 11111111"]
    rate, recovered = Decimal("66.67"), Decimal("30.10")
    assert figures.coaching == Coaching(5, 2, 1, rate, recovered, rules, silenced)


def test_a_month_without_rows_is_all_zeros() -> None:
    assert month_figures(MONTH, []) == MonthFigures(MONTH)
