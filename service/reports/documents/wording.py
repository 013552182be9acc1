"""How values and places read to a person, what frames every document, and foreign text made fit."""

import unicodedata
from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

from repositories.calendar import ALBERTA
from repositories.reports.rows import Location, ProviderProfile
from repositories.vocabulary import TimingTier
from service.reports.documents.model import Block, Cell, Document, Facts, Kind
from service.reports.documents.request import RenderRequest

NOTHING = "–"
INVISIBLE = {"Cc", "Cf", "Cs"}  # control and formatting characters, lone surrogates
JOINERS = "\u200c\u200d"  # of these, spelling in Persian and in scripts of India
LEFT_TO_RIGHT = "\u200e"

MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
NO_LOCATION = "No location"
NO_BA = "No BA number"
NO_REJECTIONS = "No rejection has ever been received for this physician."
TIER_NAMES = {
    TimingTier.SAME_DAY: "Same day",
    TimingTier.ON_TIME: "On time",
    TimingTier.LATE: "Late",
    None: "No tier",
}
Fact = tuple[str, str]


def money_text(amount: Decimal) -> str:
    """`1,234.50`; a negative amount has its minus sign before it."""
    return f"{amount:,.2f}"


def cell_text(kind: Kind, cell: Cell) -> str:
    """What a reader sees; a cell that is not known is a dash."""
    if cell is None:
        return NOTHING
    if isinstance(cell, Decimal):
        return money_text(cell) + (" %" if kind is Kind.PERCENT else "")
    if isinstance(cell, int):
        return f"{cell:,}"
    return cell.isoformat() if isinstance(cell, date) else printable(cell)


def printable(text: str) -> str:
    """Text on one line, its letters composed (NFC), without control and direction characters."""
    composed = unicodedata.normalize("NFC", text)
    visible = (
        c
        for c in composed
        if c.isspace() or c in JOINERS or unicodedata.category(c) not in INVISIBLE
    )
    return " ".join("".join(visible).split()).strip(JOINERS)


def time_text(moment: datetime) -> str:
    """`2025-01-15 09:30 MST`: the time in Edmonton."""
    return f"{moment.astimezone(ALBERTA):%Y-%m-%d %H:%M %Z}"


def month_text(first: date) -> str:
    """`January 2025`; English whatever the machine's locale."""
    return f"{MONTHS[first.month - 1]} {first.year}"


def month_labels(months: list[date]) -> list[str]:
    """Short names for a chart's axis; the year stands below the first month and each January."""
    return [
        MONTHS[month.month - 1][:3] + (f"\n{month.year}" if i == 0 or month.month == 1 else "")
        for i, month in enumerate(months)
    ]


class Places:
    """A provider's locations; one that the profile does not name is called by its id."""

    def __init__(self, provider: ProviderProfile) -> None:
        self._known = {location.location_id: location for location in provider.locations}

    def known(self, location_id: UUID | None) -> Location | None:
        return self._known.get(location_id) if location_id else None

    def cell(self, location_id: UUID | None) -> str | None:
        """For a cell of data: None if the claim has no location."""
        known = self.known(location_id)
        return known.name if known else str(location_id) if location_id else None

    def label(self, location_id: UUID | None) -> str:
        """For a reader."""
        return self.cell(location_id) or NO_LOCATION


def framed(
    request: RenderRequest,
    title: str,
    blocks: Sequence[Block],
    facts: Sequence[Fact] = (),
    covers: str | None = None,
    counts: str = "dates of service",
    foot: str | None = None,
) -> Document:
    """A document with its title block.

    `covers` says what it covers, if not the period; `counts` what a day of the period counts;
    `foot` what every page ends with.
    """
    span = covers or f"{request.period} ({counts})"
    requested = f"Requested {time_text(request.requested_at)} · Report {request.report.report_id}"
    physician = physician_name(request.provider)
    number = request.provider.billing_number
    billing = [("Billing number", number)] if number else []
    as_of = ("Figures as of", figures_as_of(request))
    head = Facts([("Physician", physician), *billing, ("Period", span), *facts, as_of])
    return Document(
        title=title,
        author=physician,
        running=f"{_alone(physician)} · {covers or request.period}",
        footer=" · ".join([*([foot] if foot else []), requested]),
        created=f"{request.requested_at.astimezone(UTC):D:%Y%m%d%H%M%S+00'00'}",
        blocks=[head, *blocks],
    )


def figures_as_of(request: RenderRequest) -> str:
    """Up to when events were applied: all that the figures can know."""
    until = request.received.applied_until
    if until is None:
        return "No claim event of this physician has been received"
    return f"{time_text(until)}, when the newest event of this physician was applied"


def _alone(name: str) -> str:
    """A name before other text: what follows one in Arabic is not read from the right with it."""
    from_right = any(unicodedata.bidirectional(letter) in ("R", "AL") for letter in name)
    return name + LEFT_TO_RIGHT if from_right else name


def physician_name(provider: ProviderProfile) -> str:
    """First and last name as far as known; else that there is none, and the provider's id."""
    names = [provider.first_name, provider.last_name]
    known = printable(" ".join(name for name in names if name))
    return known or f"Physician (no profile received), id {provider.provider_id}"
