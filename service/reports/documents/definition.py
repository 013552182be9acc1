"""The one shape of all report types.

A type asks a `ReportSource` for its figures (query), says what they show (a document, and a flat
table), and each format renders that. Only the query is asynchronous; the rest is pure.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from repositories.vocabulary import ReportFormat, ReportType
from service.reports.documents.csv_file import CHUNK_BYTES, CsvTable, csv_chunks
from service.reports.documents.model import Document
from service.reports.documents.pdf.pages import build_pdf
from service.reports.documents.request import RenderRequest, ReportSource

Figures = TypeVar("Figures")

Query = Callable[[RenderRequest, ReportSource], Awaitable[Figures]]
Show = Callable[[RenderRequest, Figures], Document]
Flatten = Callable[[RenderRequest, Figures], CsvTable]
Stream = Callable[[RenderRequest, ReportSource], CsvTable]
Rendering = Callable[[RenderRequest, ReportSource], AsyncGenerator[bytes, None]]


@dataclass(frozen=True, slots=True)
class ReportDefinition:
    """One type of report: the formats that exist of it, and how each is rendered."""

    report_type: ReportType
    formats: Mapping[ReportFormat, Rendering]


def as_pdf(query: Query[Figures], show: Show[Figures]) -> Rendering:
    """Pages are laid out in a thread: it takes seconds for thousands of rows."""

    async def render(request: RenderRequest, rows: ReportSource) -> AsyncGenerator[bytes, None]:
        figures = await query(request, rows)
        pdf = await asyncio.to_thread(lambda: build_pdf(show(request, figures)))
        for start in range(0, len(pdf), CHUNK_BYTES):
            yield pdf[start : start + CHUNK_BYTES]

    return render


def as_csv(query: Query[Figures], flatten: Flatten[Figures]) -> Rendering:
    """The figures as one flat table."""

    async def render(request: RenderRequest, rows: ReportSource) -> AsyncGenerator[bytes, None]:
        figures = await query(request, rows)
        async for chunk in csv_chunks(flatten(request, figures)):
            yield chunk

    return render


def as_streamed_csv(stream: Stream) -> Rendering:
    """Row by row, for tables of any length."""

    def render(request: RenderRequest, rows: ReportSource) -> AsyncGenerator[bytes, None]:
        return csv_chunks(stream(request, rows))

    return render
