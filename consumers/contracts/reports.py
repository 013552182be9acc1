"""Report events: requests, which are read, and what became of reports, which is sent.

In what is sent there is never a file's place, and nothing of a patient. The fields of a request
that only a person can mend take any value here, and are judged where requests are recorded; their
schemas say what is right.
"""

from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict, JsonValue
from pydantic_core import core_schema

from consumers.contracts import fields
from consumers.contracts.strict_json import JsonNumber
from repositories.reports.catalogue import CATALOGUE, Offer
from repositories.vocabulary import ReportFormat, ReportType

JWE_PATTERN = r"^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]*){4}$"
JWE_MAX_LENGTH = 4096

ReportTypeField = Annotated[
    ReportType,
    Field(strict=False, description=f"one of {' '.join(ReportType)}"),
    fields.listed(ReportType),
]
ReportFormatField = Annotated[
    ReportFormat,
    Field(strict=False, description=f"one of {' '.join(ReportFormat)}"),
    fields.listed(ReportFormat),
]

# Any date, so that the person who asked for the year 1999 is told. A value that is no date at all
# is the program's mistake that sent it.
_ANY_DATE = fields.text_of(r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$", fields.call(date.fromisoformat))
_PERIOD_DATE = fields.JsonForm(
    _ANY_DATE.checks, {"type": "string", "pattern": fields.DATE_PATTERN, "format": "date"}
)
PeriodDate = Annotated[
    Annotated[date, _PERIOD_DATE] | None,
    Field(description="a date as text, YYYY-MM-DD, or null; null only for DATA_PORTABILITY"),
]
Scheduled = Annotated[
    object,
    fields.JsonForm(core_schema.any_schema(), {"type": "boolean"}),
    Field(description="true or false, or null, which is false"),
    fields.NullMeans(bool),
]
ArchivePassword = Annotated[
    object,
    fields.JsonForm(
        core_schema.any_schema(),
        {
            "anyOf": [
                {"type": "string", "pattern": JWE_PATTERN, "maxLength": JWE_MAX_LENGTH},
                {"type": "null"},
            ]
        },
    ),
    Field(description="a compact JWE to the service's public key, or null; only for ZIP"),
]


def _rule(report_type: ReportType, offer: Offer) -> JsonDict:
    dates: JsonDict = {name: {"type": "string"} for name in ("period_start", "period_end")}
    formats: JsonDict = {"format": {"enum": [word.value for word in offer.formats]}}
    then: JsonDict = {"properties": formats}
    if offer.has_period:
        then = {"properties": {**formats, **dates}, "required": list(dates)}
    return {"if": _has("report_type", report_type.value), "then": then}


def _has(name: str, value: str) -> JsonDict:
    return {"properties": {name: {"const": value}}, "required": [name]}


_NO_PASSWORD: JsonDict = {"properties": {"archive_password": {"type": "null"}}}
_RULES: list[JsonValue] = [
    *(_rule(report_type, offer) for report_type, offer in CATALOGUE.items()),
    {"if": {"not": _has("format", ReportFormat.ZIP.value)}, "then": _NO_PASSWORD},
]


class ReportRequested(BaseModel):
    """A request for one report. What it asks for need not exist: see `report_problems`."""

    model_config = ConfigDict(strict=True, frozen=True, json_schema_extra={"allOf": _RULES})

    report_id: fields.Uuid = Field(title="The request, and the report that becomes of it")
    provider_id: fields.Uuid = Field(title="The provider whose claims it shows")
    report_type: ReportTypeField = Field(title="What the report shows")
    format: ReportFormatField = Field(title="The kind of file")
    period_start: PeriodDate = Field(default=None, title="First day that it covers")
    period_end: PeriodDate = Field(default=None, title="Last day that it covers")
    scheduled: Scheduled = Field(default=False, title="Whether a schedule asks, not a person")
    archive_password: ArchivePassword = Field(
        default=None, title="Password of the ZIP file, encrypted"
    )


def _size(number: JsonNumber) -> int:
    if not number.literal.isdecimal():
        raise ValueError("no number of bytes")
    return int(number.literal)


_Size = Annotated[
    int,
    fields.JsonForm(
        fields.number_then(_size, core_schema.int_schema(le=fields.MAX_VERSION)),
        {"type": "integer", "minimum": 0, "maximum": fields.MAX_VERSION},
    ),
    Field(description="a number of bytes, 0 as long as there is no file"),
]
_Flag = Annotated[bool, Field(description="true or false")]
_Message = Annotated[str, Field(min_length=1, description="text, in words for the physician")]
_Nothing = Annotated[None, Field(description="null")]


class ReportStatusChanged(BaseModel):
    """What all three have in common.

    Period and `scheduled` have defaults: the topic may hold announcements from before they existed.
    """

    model_config = ConfigDict(strict=True, frozen=True)

    report_id: fields.Uuid = Field(title="The report, as in its request")
    provider_id: fields.Uuid = Field(title="The provider whose report it is")
    report_type: ReportTypeField = Field(title="What the report shows")
    format: ReportFormatField = Field(title="The kind of file")
    period_start: fields.NullableDate = Field(default=None, title="First day that it covers")
    period_end: fields.NullableDate = Field(default=None, title="Last day that it covers")
    scheduled: _Flag = Field(default=False, title="Whether a schedule asked, not a person")
    file_size_bytes: _Size = Field(title="Size of the download")
    download_link_expires_at: fields.Time = Field(title="When the download ends")


class ReportReady(ReportStatusChanged):
    """The file is complete and can be downloaded."""

    status: Literal["ready"] = Field(title="The new state", description="ready")
    error_message: _Nothing = Field(title="No error")


class ReportFailed(ReportStatusChanged):
    """There will be no file, unless the report is tried again."""

    status: Literal["failed"] = Field(title="The new state", description="failed")
    error_message: _Message = Field(title="Why, as far as the physician can use it")


class ReportExpired(ReportStatusChanged):
    """The file is gone."""

    status: Literal["expired"] = Field(title="The new state", description="expired")
    error_message: _Nothing = Field(title="No error")
