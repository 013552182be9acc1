"""Sizes and shades. Everything must be readable when printed in black and white."""

from dataclasses import dataclass

from reportlab.lib.colors import HexColor, white
from reportlab.lib.pagesizes import letter
from reportlab.lib.styles import ParagraphStyle

from service.reports.documents.pdf.fonts import BOLD, REGULAR

PAGE_WIDTH, PAGE_HEIGHT = letter
SIDE, TOP, BOTTOM = 42.0, 58.0, 52.0  # margins
WIDTH, HEIGHT = PAGE_WIDTH - 2 * SIDE, PAGE_HEIGHT - TOP - BOTTOM  # what is between them
AFTER_TABLE = 10.0  # as a table's own space: a `Spacer` at the end could start an empty page

INK = HexColor("#1B2430")
ACCENT = HexColor("#1F3A5F")
SOFT = HexColor("#5A6675")
RULE = HexColor("#C9D1DA")
PANEL = HexColor("#F1F4F7")
# Three fills that stay apart in grey: dark, nearly white, middle. All are outlined.
FILLS = (ACCENT, HexColor("#DDE4EC"), HexColor("#8FA0B5"), white)


@dataclass(frozen=True, slots=True)
class TableLook:
    """Points: type size, line distance, and the space above and below a row's text."""

    size: float
    leading: float
    above: float
    below: float
    gap: float  # on each side of a cell
    wrap_titles: bool  # to leave more room for text

    def row_height(self, lines: int) -> float:
        return self.leading * lines + self.above + self.below


NORMAL = TableLook(size=8.5, leading=11, above=2.5, below=3.5, gap=5, wrap_titles=False)
DENSE = TableLook(size=7, leading=8.6, above=1.4, below=1.8, gap=3, wrap_titles=True)

HEADING = ParagraphStyle(
    "heading",
    fontName=BOLD,
    fontSize=11,
    leading=14,
    textColor=ACCENT,
    spaceBefore=12,
    spaceAfter=5,
)
NOTE = ParagraphStyle(
    "note",
    fontName=REGULAR,
    fontSize=8.5,
    leading=12,
    textColor=INK,
    spaceBefore=2,
    spaceAfter=4,
)
TITLE = ParagraphStyle(
    "title", fontName=BOLD, fontSize=19, leading=24, textColor=ACCENT, spaceAfter=6
)
