"""Reports as files: what each type shows, and its rendering to PDF, CSV and ZIP."""

from service.reports.documents.catalogue import CATALOGUE, NoSuchFormat, render
from service.reports.documents.definition import ReportDefinition
from service.reports.documents.request import RenderRequest
from service.reports.documents.source import ReportSource

__all__ = [
    "CATALOGUE",
    "NoSuchFormat",
    "RenderRequest",
    "ReportDefinition",
    "ReportSource",
    "render",
]
