"""A document as the bytes of a PDF."""

from io import BytesIO
from threading import Lock

from reportlab.platypus import BaseDocTemplate, Frame, PageTemplate

from service.reports.documents.model import Document
from service.reports.documents.pdf import look as looks
from service.reports.documents.pdf.blocks import flowables, paragraph
from service.reports.documents.pdf.fonts import register_fonts
from service.reports.documents.pdf.page import NumberedCanvas, page_painter

# reportlab keeps fonts and settings in the process; two layouts at once would gain nothing anyway.
_one_at_a_time = Lock()


def build_pdf(document: Document) -> bytes:
    """The same document gives the same bytes. Takes seconds for thousands of rows: use a thread."""
    with _one_at_a_time:
        register_fonts()
        buffer = BytesIO()
        title = paragraph(document.title, looks.TITLE)
        _template(document, buffer).build(
            [title, *flowables(document.blocks)], canvasmaker=NumberedCanvas
        )
        return buffer.getvalue()


def _template(document: Document, buffer: BytesIO) -> BaseDocTemplate:
    page = PageTemplate(frames=[_frame()], onPage=page_painter(document))
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


def _frame() -> Frame:
    height = looks.PAGE_HEIGHT - looks.TOP - looks.BOTTOM
    return Frame(looks.SIDE, looks.BOTTOM, looks.WIDTH, height, 0, 0, 0, 0)
