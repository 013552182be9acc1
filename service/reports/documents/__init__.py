"""Reports as files: what each type shows, and its rendering to PDF, CSV and ZIP.

A new type is a module in `report_types` and a row here. `repositories.reports.catalogue` says
what can be asked for; a test keeps the two alike.
"""

from collections.abc import AsyncGenerator, Mapping

from repositories.vocabulary import ReportType
from service.reports.documents.definition import ReportDefinition
from service.reports.documents.report_types import (
    accountant_detail,
    accountant_summary,
    data_portability,
    monthly_performance,
    rejection_digest,
    rrnp_quarterly,
    wcb_timing,
    weekly_summary,
)
from service.reports.documents.request import RenderRequest, ReportSource

_DEFINITIONS = (
    accountant_summary.DEFINITION,
    accountant_detail.DEFINITION,
    weekly_summary.DEFINITION,
    monthly_performance.DEFINITION,
    rrnp_quarterly.DEFINITION,
    wcb_timing.DEFINITION,
    rejection_digest.DEFINITION,
    data_portability.DEFINITION,
)

CATALOGUE: Mapping[ReportType, ReportDefinition] = {
    definition.report_type: definition for definition in _DEFINITIONS
}


class NoSuchFormat(ValueError):
    """The report type does not exist in the format that was asked for."""


def render(request: RenderRequest, rows: ReportSource) -> AsyncGenerator[bytes, None]:
    """The report's file in pieces of some 64 KB; the same rows give the same bytes.

    CSV and ZIP files hold one piece at a time; a PDF holds its pages. Rows are read while the
    result is iterated, one stream after the other. Raises `NoSuchFormat`.
    """
    report = request.report
    formats = CATALOGUE[report.report_type].formats
    if report.format not in formats:
        raise NoSuchFormat(
            f"there is no {report.format} of a {report.report_type} report; "
            f"it exists as {', '.join(formats)}"
        )
    return formats[report.format](request, rows)
