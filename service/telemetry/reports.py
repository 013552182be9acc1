"""How long this process takes for reports."""

from collections import defaultdict
from enum import StrEnum

from consumers.telemetry.histogram import Histogram
from repositories.vocabulary import ReportType


class Outcome(StrEnum):
    """How a try at a report ended."""

    READY = "ready"
    FAILED = "failed"  # given up: announced as failed
    POSTPONED = "postponed"  # it will be tried again
    LOST = "lost"  # another worker has it


# Of the process, as its retries are.
REPORT_SECONDS: defaultdict[tuple[ReportType, Outcome], Histogram] = defaultdict(Histogram)
