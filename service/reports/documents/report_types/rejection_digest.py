"""REJECTION_DIGEST: the rejections received in a period, by explanatory code and by claim."""

from collections import defaultdict
from collections.abc import Sequence

from repositories.calendar import day_in_alberta
from repositories.vocabulary import ReportFormat, ReportType
from service.reports.documents import model as doc
from service.reports.documents.changes import claim_by_claim
from service.reports.documents.csv_file import CsvTable
from service.reports.documents.definition import ReportDefinition, as_csv, as_pdf
from service.reports.documents.figures import (
    ZERO,
    Tally,
    largest_first,
    percent,
)
from service.reports.documents.rejections import Outcome, RejectedClaim, rejected_claim
from service.reports.documents.report_types.accountant_detail import SEPARATOR
from service.reports.documents.request import RenderRequest, ReportSource
from service.reports.documents.wording import NO_REJECTIONS, Places, framed

COUNTS = "days on which rejections were received, whenever the service was given"
NONE_RECEIVED = "No rejection was received in this period."
NO_CODE = "No code"
CSV_HEADER = (
    "claim_id",
    "rejected_at",
    "rejections",
    "explanatory_codes",
    "outcome",
    "date_of_service",
    "claim_type",
    "hsc_code",
    "form_id",
    "modifiers",
    "ba_number",
    "location",
    "submitted_fee",
    "paid_fee",
)


NAMES = {
    Outcome.STILL_REJECTED: "Still rejected",
    Outcome.BEING_CORRECTED: "Being corrected",
    Outcome.RESUBMITTED: "Resubmitted",
    Outcome.REJECTED_AGAIN: "Rejected again",
    Outcome.PAID: "Paid",
    Outcome.WRITTEN_OFF: "Written off",
    Outcome.EXPIRED: "Expired",
}
Digest = Sequence[RejectedClaim]


async def query(request: RenderRequest, rows: ReportSource) -> Digest:
    """The rejected claims, the first rejection first."""
    period = request.period
    history = rows.changed_claims(period.start, period.end)
    found = [rejected_claim(changes, period) async for changes in claim_by_claim(history)]
    rejected = [each for each in found if each is not None]
    return sorted(rejected, key=lambda each: (each.rejected_at, each.claim.claim_id))


def _tally(digest: Digest) -> Tally:
    """Submitted fees of the rejected versions."""
    tally = Tally()
    for each in digest:
        tally.add(each.claim.submitted_fee)
    return tally


def _of(digest: Digest, outcome: Outcome) -> Digest:
    return [each for each in digest if each.outcome is outcome]


def show(request: RenderRequest, digest: Digest) -> doc.Document:
    whole = _tally(digest)
    figures = doc.KeyFigures(
        [
            ("Rejected claims", doc.Kind.COUNT, whole.count),
            ("Submitted for them ($)", doc.Kind.MONEY, whole.amount),
            ("Paid since", doc.Kind.COUNT, len(_of(digest, Outcome.PAID))),
            ("Still rejected", doc.Kind.COUNT, len(_of(digest, Outcome.STILL_REJECTED))),
        ]
    )
    nothing = doc.Note(NONE_RECEIVED if request.received.rejections else NO_REJECTIONS)
    details = _details(request, digest) if digest else [nothing]
    return framed(request, "Rejection digest", [figures, *details], counts=COUNTS)


def _details(request: RenderRequest, digest: Digest) -> list[doc.Block]:
    return [
        doc.Heading("What has become of them"),
        _outcomes(digest),
        doc.Heading("By explanatory code"),
        doc.Note(
            "Codes are the payer's. A claim with several counts under each of them, so the lines "
            "may add up to more than the rejected claims."
        ),
        _codes(digest),
        doc.Heading("By claim"),
        doc.Note(
            "A claim that was rejected several times in the period stands once, with the day of "
            "the last time. A claim that was withdrawn since is left out."
        ),
        _claims(digest),
    ]


def _outcomes(digest: Digest) -> doc.Table:
    columns = [
        doc.Column("Since then"),
        doc.Column("Claims", doc.Kind.COUNT),
        doc.Column("Submitted ($)", doc.Kind.MONEY),
        doc.Column("Share of claims", doc.Kind.PERCENT),
    ]
    tallies = [(NAMES[outcome], _tally(_of(digest, outcome))) for outcome in Outcome]
    *rows, closing = [
        [name, tally.count, tally.amount, percent(tally.count, len(digest))]
        for name, tally in [*tallies, ("Total", _tally(digest))]
        if tally.count
    ]
    return doc.table(columns, rows, NONE_RECEIVED, closing)


def _codes(digest: Digest) -> doc.Table:
    columns = [
        doc.Column("Explanatory code"),
        doc.Column("Rejected claims", doc.Kind.COUNT),
        doc.Column("Submitted ($)", doc.Kind.MONEY),
        doc.Column("Share of claims", doc.Kind.PERCENT),
        doc.Column("Paid since", doc.Kind.COUNT),
        doc.Column("Still rejected", doc.Kind.COUNT),
    ]
    by_code: dict[str, list[RejectedClaim]] = defaultdict(list)
    for each in digest:
        for code in each.codes or [NO_CODE]:
            by_code[code].append(each)
    rows = [
        [
            code,
            tally.count,
            tally.amount,
            percent(tally.count, len(digest)),
            len(_of(by_code[code], Outcome.PAID)),
            len(_of(by_code[code], Outcome.STILL_REJECTED)),
        ]
        for code, tally in largest_first({code: _tally(of) for code, of in by_code.items()})
    ]
    return doc.table(columns, rows, NONE_RECEIVED, None)


def _claims(digest: Digest) -> doc.Table:
    columns = [
        doc.Column("Rejected", doc.Kind.DATE),
        doc.Column("Claim"),
        doc.Column("Service date", doc.Kind.DATE),
        doc.Column("Code"),
        doc.Column("Payer"),
        doc.Column("Explanatory codes"),
        doc.Column("Submitted ($)", doc.Kind.MONEY),
        doc.Column("Since then"),
        doc.Column("Paid ($)", doc.Kind.MONEY),
    ]
    rows: list[doc.Row] = [
        [
            day_in_alberta(each.rejected_at),
            str(each.claim.claim_id),
            each.claim.date_of_service,
            each.claim.hsc_code or each.claim.form_id,
            each.claim.claim_type,
            ", ".join(each.codes) or None,
            each.claim.submitted_fee,
            NAMES[each.outcome],
            each.paid_fee,
        ]
        for each in digest
    ]
    paid = sum((each.paid_fee or ZERO for each in digest), ZERO)
    whole = _tally(digest)
    closing: doc.Row = ["Total", f"{whole.count:,}", *[None] * 4, whole.amount, None, paid]
    return doc.Table(columns, [doc.Group(rows)], NONE_RECEIVED, closing, dense=True)


def flatten(request: RenderRequest, digest: Digest) -> CsvTable:
    """One line per claim: as it was when it was rejected, and what it has brought since."""
    places = Places(request.provider)
    lines = [
        [
            each.claim.claim_id,
            each.rejected_at,
            each.rejections,
            SEPARATOR.join(each.codes),
            each.outcome,
            each.claim.date_of_service,
            each.claim.claim_type,
            each.claim.hsc_code,
            each.claim.form_id,
            SEPARATOR.join(each.claim.modifiers),
            each.claim.ba_number,
            places.cell(each.claim.location_id),
            each.claim.submitted_fee,
            each.paid_fee,
        ]
        for each in digest
    ]
    return CsvTable(CSV_HEADER, lines)


DEFINITION = ReportDefinition(
    ReportType.REJECTION_DIGEST,
    {ReportFormat.PDF: as_pdf(query, show), ReportFormat.CSV: as_csv(query, flatten)},
)
