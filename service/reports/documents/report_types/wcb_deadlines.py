"""WCB_TIMING of days that lie ahead: unsent WCB claims whose tier falls on them, day by day.

When a tier falls is a rule of the platform that no event states. What an unsent claim's newest
event says decides: it keeps its `timing_tier` through its `submission_deadline`, and has a later
tier from the next day on. So only a claim with both, whose tier is not the last, can be told of.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from enum import Enum
from itertools import chain

from repositories.calendar import day_in_alberta
from repositories.reports.rows import ClaimRow
from repositories.vocabulary import ClaimType, TimingTier
from service.reports.documents import model as doc
from service.reports.documents.csv_file import CsvTable
from service.reports.documents.figures import Tally
from service.reports.documents.request import Period, RenderRequest, ReportSource
from service.reports.documents.wording import TIER_NAMES, framed

COUNTS = "last days on which an unsent claim keeps its tier"
NONE_FALLS = "No tier of an unsent WCB claim is known to fall on these days."
MEANING = (
    "A claim counts on the last day on which it keeps its timing tier if it is sent: its "
    "submission deadline, as its newest event states it. From the next day on it has a later tier. "
    "The rules by which tiers fall are not part of the data that this report is made from, so "
    "nothing is said about claims without a stated tier and deadline."
)
NO_UNSENT = (
    "No claim of this physician was ever received before it was sent, so nothing is said about "
    "claims that wait to be sent: no news of them is not the same as none."
)
CSV_HEADER = (
    "last_day",
    "claim_id",
    "state",
    "date_of_service",
    "form_id",
    "timing_tier",
    "submitted_fee",
)


class Fall(Enum):
    """When an unsent claim's tier falls, seen from the period."""

    WITHIN = "The tier falls in these days"
    LATER = "The tier falls later"
    BEFORE = "The deadline for the tier is over"
    NEVER = "The tier is the last one"
    UNKNOWN = "No tier or no deadline is stated"


def fall(claim: ClaimRow, period: Period) -> Fall:
    tier, last_day = claim.timing_tier, claim.submission_deadline
    if tier is TimingTier.LATE:
        return Fall.NEVER
    if tier is None or last_day is None:
        return Fall.UNKNOWN
    if last_day < period.start:
        return Fall.BEFORE
    return Fall.WITHIN if last_day <= period.end else Fall.LATER


Ahead = Mapping[Fall, Sequence[ClaimRow]]  # every kind is there


def lies_ahead(request: RenderRequest) -> bool:
    """Seen from the day of the request: one that waited is still about the days it asked for."""
    return request.period.start >= day_in_alberta(request.requested_at)


async def query(request: RenderRequest, rows: ReportSource) -> Ahead:
    """In order of the days on which tiers fall."""
    ahead: dict[Fall, list[ClaimRow]] = {kind: [] for kind in Fall}
    async for claim in rows.unsent_claims():
        if claim.claim_type is ClaimType.WCB:
            ahead[fall(claim, request.period)].append(claim)
    ahead[Fall.WITHIN].sort(key=_day_form_tier)
    return ahead


def _day_form_tier(claim: ClaimRow) -> tuple[date, str, int]:
    tiers = [*TIER_NAMES]
    return (
        claim.submission_deadline or date.max,
        claim.form_id or "",
        tiers.index(claim.timing_tier),
    )


def _tally(claims: Iterable[ClaimRow]) -> Tally:
    """Submitted fees; an unfinished draft may have none."""
    tally = Tally()
    for claim in claims:
        tally.add(claim.submitted_fee)
    return tally


def show(request: RenderRequest, ahead: Ahead) -> doc.Document:
    whole, falling = _tally(chain.from_iterable(ahead.values())), _tally(ahead[Fall.WITHIN])
    heard = request.received.unsent
    blocks: list[doc.Block] = [
        doc.KeyFigures(
            [
                ("Unsent WCB claims", doc.Kind.COUNT, whole.count if heard else None),
                ("Their tier falls", doc.Kind.COUNT, falling.count if heard else None),
                ("Submitted for these ($)", doc.Kind.MONEY, falling.amount if heard else None),
            ]
        ),
        doc.Note(MEANING if heard else NO_UNSENT),
        *(_details(ahead, whole, falling) if heard else []),
    ]
    return framed(request, "WCB timing", blocks, counts=COUNTS)


def _details(ahead: Ahead, whole: Tally, falling: Tally) -> list[doc.Block]:
    return [
        doc.Heading("Day by day"),
        _days(ahead[Fall.WITHIN], falling),
        doc.Heading("All unsent WCB claims"),
        _kinds(ahead, whole),
        doc.Heading("By claim"),
        _claims(ahead[Fall.WITHIN], falling),
    ]


def _days(claims: Sequence[ClaimRow], whole: Tally) -> doc.Table:
    columns = [
        doc.Column("Last day", doc.Kind.DATE),
        doc.Column("Form"),
        doc.Column("Timing tier"),
        doc.Column("Unsent claims", doc.Kind.COUNT),
        doc.Column("Submitted ($)", doc.Kind.MONEY),
    ]
    tallies: dict[tuple[date | None, str | None, TimingTier | None], Tally] = defaultdict(Tally)
    for claim in claims:
        key = claim.submission_deadline, claim.form_id, claim.timing_tier
        tallies[key].add(claim.submitted_fee)
    rows: list[doc.Row] = [
        [day, form, TIER_NAMES[tier], tally.count, tally.amount]
        for (day, form, tier), tally in tallies.items()
    ]
    closing: doc.Row = ["Total", None, None, whole.count, whole.amount]
    return doc.table(columns, rows, NONE_FALLS, closing)


def _claims(claims: Sequence[ClaimRow], whole: Tally) -> doc.Table:
    columns = [
        doc.Column("Last day", doc.Kind.DATE),
        doc.Column("Claim"),
        doc.Column("State"),
        doc.Column("Service date", doc.Kind.DATE),
        doc.Column("Form"),
        doc.Column("Timing tier"),
        doc.Column("Submitted ($)", doc.Kind.MONEY),
    ]
    rows: list[doc.Row] = [
        [
            claim.submission_deadline,
            str(claim.claim_id),
            claim.state.capitalize(),
            claim.date_of_service,
            claim.form_id,
            TIER_NAMES[claim.timing_tier],
            claim.submitted_fee,
        ]
        for claim in claims
    ]
    closing: doc.Row = ["Total", f"{whole.count:,}", *[None] * 4, whole.amount]
    return doc.Table(columns, [doc.Group(rows)], NONE_FALLS, closing, dense=True)


def _kinds(ahead: Ahead, whole: Tally) -> doc.Table:
    columns = [
        doc.Column("Unsent WCB claims"),
        doc.Column("Claims", doc.Kind.COUNT),
        doc.Column("Submitted ($)", doc.Kind.MONEY),
    ]
    tallies = [(kind.value, _tally(ahead[kind])) for kind in Fall]
    rows: list[doc.Row] = [[name, each.count, each.amount] for name, each in tallies if each.count]
    closing: doc.Row = ["Total", whole.count, whole.amount]
    return doc.table(columns, rows, "There is none.", closing)


def flatten(_request: RenderRequest, ahead: Ahead) -> CsvTable:
    """One line per claim whose tier falls in the period."""
    lines = [
        [
            claim.submission_deadline,
            claim.claim_id,
            claim.state,
            claim.date_of_service,
            claim.form_id,
            claim.timing_tier,
            claim.submitted_fee,
        ]
        for claim in ahead[Fall.WITHIN]
    ]
    return CsvTable(CSV_HEADER, lines)
