"""A consumer as one would first write it: one event, one ORM session, one commit.

It knows submissions and payments, and keeps the 16 keys that a provider has at metrics revision 1.
It stays right only as long as it is alone and nothing dies. It is here to be compared with for
speed.
"""

import calendar
import json
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from uuid import UUID

from aiokafka import AIOKafkaConsumer
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from sqlalchemy.orm import DeclarativeBase

from repositories.postgres.database import open_engine
from repositories.postgres.database_url import CurrentUrl
from repositories.schema import metadata
from repositories.tables import CLAIM_COLUMNS, analytics_cache, claim_events, claims, providers
from service.settings import Settings

TOPICS = ("claim-submitted", "claim-paid")
CENT = Decimal("0.01")
Sums = Mapping[str, Any]
Contribution = tuple[str, dict[str, str] | None, Sums]


class Base(DeclarativeBase):
    metadata = metadata


class Provider(Base):
    __table__ = providers


class ClaimEvent(Base):
    __table__ = claim_events


class Claim(Base):
    __table__ = claims


class CacheRow(Base):
    __table__ = analytics_cache


CACHE = analytics_cache.c


async def consume(settings: Settings, events: int) -> float:
    """Apply the first `events` messages; returns messages a second."""
    engine = open_engine(CurrentUrl(settings.database_url.get_secret_value()))
    sessions = async_sessionmaker(engine)
    consumer = AIOKafkaConsumer(
        *(settings.topic(name) for name in TOPICS),
        bootstrap_servers=settings.kafka_bootstrap_servers,
        group_id=settings.group("plain"),
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    )
    await consumer.start()
    try:
        await consumer.getone()  # the group has formed, the first fetch is there
        began = time.monotonic()
        for _ in range(events):
            message = await consumer.getone()
            async with sessions.begin() as session:
                await _apply(session, message)
            await consumer.commit()
        return events / (time.monotonic() - began)
    finally:
        await consumer.stop()
        await engine.dispose()


async def _apply(session: AsyncSession, message: Any) -> None:
    fields = _fields(message)
    provider_id = fields["provider_id"]
    if await session.get(Provider, provider_id) is None:
        session.add(Provider(provider_id=provider_id, metrics_revision=1))
        await session.flush()
    claim: Any = await session.get(Claim, fields["claim_id"], with_for_update=True)
    session.add(ClaimEvent(**fields, **_source(message)))
    version = fields["claim_version"]
    if claim is None:
        claim = Claim(**fields, first_sent_version=version, last_sent_version=version)
        session.add(claim)
        await session.flush()
    else:
        claim.first_sent_version = min(claim.first_sent_version, version)
        claim.last_sent_version = max(claim.last_sent_version, version)
        if claim.claim_version >= version:
            return
        await _count(session, claim, -1)
        for name, value in fields.items():
            setattr(claim, name, value)
    await _count(session, claim, +1)


def _fields(message: Any) -> dict[str, Any]:
    data = json.loads(message.value, parse_float=Decimal)
    paid = dict(message.headers)["ce_type"].endswith(b"paid.v1")
    fields: dict[str, Any] = dict.fromkeys(CLAIM_COLUMNS) | data
    fields["state"] = "PAID" if paid else "SUBMITTED"
    fields["explanatory_codes"] = []
    for name in ("claim_id", "provider_id", "location_id"):
        fields[name] = fields[name] and UUID(fields[name])
    for name in ("date_of_service", "payment_date", "submission_deadline"):
        fields[name] = fields[name] and date.fromisoformat(fields[name])
    for name in ("submitted_fee", "assessed_fee", "rrnp_premium"):
        fields[name] = fields[name] and Decimal(fields[name])
    if fields["submitted_at"]:
        fields["submitted_at"] = datetime.fromisoformat(fields["submitted_at"])
    return fields


def _source(message: Any) -> dict[str, Any]:
    time_text = dict(message.headers)["ce_time"].decode()
    return {
        "occurred_at": datetime.fromisoformat(time_text),
        "source_topic": message.topic,
        "source_partition": message.partition,
        "source_offset": message.offset,
    }


async def _count(session: AsyncSession, claim: Any, sign: int) -> None:
    for key, dimensions, sums in _contributions(claim):
        row = await _row(session, claim, key, dimensions)
        row.value = _value(key, row.value or {}, sums, sign)
        row.computed_at = datetime.now(UTC)
        await session.flush()
    await _rank(session, claim)


def _contributions(claim: Any) -> Iterator[Contribution]:
    submitted = {"count": 1, "amount": claim.submitted_fee}
    for dimensions in (None, {"claim_type": claim.claim_type}):
        yield "claims_submitted", dimensions, submitted
        if claim.state == "SUBMITTED":
            yield "pending_pipeline", dimensions, submitted
    paid = {"count": 1, "amount": claim.assessed_fee} if claim.state == "PAID" else None
    if paid:
        yield from _paid_contributions(claim, paid)
    if claim.claim_type == "WCB":
        yield from _wcb_contributions(claim, paid)


def _paid_contributions(claim: Any, paid: Sums) -> Iterator[Contribution]:
    days = (claim.payment_date - claim.date_of_service).days
    for dimensions in (None, {"claim_type": claim.claim_type}):
        for key in ("claims_paid", "revenue_monthly", "avg_fee_per_claim"):
            yield key, dimensions, paid
        yield "avg_resolution_time", dimensions, {"count": 1, "days": days}
    if claim.ba_number:
        yield "revenue_by_ba", {"ba_number": claim.ba_number}, paid
    if claim.hsc_code:
        yield "revenue_by_hsc", {"hsc_code": claim.hsc_code}, paid
    if claim.location_id:
        site = {"location_id": str(claim.location_id)}
        yield "revenue_by_location", site, paid
        yield "multisite_revenue", site, paid
        if claim.rrnp_premium > 0:
            yield "multisite_rrnp", site, {"count": 1, "amount": claim.rrnp_premium}


def _wcb_contributions(claim: Any, paid: Sums | None) -> Iterator[Contribution]:
    amount = paid["amount"] if paid else Decimal("0.00")
    yield "wcb_by_form_type", {"form_id": claim.form_id}, {"count": 1, "amount": amount}
    if claim.timing_tier:
        tier = {"timing_tier": claim.timing_tier}
        yield "wcb_timing_tier_dist", tier, {"count": 1}
        if paid:
            yield "wcb_fee_tier_analysis", tier, paid
    if paid:
        yield "wcb_revenue_trend", None, paid


async def _row(session: AsyncSession, claim: Any, key: str, dimensions: Any) -> Any:
    start = claim.date_of_service.replace(day=1)
    same = CACHE.dimensions.is_(None) if dimensions is None else (CACHE.dimensions == dimensions)
    found: Any = await session.scalar(
        select(CacheRow).where(
            CACHE.provider_id == claim.provider_id,
            CACHE.metric_key == key,
            CACHE.period_start == start,
            same,
        )
    )
    if found is None:
        end = start.replace(day=calendar.monthrange(start.year, start.month)[1])
        found = CacheRow(
            provider_id=claim.provider_id, metric_key=key, period_start=start, period_end=end,
            dimensions=dimensions,
        )  # fmt: skip
        session.add(found)
    return found


def _value(key: str, old: Mapping[str, Any], sums: Mapping[str, Any], sign: int) -> dict[str, Any]:
    new: dict[str, Any] = {}
    for name, change in sums.items():
        if isinstance(change, int):
            new[name] = old.get(name, 0) + sign * change
        else:
            new[name] = str((Decimal(old.get(name, "0")) + sign * change).quantize(CENT))
    if key in {"avg_fee_per_claim", "wcb_fee_tier_analysis"}:
        new["average"] = _average(Decimal(new["amount"]), new["count"])
    if key == "avg_resolution_time":
        new["average_days"] = _average(Decimal(new["days"]), new["count"])
    return new


def _average(total: Decimal, count: int) -> str:
    return str((total / count).quantize(CENT, ROUND_HALF_UP)) if count else "0.00"


async def _rank(session: AsyncSession, claim: Any) -> None:
    start = claim.date_of_service.replace(day=1)
    codes: Any = await session.scalars(
        select(CacheRow).where(
            CACHE.provider_id == claim.provider_id,
            CACHE.metric_key == "revenue_by_hsc",
            CACHE.period_start == start,
        )
    )
    entries = [{"hsc_code": row.dimensions["hsc_code"], **row.value} for row in codes]
    entries.sort(key=lambda e: (-Decimal(e["amount"]), -e["count"], e["hsc_code"].encode()))
    row = await _row(session, claim, "top_hsc_codes", None)
    row.value = {"codes": entries[:10]}
    row.computed_at = datetime.now(UTC)
