"""What stands on every page: the running head, the foot, and `Page X of Y`."""

from collections.abc import Callable
from typing import Any

from reportlab.pdfgen.canvas import Canvas

from service.reports.documents.model import Document
from service.reports.documents.pdf import look as looks
from service.reports.documents.pdf.fonts import BOLD, REGULAR, fitted, text_width

SIZE = 7.5
HEAD_Y = looks.PAGE_HEIGHT - 36
FOOT_Y = 30.0
RIGHT = looks.PAGE_WIDTH - looks.SIDE


class NumberedCanvas(Canvas):  # type: ignore[misc]  # reportlab has no types
    """Holds the pages until their number is known."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._held: list[dict[str, Any]] = []

    def showPage(self) -> None:  # noqa: N802  # reportlab's name
        self._held.append(dict(self.__dict__))
        self._startPage()

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
        _paint_foot(canvas, document)
        canvas.restoreState()

    return paint


def _paint_head(canvas: Canvas, document: Document) -> None:
    canvas.setFont(BOLD, SIZE)
    canvas.drawString(looks.SIDE, HEAD_Y, document.title)
    canvas.setFont(REGULAR, SIZE)
    room = looks.WIDTH - text_width(document.title, BOLD, SIZE) - 24
    canvas.drawRightString(RIGHT, HEAD_Y, fitted(document.running, REGULAR, SIZE, room))
    canvas.line(looks.SIDE, HEAD_Y - 6, RIGHT, HEAD_Y - 6)


def _paint_foot(canvas: Canvas, document: Document) -> None:
    canvas.line(looks.SIDE, FOOT_Y + 11, RIGHT, FOOT_Y + 11)
    canvas.drawString(looks.SIDE, FOOT_Y, document.footer)
