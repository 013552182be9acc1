"""One physician's figures, as `analytics_cache` has them: what a dashboard would show."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from itertools import chain
from typing import Any, NamedTuple
from uuid import UUID

from repositories.claims.cache import metrics_present, read_metrics
from repositories.postgres.database import Database
from repositories.records import SelectAnalyticsCache
from repositories.vocabulary import MetricKey
from service.local.demo.open_claims import DAY_KEYS, NOTHING_OPEN, OpenClaims, open_claims

ZERO = Decimal("0.00")


class TopCode(NamedTuple):
    """A health service code among those that brought most, in dollars."""

    hsc_code: str
    amount: Decimal


@dataclass(frozen=True)
class Rejections:
    """What the payer refused, in claims; `rate` is in percent of what it decided.

    `reasons` are explanatory codes with their claims, the most frequent first. The last four are
    the funnel: of all that was ever refused, what was sent again, then paid, or given up.
    """

    refused: int = 0
    decided: int = 0
    rate: Decimal = ZERO
    reasons: Sequence[tuple[str, int]] = field(default_factory=list)
    ever_refused: int = 0
    sent_again: int = 0
    paid_then: int = 0
    given_up: int = 0


@dataclass(frozen=True)
class Coaching:
    """What the AI coach said and what came of it; `rate` is in percent of accepted and dismissed.

    `rules` are those that were followed most, with what that brought, `silenced` those that the
    physician wants no more of.
    """

    said: int = 0
    accepted: int = 0
    dismissed: int = 0
    rate: Decimal = ZERO
    recovered: Decimal = ZERO
    rules: Sequence[tuple[str, Decimal]] = field(default_factory=list)
    silenced: Sequence[str] = field(default_factory=list)


@dataclass(frozen=True)
class MonthFigures:
    """The figures of one month of service; money is in dollars. `month` is its first day.

    The coach's are of the month in which it spoke.
    """

    month: date
    submitted: int = 0
    paid: int = 0
    revenue: Decimal = ZERO
    average_fee: Decimal = ZERO
    pending: int = 0
    pending_amount: Decimal = ZERO
    days_to_payment: Decimal = ZERO
    by_ba: Mapping[str, Decimal] = field(default_factory=dict)
    by_location: Mapping[str, Decimal] = field(default_factory=dict)
    top_codes: Sequence[TopCode] = field(default_factory=list)
    rejections: Rejections = Rejections()
    coaching: Coaching = Coaching()


@dataclass(frozen=True)
class Dashboard:
    """What there is to see of one physician: months, the oldest first, and what is open today."""

    months: Sequence[MonthFigures] = ()
    open_claims: OpenClaims = NOTHING_OPEN


def money(amount: Decimal) -> str:
    return f"${amount:,.2f}"


async def read_dashboard(
    database: Database, provider_id: UUID, today: date, newest: int | None = None
) -> Dashboard:
    """The provider's months with claims, only the `newest` so many if given, and today's open ones.

    All are read at one moment. Raises a RepositoryError.
    """
    async with database.snapshot() as connection:
        submitted = await read_metrics(
            connection, provider_id, metric_key=MetricKey.CLAIMS_SUBMITTED
        )
        months = sorted({row.period_start for row in submitted})
        figures = [
            month_figures(month, await read_metrics(connection, provider_id, month=month))
            for month in (months if newest is None else months[-newest:])
        ]
        days = [await read_metrics(connection, provider_id, metric_key=key) for key in DAY_KEYS]
    return Dashboard(figures, open_claims(list(chain.from_iterable(days)), today))


async def read_live_keys(database: Database, providers: Sequence[UUID]) -> set[MetricKey]:
    """The metrics of which any of these providers has rows. Raises a RepositoryError."""
    found: set[MetricKey] = set()
    async with database.snapshot() as connection:
        for provider_id in providers:
            if len(found) < len(MetricKey):
                found |= await metrics_present(connection, provider_id)
    return found


def month_figures(month: date, rows: Sequence[SelectAnalyticsCache]) -> MonthFigures:
    """Picks the figures out of the month's rows; what has no row is nothing yet."""
    top: dict[str, Any] = {row.metric_key: row.value for row in rows if row.dimensions is None}
    paid = top.get(MetricKey.AVG_FEE_PER_CLAIM, {})
    pending = top.get(MetricKey.PENDING_PIPELINE, {})
    return MonthFigures(
        month=month,
        submitted=top.get(MetricKey.CLAIMS_SUBMITTED, {}).get("count", 0),
        paid=paid.get("count", 0),
        revenue=Decimal(paid.get("amount", ZERO)),
        average_fee=Decimal(paid.get("average", ZERO)),
        pending=pending.get("count", 0),
        pending_amount=Decimal(pending.get("amount", ZERO)),
        days_to_payment=Decimal(
            top.get(MetricKey.AVG_RESOLUTION_TIME, {}).get("average_days", ZERO)
        ),
        by_ba=_amounts(rows, MetricKey.REVENUE_BY_BA),
        by_location=_amounts(rows, MetricKey.REVENUE_BY_LOCATION),
        top_codes=[
            TopCode(code["hsc_code"], Decimal(code["amount"]))
            for code in top.get(MetricKey.TOP_HSC_CODES, {}).get("codes", [])
        ],
        rejections=_rejections(top, rows),
        coaching=_coaching(top),
    )


def _rejections(top: Mapping[str, Any], rows: Sequence[SelectAnalyticsCache]) -> Rejections:
    rate = top.get(MetricKey.REJECTION_RATE_MONTHLY, {})
    funnel = top.get(MetricKey.REJECTION_RESOLUTION_FUNNEL, {})
    counts = {
        row.dimensions["explanatory_code"]: row.value["count"]
        for row in rows
        if row.metric_key == MetricKey.REJECTION_BY_CODE and row.dimensions
    }
    reasons = [(code, count) for code, count in counts.items() if count]
    return Rejections(
        refused=rate.get("rejected", 0),
        decided=rate.get("decided", 0),
        rate=Decimal(rate.get("rate", ZERO)),
        reasons=sorted(reasons, key=lambda reason: (-reason[1], reason[0])),
        ever_refused=funnel.get("rejected", 0),
        sent_again=funnel.get("resubmitted", 0),
        paid_then=funnel.get("paid_on_resubmission", 0),
        given_up=funnel.get("written_off", 0),
    )


def _coaching(top: Mapping[str, Any]) -> Coaching:
    acceptance = top.get(MetricKey.AI_COACH_ACCEPTANCE_RATE, {})
    accepted_rules = top.get(MetricKey.AI_COACH_TOP_ACCEPTED, {}).get("rules", [])
    silenced = top.get(MetricKey.AI_COACH_SUPPRESSED, {}).get("rules", [])
    recovered = top.get(MetricKey.AI_COACH_REVENUE_RECOVERED, {})
    return Coaching(
        said=acceptance.get("generated", 0),
        accepted=acceptance.get("accepted", 0),
        dismissed=acceptance.get("dismissed", 0),
        rate=Decimal(acceptance.get("rate", ZERO)),
        recovered=Decimal(recovered.get("amount", ZERO)),
        rules=[(_name(rule), Decimal(rule["amount"])) for rule in accepted_rules],
        silenced=[_name(rule) for rule in silenced],
    )


def _name(rule: Mapping[str, Any]) -> str:
    return str(rule["rule_name"] or f"rule {str(rule['rule_id'])[:8]}")


def _amounts(rows: Sequence[SelectAnalyticsCache], metric_key: MetricKey) -> dict[str, Decimal]:
    """Amounts by the one value of each row's dimensions."""
    return {
        next(iter(row.dimensions.values())): Decimal(row.value["amount"])
        for row in rows
        if row.metric_key == metric_key and row.dimensions
    }
