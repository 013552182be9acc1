"""A physician's figures as tables, for a terminal of 80 columns."""

from collections.abc import Sequence

from rich import box
from rich.table import Table

from service.local.demo.figures import MonthFigures, money
from service.local.demo.open_claims import BRACKETS, OpenClaims

_REASONS = 2  # the most frequent of a month


def months_table(months: Sequence[MonthFigures]) -> Table:
    table = Table(box=box.SIMPLE)
    table.add_column("month of service")
    for name in ("submitted", "paid", "revenue", "average fee", "pending", "days to pay"):
        table.add_column(name, justify="right")
    for m in months:
        table.add_row(
            f"{m.month:%b %Y}",
            f"{m.submitted:,}",
            f"{m.paid:,}",
            money(m.revenue),
            money(m.average_fee),
            money(m.pending_amount),
            f"{m.days_to_payment}",
        )
    return table


def rejections_table(months: Sequence[MonthFigures]) -> Table:
    """What was refused, why, and what became of all that ever was."""
    table = Table(box=box.SIMPLE)
    table.add_column("month")
    table.add_column("rejected", justify="right")
    table.add_column("rate", justify="right")
    table.add_column("codes")
    for name in ("sent again", "paid", "given up"):
        table.add_column(name, justify="right")
    for m in months:
        found = m.rejections
        reasons = (f"{code} {count}" for code, count in found.reasons[:_REASONS])
        table.add_row(
            f"{m.month:%b %Y}",
            f"{found.refused:,} of {found.decided:,}",
            f"{found.rate} %",
            ", ".join(reasons),
            f"{found.sent_again:,} of {found.ever_refused:,}",
            f"{found.paid_then:,}",
            f"{found.given_up:,}",
        )
    return table


def open_table(open_claims: OpenClaims) -> Table:
    """What is not answered yet by its age in days, and what waits for the physician."""
    table = Table(box=box.SIMPLE)
    table.add_column("")
    for name in (*BRACKETS, "due", "stale"):
        table.add_column(name, justify="right")
    waiting = (*open_claims.by_age, open_claims.due, open_claims.stale)
    table.add_row("claims", *(f"{each.count:,}" for each in waiting))
    table.add_row("fees", *(money(each.amount) for each in waiting))
    return table


def coaching_table(months: Sequence[MonthFigures]) -> Table:
    """What the AI coach said, and what that brought."""
    table = Table(box=box.SIMPLE)
    table.add_column("month")
    for name in ("suggested", "accepted", "dismissed", "rate", "recovered"):
        table.add_column(name, justify="right")
    for m in months:
        found = m.coaching
        table.add_row(
            f"{m.month:%b %Y}",
            f"{found.said:,}",
            f"{found.accepted:,}",
            f"{found.dismissed:,}",
            f"{found.rate} %",
            money(found.recovered),
        )
    return table


def rules_line(months: Sequence[MonthFigures]) -> str:
    """Which rule was followed most of late, and which are silenced."""
    followed = next((m for m in reversed(months) if m.coaching.rules), None)
    silenced = {rule: None for m in months for rule in m.coaching.silenced}  # once, in order
    said = []
    if followed:
        rule, amount = followed.coaching.rules[0]
        said.append(f"Most accepted in {followed.month:%B}: {rule} ({money(amount)}).")
    if silenced:
        said.append(f"Silenced: {', '.join(silenced)}.")
    return " ".join(said)
