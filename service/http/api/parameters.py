"""What callers may ask for, and how it is written."""

import base64
import json
import re
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Path
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from repositories.reading.metrics import BRACKETS
from repositories.vocabulary import Dimension, MetricKey, ReportStatus, ReportType
from service.http.api.problems import no_such_report, wrong_parameter

DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
NUMBER = re.compile(r"[0-9]{1,6}")
UUID_FORM = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
MOST_DAYS = 730  # of a range whose figures are computed when they are asked for


def _written(form: re.Pattern[str], as_what: str) -> Callable[[object], object]:
    """Pydantic would take more: times for days, 1e3 for a thousand."""

    def check(value: object) -> object:
        if isinstance(value, str) and not form.fullmatch(value):
            raise ValueError(f"expected {as_what}")
        return value

    return check


Day = Annotated[date, BeforeValidator(_written(DAY, "a day, as YYYY-MM-DD"))]
Number = BeforeValidator(_written(NUMBER, "a number"))
Cursor = Annotated[
    str | None,
    Field(
        max_length=512,
        pattern="^[A-Za-z0-9_-]+$",
        description="`next` of the page before: the page that follows it",
    ),
]


class _Asked(BaseModel):
    """A parameter that is none of these is an error: a misspelt filter would show too much."""

    model_config = ConfigDict(extra="forbid")


class _Days(_Asked):
    """`from` and `to`, both included."""

    first: Annotated[Day, Field(alias="from", description="The first day")]
    last: Annotated[Day, Field(alias="to", description="The last day, itself included")]

    def require_order(self) -> None:
        """Raises Problem."""
        if self.first > self.last:
            raise wrong_parameter("to", "it is before from")


class MetricsAsked(_Days):
    """Of `GET /analytics/metrics`."""

    key: MetricKey = Field(description="Which figure")
    dimension: Dimension | Literal["total"] | None = Field(
        None,
        description="One breakdown, or the total alone; without it all rows of the key, and a sum"
        " over them would count everything twice",
    )
    limit: Annotated[int, Number] = Field(500, ge=1, le=1_000, description="Most rows of a page")
    cursor: Cursor = None


class FiguresAsked(_Days):
    """Of `GET /analytics/figures`."""

    key: MetricKey | None = Field(None, description="One figure; without it all that have a range")

    def require_order(self) -> None:
        super().require_order()
        if (self.last - self.first).days >= MOST_DAYS:
            raise wrong_parameter("to", f"the range is longer than {MOST_DAYS} days")


class BracketsAsked(_Asked):
    """Of `GET /analytics/brackets`."""

    key: Literal[*BRACKETS] = Field(description="Which figure")  # type: ignore[valid-type]  # unpacked
    as_of: Day | None = Field(
        None, description="The day from which days are counted; without it today in Alberta"
    )


class ReportsAsked(_Asked):
    """Of `GET /reports`."""

    type: ReportType | None = Field(None, description="Reports of this type alone")
    status: ReportStatus | None = Field(None, description="Reports in this state alone")
    limit: Annotated[int, Number] = Field(50, ge=1, le=200, description="Most reports of a page")
    cursor: Cursor = None


ReportId = Annotated[
    str, Path(description="The report's id, a UUID", json_schema_extra={"format": "uuid"})
]


def report_id_of(text: str) -> UUID:
    """Raises Problem, 404: an id that is none is the id of no report."""
    if not UUID_FORM.fullmatch(text):
        raise no_such_report()
    return UUID(text)


def to_cursor(place: Sequence[Any]) -> str:
    """A place in a list, as a word that callers hand back."""
    return base64.urlsafe_b64encode(json.dumps(place, default=str).encode()).decode().rstrip("=")


def metric_place(cursor: str | None) -> tuple[date, dict[str, str] | None] | None:
    """Raises Problem for what `to_cursor` has not made."""
    if cursor is None:
        return None
    try:
        start, dimensions = _from_cursor(cursor)
        if dimensions is not None:
            [(name, value)] = dimensions.items()
            dimensions = {str(Dimension(name)): _storable(value)}
        return date.fromisoformat(start), dimensions
    except (ValueError, TypeError, AttributeError):
        raise wrong_parameter("cursor", "it is no place in this list") from None


def report_place(cursor: str | None) -> tuple[datetime, UUID] | None:
    """As `metric_place`."""
    if cursor is None:
        return None
    try:
        created_at, report_id = _from_cursor(cursor)
        return datetime.fromisoformat(created_at).astimezone(UTC), UUID(report_id)
    except (ValueError, TypeError, AttributeError, OverflowError):
        raise wrong_parameter("cursor", "it is no place in this list") from None


def _storable(value: str) -> str:
    """Raises ValueError for a text that PostgreSQL has none of."""
    value.encode()
    if "\0" in value:
        raise ValueError("NUL")
    return value


def _from_cursor(cursor: str) -> Any:
    return json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
