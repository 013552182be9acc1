"""A physician's months as texts: a row for each figure, a column for each month."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from service.demo.figures import MonthFigures, TopCode

Cell = tuple[date, str]  # month, label of the row


@dataclass(frozen=True)
class Row:
    """One figure over the months."""

    label: str
    texts: Sequence[str]


def money(amount: Decimal) -> str:
    return f"${amount:,.2f}"


def figure_rows(months: Sequence[MonthFigures]) -> list[Row]:
    """The figures that every month has, then those of its business arrangements and locations."""
    return [
        Row("claims submitted", [f"{m.submitted:,}" for m in months]),
        Row("claims paid", [f"{m.paid:,}" for m in months]),
        Row("revenue", [money(m.revenue) for m in months]),
        Row("average fee", [money(m.average_fee) for m in months]),
        Row("claims pending", [f"{m.pending:,}" for m in months]),
        Row("pending", [money(m.pending_amount) for m in months]),
        Row("days to payment", [f"{m.days_to_payment}" for m in months]),
        *(
            Row(f"BA {ba}", [_amount(m.by_ba.get(ba)) for m in months])
            for ba in _all(m.by_ba for m in months)
        ),
        *(
            Row(f"location {location[:8]}", [_amount(m.by_location.get(location)) for m in months])
            for location in _all(m.by_location for m in months)
        ),
    ]


def newest_top_codes(months: Sequence[MonthFigures]) -> tuple[date | None, Sequence[TopCode]]:
    """Those of the newest month that has any."""
    for figures in reversed(months):
        if figures.top_codes:
            return figures.month, figures.top_codes
    return None, ()


def cells(months: Sequence[MonthFigures]) -> dict[Cell, str]:
    """Every text of the view by its place, to find out what has changed."""
    columns = [figures.month for figures in months]
    found = {
        (month, row.label): text
        for row in figure_rows(months)
        for month, text in zip(columns, row.texts, strict=True)
    }
    for figures in months:
        found |= {(figures.month, code.hsc_code): money(code.amount) for code in figures.top_codes}
    return found


def _amount(amount: Decimal | None) -> str:
    return "" if amount is None else money(amount)


def _all(breakdowns: Iterable[Iterable[str]]) -> list[str]:
    return sorted({name for breakdown in breakdowns for name in breakdown})
