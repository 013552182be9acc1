"""A document as the bytes of a PDF, and what stands on every page: head, foot, `Page X of Y`."""

from collections.abc import Callable
from io import BytesIO
from threading import Lock
from typing import Any

from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import BaseDocTemplate, Frame, PageTemplate

from service.reports.documents.model import Document
from service.reports.documents.pdf import look as looks
from service.reports.documents.pdf.blocks import flowables, paragraph
from service.reports.documents.pdf.fonts import (
    BOLD,
    REGULAR,
    begin_document,
    fitted,
    shaped,
    text_width,
)

# reportlab keeps fonts and settings in the process; two layouts at once would gain nothing anyway.
_one_at_a_time = Lock()

SIZE = 7.5
HEAD_Y = looks.PAGE_HEIGHT - 36
FOOT_Y = 30.0
RIGHT = looks.PAGE_WIDTH - looks.SIDE


def build_pdf(document: Document) -> bytes:
    """The same document gives the same bytes. Takes seconds for thousands of rows: use a thread."""
    with _one_at_a_time:
        begin_document()
        buffer = BytesIO()
        title = paragraph(document.title, looks.TITLE)
        _template(document, buffer).build(
            [title, *flowables(document.blocks)], canvasmaker=NumberedCanvas
        )
        return buffer.getvalue()


def _template(document: Document, buffer: BytesIO) -> BaseDocTemplate:
    frame = Frame(looks.SIDE, looks.BOTTOM, looks.WIDTH, looks.HEIGHT, 0, 0, 0, 0)
    page = PageTemplate(frames=[frame], onPage=page_painter(document))
    return BaseDocTemplate(
        buffer,
        pagesize=(looks.PAGE_WIDTH, looks.PAGE_HEIGHT),
        pageTemplates=[page],
        title=document.title,
        author=document.author,
        subject=document.running,
        creator="Claim Analytics",
        lang="en-CA",
        invariant=1,
    )


class NumberedCanvas(Canvas):  # type: ignore[misc]  # reportlab has no types
    """Holds the pages until their number is known; sets text of every script."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._held: list[dict[str, Any]] = []

    def showPage(self) -> None:  # noqa: N802  # reportlab's name
        self._held.append(dict(self.__dict__))
        self._startPage()

    def drawString(self, x: float, y: float, text: str, **options: Any) -> None:  # noqa: N802
        super().drawString(x, y, shaped(text, self._fontname), **options)

    def drawRightString(self, x: float, y: float, text: str, **options: Any) -> None:  # noqa: N802
        super().drawRightString(x, y, shaped(text, self._fontname), **options)

    def drawCentredString(self, x: float, y: float, text: str, **options: Any) -> None:  # noqa: N802
        super().drawCentredString(x, y, shaped(text, self._fontname), **options)

    def save(self) -> None:
        for number, page in enumerate(self._held, start=1):
            self.__dict__.update(page)
            self.setFont(REGULAR, SIZE)
            self.setFillColor(looks.SOFT)
            self.drawRightString(RIGHT, FOOT_Y, f"Page {number} of {len(self._held)}")
            super().showPage()
        super().save()


def page_painter(document: Document) -> Callable[[Any, Any], None]:
    """Draws head and foot; reportlab calls it with the canvas at the start of each page.

    The file says that it was made when it was asked for, not when that was.
    """

    def paint(canvas: Canvas, _template: object) -> None:
        canvas.setDateFormatter(lambda *_: document.created)
        canvas.saveState()
        canvas.setFillColor(looks.SOFT)
        canvas.setStrokeColor(looks.RULE)
        canvas.setLineWidth(0.5)
        _paint_head(canvas, document)
        canvas.line(looks.SIDE, FOOT_Y + 11, RIGHT, FOOT_Y + 11)
        canvas.drawString(looks.SIDE, FOOT_Y, document.footer)
        canvas.restoreState()

    return paint


def _paint_head(canvas: Canvas, document: Document) -> None:
    canvas.setFont(BOLD, SIZE)
    canvas.drawString(looks.SIDE, HEAD_Y, document.title)
    canvas.setFont(REGULAR, SIZE)
    room = looks.WIDTH - text_width(document.title, BOLD, SIZE) - 24
    canvas.drawRightString(RIGHT, HEAD_Y, fitted(document.running, REGULAR, SIZE, room))
    canvas.line(looks.SIDE, HEAD_Y - 6, RIGHT, HEAD_Y - 6)
