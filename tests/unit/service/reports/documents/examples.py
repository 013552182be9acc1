"""A physician, seeded claims, and the rows of the database as lists."""

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from random import Random
from uuid import UUID

from repositories.records import RequestedReport
from repositories.reports.rows import (
    ClaimHistoryRow,
    ClaimRow,
    Location,
    MetricRow,
    ProviderProfile,
    Received,
    ReportRow,
)
from repositories.vocabulary import (
    UNSENT_STATES,
    ClaimState,
    ClaimType,
    FormId,
    MetricKey,
    ReportFormat,
    ReportStatus,
    ReportType,
    TimingTier,
)
from service.reports.documents import render
from service.reports.documents.request import RenderRequest
from tests.oracle import cache_rows

PROVIDER_ID = UUID(int=7)
REPORT_ID = UUID("3f2c7d1e-5b0a-4c57-9d7e-2a64c1f0b9aa")
REQUESTED_AT = datetime(2026, 2, 3, 16, 45, tzinfo=UTC)
COMPUTED_AT = datetime(2026, 2, 3, 9, 0, tzinfo=UTC)
LOCATIONS = (
    Location(UUID(int=101), "Đặng Văn Ngữ Family Clinic", Decimal("7.50")),
    Location(UUID(int=102), "Fort McMurray – Łukasz House", Decimal("22.00")),
    Location(
        UUID(int=103),
        "Northern Lights Regional Health Centre, Department of Emergency Medicine, "
        "East Entrance, Second Floor",
        Decimal("29.11"),
    ),
)
UNNAMED_LOCATION = UUID(int=104)
PROVIDER = ProviderProfile(PROVIDER_ID, "Łukasz", "Nguyễn-Đặng", "123456789", LOCATIONS)
RECEIVED = Received(COMPUTED_AT, rejections=True, unsent=True)
NOTHING_RECEIVED = Received(None, rejections=False, unsent=False)
UNKNOWN_PROVIDER = ProviderProfile(PROVIDER_ID)
BA_NUMBERS = ("1234567", "2345678", "8000000001")
CODES = (("03.03A", "41.10"), ("03.04A", "110.79"), ("13.99E", "68.54"), ("08.19A", "58.92"))
MODIFIERS = ((), (), ("CMGP01",), ("CMGP01", "AGE75"), ("BMIPRO", "CALLBK", "SURCHG"))
DECISIONS = (ClaimState.PAID,) * 8 + (
    ClaimState.ADJUSTED,
    ClaimState.SUBMITTED,
    ClaimState.ASSESSED,
    ClaimState.REJECTED,
    ClaimState.WITHDRAWN,
)
TIER_FEES = {
    TimingTier.SAME_DAY: Decimal("94.15"),
    TimingTier.ON_TIME: Decimal("85.80"),
    TimingTier.LATE: Decimal("54.08"),
}


def claim(number: int, **changes: object) -> ClaimRow:
    """An AHCIP claim that was paid in full; `number` makes it another one."""
    plain = ClaimRow(
        claim_id=UUID(int=number),
        claim_version=2,
        state=ClaimState.PAID,
        claim_type=ClaimType.AHCIP,
        date_of_service=date(2025, 3, 10),
        patient_phn=f"{900_000_000 + number}",
        ba_number=BA_NUMBERS[0],
        location_id=LOCATIONS[0].location_id,
        hsc_code="03.03A",
        modifiers=("CMGP01",),
        form_id=None,
        timing_tier=None,
        submitted_fee=Decimal("41.10"),
        submitted_at=datetime(2025, 3, 11, 4, 5, tzinfo=UTC),
        submission_deadline=None,
        assessed_fee=Decimal("41.10"),
        payment_date=date(2025, 3, 28),
        rrnp_premium=Decimal("0.00"),
        explanatory_codes=(),
        created_at=None,
    )
    return replace(plain, **changes)  # type: ignore[arg-type]  # the tests name real fields


def seeded_claims(count: int, start: date, end: date, seed: int = 1) -> list[ClaimRow]:
    """Claims of every payer and state, spread over the days, in the order that reports read."""
    random = Random(seed)
    rows = [_seeded(random, number, start, end) for number in range(1, count + 1)]
    return sorted(rows, key=lambda row: (row.date_of_service, row.claim_id))


def _seeded(random: Random, number: int, start: date, end: date) -> ClaimRow:
    day = start + timedelta(days=random.randrange((end - start).days + 1))
    state = random.choice(DECISIONS)
    sites = [*(location.location_id for location in LOCATIONS), UNNAMED_LOCATION, None]
    common = claim(
        number,
        state=state,
        date_of_service=day,
        location_id=random.choice(sites),
        submitted_at=datetime(day.year, day.month, day.day, 23, 15, tzinfo=UTC),
    )
    row = _ahcip(random, common) if random.random() < 0.8 else _wcb(random, common)
    return _settled(random, row)


def _ahcip(random: Random, row: ClaimRow) -> ClaimRow:
    code, fee = random.choice(CODES)
    return replace(
        row,
        ba_number=random.choice(BA_NUMBERS),
        hsc_code=code,
        modifiers=random.choice(MODIFIERS),
        submitted_fee=Decimal(fee),
    )


def _wcb(random: Random, row: ClaimRow) -> ClaimRow:
    tier = random.choice(list(TimingTier))
    return replace(
        row,
        claim_type=ClaimType.WCB,
        ba_number=None,
        hsc_code=None,
        modifiers=(),
        form_id=random.choice([FormId.C050E, FormId.C151, FormId.C568]),
        timing_tier=tier,
        submitted_fee=TIER_FEES[tier],
    )


def _settled(random: Random, row: ClaimRow) -> ClaimRow:
    """Money and days that belong to the state."""
    if row.state in (ClaimState.PAID, ClaimState.ADJUSTED):
        share = Decimal("0.90") if row.state is ClaimState.ADJUSTED else Decimal(1)
        rural = row.location_id in (LOCATIONS[1].location_id, LOCATIONS[2].location_id)
        return replace(
            row,
            assessed_fee=((row.submitted_fee or Decimal(0)) * share).quantize(Decimal("0.01")),
            payment_date=row.date_of_service + timedelta(days=random.randrange(9, 40)),
            rrnp_premium=Decimal("9.04") if rural else Decimal("0.00"),
        )
    fee = row.submitted_fee if row.state is ClaimState.ASSESSED else None
    codes = ("05A", "39") if row.state is ClaimState.REJECTED else ()
    return replace(
        row, assessed_fee=fee, payment_date=None, rrnp_premium=None, explanatory_codes=codes
    )


def happened(at: str | datetime, claim: ClaimRow, **changes: object) -> ClaimHistoryRow:
    """A version of a claim that came about then; text is in ISO 8601, with an offset."""
    moment = datetime.fromisoformat(at) if isinstance(at, str) else at
    changed = replace(claim, **changes)  # type: ignore[arg-type]  # the tests name real fields
    return ClaimHistoryRow(changed, moment, COMPUTED_AT)


def history_of(row: ClaimRow) -> list[ClaimHistoryRow]:
    """Sent when it says so, and what it is now twelve days later."""
    sent_at = row.submitted_at or REQUESTED_AT
    first = {"claim_version": 1, "state": ClaimState.SUBMITTED, "assessed_fee": None}
    settled_at = sent_at + timedelta(days=12)
    return [happened(sent_at, row, **first), happened(settled_at, row)]


def _of_its_history(row: ClaimRow) -> dict[str, object]:
    """What a claim's row has beside what an event says: it was sent, and is what it is since."""
    rejected = row.claim_version if row.state is ClaimState.REJECTED else None
    versions = {"first_sent_version": 1, "first_rejected_version": rejected, "last_sent_version": 1}
    return {"provider_id": PROVIDER_ID, "created_day": None, **versions}


def cached_metrics(claims: Iterable[ClaimRow]) -> list[MetricRow]:
    """What `analytics_cache` holds for these claims, by the tests' own oracle."""
    plain = [{**_of_its_history(row), **asdict(row)} for row in claims]
    return [
        MetricRow(
            MetricKey(key.metric_key),
            key.period_start,
            key.period_end,
            dict(key.dimensions) if key.dimensions else None,
            dict(value),
            COMPUTED_AT,
        )
        for key, value in cache_rows(plain).items()
    ]


@dataclass
class Rows:
    """A `ReportSource` over lists; `histories` by claim, in order of the versions."""

    rows: Sequence[ClaimRow] = ()
    reported: Sequence[ReportRow] = ()
    cached: Sequence[MetricRow] | None = None
    histories: Sequence[Sequence[ClaimHistoryRow]] = ()
    asked_months: list[date] = field(default_factory=list)

    async def paid_claims(self, start: date, end: date) -> AsyncIterator[ClaimRow]:
        for row in self.rows:
            paid = row.state in (ClaimState.PAID, ClaimState.ADJUSTED)
            if paid and start <= row.date_of_service <= end:
                yield row

    async def submitted_claims(self, start: date, end: date) -> AsyncIterator[ClaimRow]:
        for row in self.rows:
            known = row.state is not ClaimState.WITHDRAWN
            if known and start <= row.date_of_service <= end:
                yield row

    async def unsent_claims(self) -> AsyncIterator[ClaimRow]:
        for row in self.rows:
            if row.state in UNSENT_STATES:
                yield row

    async def all_claims(self) -> AsyncIterator[ClaimRow]:
        for row in self.rows:
            yield row

    async def claim_history(self) -> AsyncIterator[ClaimHistoryRow]:
        for row in self.rows:
            for version in history_of(row):
                yield version

    async def changed_claims(self, start: date, end: date) -> AsyncIterator[ClaimHistoryRow]:
        """All claims: leaving out those to which nothing happened only saves work."""
        histories = self.histories or [history_of(row) for row in self.rows]
        for history in histories:
            if history[-1].claim.state is not ClaimState.WITHDRAWN:
                for version in history:
                    yield version

    async def metrics(self, months: Sequence[date] | None = None) -> AsyncIterator[MetricRow]:
        self.asked_months = list(months or ())
        for row in cached_metrics(self.rows) if self.cached is None else self.cached:
            if months is None or row.period_start in months:
                yield row

    async def reports(self) -> AsyncIterator[ReportRow]:
        for row in self.reported:
            yield row


def report_row(number: int) -> ReportRow:
    return ReportRow(
        report_id=UUID(int=number),
        provider_id=PROVIDER_ID,
        report_type=ReportType.ACCOUNTANT_SUMMARY,
        format=ReportFormat.PDF,
        period_start=date(2025, 1, 1),
        period_end=date(2025, 12, 31),
        status=ReportStatus.READY,
        file_size_bytes=12_345,
        downloaded=True,
        scheduled=False,
        created_at=COMPUTED_AT,
        download_link_expires_at=REQUESTED_AT,
    )


def request(
    report_type: ReportType,
    format: ReportFormat,  # noqa: A002  # the field's name
    start: date | None = date(2025, 1, 1),
    end: date | None = date(2025, 12, 31),
    provider: ProviderProfile = PROVIDER,
    password: str | None = None,
    received: Received = RECEIVED,
) -> RenderRequest:
    if report_type is ReportType.DATA_PORTABILITY:
        start = end = None
    report = RequestedReport(
        report_id=REPORT_ID,
        provider_id=provider.provider_id,
        report_type=report_type,
        format=format,
        period_start=start,
        period_end=end,
    )
    return RenderRequest(report, provider, received, REQUESTED_AT, password)


async def rendered(asked: RenderRequest, rows: Rows) -> bytes:
    return b"".join([chunk async for chunk in render(asked, rows)])
