"""Reports in words: a line each for the view and for plain output, a table for the summary."""

from collections.abc import Sequence

from rich import box
from rich.table import Table
from rich.text import Text

from repositories.records import SelectGeneratedReport
from repositories.vocabulary import ReportStatus, ReportType

ABBREVIATIONS = ("RRNP", "WCB")
COLOURS = {ReportStatus.READY: "green", ReportStatus.FAILED: "bold red"}


def type_name(report_type: ReportType) -> str:
    words = report_type.split("_")
    return " ".join(word if word in ABBREVIATIONS else word.lower() for word in words)


def size_text(size_bytes: int) -> str:
    """Rounded up, so that no file is 0 kB."""
    kilobytes = -(-size_bytes // 1000)
    return f"{kilobytes} kB" if kilobytes < 1000 else f"{-(-kilobytes // 1000):,} MB"


def state_text(report: SelectGeneratedReport) -> Text:
    """The state, with the size once there is a file."""
    ready = report.status is ReportStatus.READY
    size = f" {size_text(report.file_size_bytes)}" if ready else ""
    return Text(f"{report.status}{size}", style=COLOURS.get(report.status, "dim"))


def period_text(report: SelectGeneratedReport) -> str:
    if report.period_start is None or report.period_end is None:
        return "everything"
    return f"{report.period_start} to {report.period_end}"


def report_line(report: SelectGeneratedReport) -> str:
    """What became of it; for a failed one, why."""
    name = f"{type_name(report.report_type)} {report.format}, {period_text(report)}"
    why = f": {report.error_message}" if report.error_message else ""
    return f"Report {state_text(report)}{why}  {name}  {report.report_id}"


def reports_table(reports: Sequence[SelectGeneratedReport]) -> Table:
    """The oldest first; `reports` are the newest first."""
    table = Table(box=box.SIMPLE)
    for name in ("report", "format", "days of service", "status"):
        table.add_column(name)
    table.add_column("size", justify="right")
    for report in reversed(reports):
        table.add_row(
            type_name(report.report_type),
            report.format,
            period_text(report),
            Text(report.status, style=COLOURS.get(report.status, "")),
            size_text(report.file_size_bytes) if report.file_size_bytes else "",
        )
    return table
