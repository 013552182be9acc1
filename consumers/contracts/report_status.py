"""`ca.meritum.report.{ready,failed,expired}.v1`: what became of a report. This service sends them.

Never the file's place, and nothing of a patient.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic_core import core_schema

from consumers.contracts import fields, report_fields
from consumers.contracts.json_forms import JsonForm, number_then
from consumers.contracts.strict_json import JsonNumber


def _size(number: JsonNumber) -> int:
    if not number.literal.isdecimal():
        raise ValueError("no number of bytes")
    return int(number.literal)


_Size = Annotated[
    int,
    JsonForm(
        number_then(_size, core_schema.int_schema(le=fields.MAX_VERSION)),
        {"type": "integer", "minimum": 0, "maximum": fields.MAX_VERSION},
    ),
    Field(description="a number of bytes, 0 as long as there is no file"),
]
_Message = Annotated[str, Field(min_length=1, description="text, in words for the physician")]
_Nothing = Annotated[None, Field(description="null")]


class ReportStatusChanged(BaseModel):
    """What all three have in common."""

    model_config = ConfigDict(strict=True, frozen=True)

    report_id: fields.Uuid = Field(title="The report, as in its request")
    provider_id: fields.Uuid = Field(title="The provider whose report it is")
    report_type: report_fields.ReportTypeField = Field(title="What the report shows")
    format: report_fields.ReportFormatField = Field(title="The kind of file")
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
