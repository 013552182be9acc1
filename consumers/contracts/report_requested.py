"""`ca.meritum.report.requested.v1`: somebody, or a schedule, asks for a report."""

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict, JsonValue

from consumers.contracts import fields, report_fields
from repositories.report_catalogue import CATALOGUE, Offer
from repositories.vocabulary import ReportFormat, ReportType


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
    report_type: report_fields.ReportTypeField = Field(title="What the report shows")
    format: report_fields.ReportFormatField = Field(title="The kind of file")
    period_start: report_fields.PeriodDate = Field(
        default=None, title="First day of service that it covers"
    )
    period_end: report_fields.PeriodDate = Field(
        default=None, title="Last day of service that it covers"
    )
    scheduled: report_fields.Scheduled = Field(
        default=False, title="Whether a schedule asks, not a person"
    )
    archive_password: report_fields.ArchivePassword = Field(
        default=None, title="Password of the ZIP file, encrypted"
    )
