"""What all documents have in common: the title block, the running head, the foot."""

from collections.abc import Sequence
from datetime import UTC

from repositories.report_rows import ProviderProfile
from service.reports.documents.model import Block, Document, Facts
from service.reports.documents.request import RenderRequest
from service.reports.documents.wording import printable

Fact = tuple[str, str]


def framed(
    request: RenderRequest,
    title: str,
    blocks: Sequence[Block],
    facts: Sequence[Fact] = (),
    covers: str | None = None,
) -> Document:
    """A document with its title block; `covers` says what it covers, if not the period."""
    span = covers or f"{request.period} (dates of service)"
    physician = physician_name(request.provider)
    head = Facts([("Physician", physician), *_billing(request), ("Period", span), *facts])
    requested = request.requested_at.astimezone(UTC)
    return Document(
        title=title,
        author=physician,
        running=f"{physician} · {covers or request.period}",
        footer=f"Requested {requested:%Y-%m-%d %H:%M} UTC · Report {request.report_id}",
        created=f"{requested:D:%Y%m%d%H%M%S+00'00'}",
        blocks=[head, *blocks],
    )


def physician_name(provider: ProviderProfile) -> str:
    """First and last name as far as known, else the provider's id."""
    names = [provider.first_name, provider.last_name]
    return printable(" ".join(name for name in names if name)) or str(provider.provider_id)


def _billing(request: RenderRequest) -> list[Fact]:
    number = request.provider.billing_number
    return [("Billing number", number)] if number else []
