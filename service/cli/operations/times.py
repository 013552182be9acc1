"""Times on the command line."""

from datetime import UTC, datetime

import typer


def moment(text: str) -> datetime:
    """In UTC, of a time of RFC 3339 with its offset: without one it could be anybody's."""
    try:
        time = datetime.fromisoformat(text)
        in_utc = time.astimezone(UTC)
    except (ValueError, OverflowError):
        raise typer.BadParameter(
            f"{text} is no time; write it as 2026-03-01T14:30:00Z, or with an offset (-07:00)"
        ) from None
    if time.tzinfo is None:
        raise typer.BadParameter(f"{text} has no offset from UTC; add Z for UTC, or such as -07:00")
    return in_utc
