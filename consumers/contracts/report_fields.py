"""The types of the fields of report events, each with its rule as a sentence (see `fields`).

The fields of a request that only a person can mend take any value here and are judged in
`report_problems`; their schemas say what is right.
"""

from datetime import date
from typing import Annotated

from pydantic import Field
from pydantic_core import core_schema

from consumers.contracts.fields import DATE_PATTERN
from consumers.contracts.json_forms import JsonForm, call, listed, text_of
from repositories.vocabulary import ReportFormat, ReportType

JWE_PATTERN = r"^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]*){4}$"
JWE_MAX_LENGTH = 4096

ReportTypeField = Annotated[
    ReportType,
    Field(strict=False, description=f"one of {' '.join(ReportType)}"),
    listed(ReportType),
]
ReportFormatField = Annotated[
    ReportFormat,
    Field(strict=False, description=f"one of {' '.join(ReportFormat)}"),
    listed(ReportFormat),
]

# Any date, so that the person who asked for the year 1999 is told. A value that is no date at all
# is the program's mistake that sent it.
_ANY_DATE = text_of(r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$", call(date.fromisoformat))
_PERIOD_DATE = JsonForm(
    _ANY_DATE.checks, {"type": "string", "pattern": DATE_PATTERN, "format": "date"}
)
PeriodDate = Annotated[
    Annotated[date, _PERIOD_DATE] | None,
    Field(description="a date as text, YYYY-MM-DD, or null; null only for DATA_PORTABILITY"),
]
Scheduled = Annotated[
    object,
    JsonForm(core_schema.any_schema(), {"type": "boolean"}),
    Field(description="true or false"),
]
ArchivePassword = Annotated[
    object,
    JsonForm(
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
