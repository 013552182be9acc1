"""The embedded typeface, and how wide its text is.

The fonts that PDF readers bring along lack Vietnamese, half of Europe and all of Asia, so Noto Sans
travels with the package: two faces, and what they borrow from (see `typeface`).
"""

from collections.abc import Iterator
from functools import cache, lru_cache
from unicodedata import category

from reportlab.pdfbase import pdfmetrics

from service.reports.documents.pdf.scripts import forget_codes
from service.reports.documents.pdf.typeface import Typeface

REGULAR = "NotoSans-Regular"
BOLD = "NotoSans-Bold"
ELLIPSIS = "…"


@cache
def register_fonts() -> None:
    """Make both faces known to reportlab, once a process."""
    for face in (REGULAR, BOLD):
        pdfmetrics.registerFont(Typeface(face))


def begin_document() -> None:
    """Forget what the one before has brought."""
    register_fonts()
    for face in (REGULAR, BOLD):
        pdfmetrics.getFont(face).forget_codes()
    forget_codes()


def shaped(text: str, font: str) -> str:
    """The text as a canvas is to draw it; a font without other scripts draws it as it is."""
    if text.isascii():
        return text
    face = pdfmetrics.getFont(font)
    return face.shaped(text) if isinstance(face, Typeface) else text


@lru_cache(maxsize=16_384)
def text_width(text: str, font: str, size: float) -> float:
    """In points."""
    return float(pdfmetrics.stringWidth(text, font, size))


@lru_cache(maxsize=4_096)
def wrapped(text: str, font: str, size: float, width: float, most: int = 8) -> str:
    """The text in lines that fit the width: at most so many, then an ellipsis."""
    lines: list[str] = []
    for piece in _pieces(text, font, size, width):
        longer = f"{lines[-1]} {piece}" if lines else ""
        if longer and text_width(longer, font, size) <= width:
            lines[-1] = longer
        elif len(lines) < most:
            lines.append(piece)
        else:
            lines[-1] = fitted(f"{lines[-1]} {piece}{ELLIPSIS}", font, size, width)
            break
    return "\n".join(lines)


@lru_cache(maxsize=4_096)
def fitted(text: str, font: str, size: float, width: float) -> str:
    """The text, cut to one line of this width with an ellipsis where it is longer."""
    if text_width(text, font, size) <= width:
        return text
    end = _longest_start(text, font, size, width - text_width(ELLIPSIS, font, size))
    return text[:end].rstrip() + ELLIPSIS


def _pieces(text: str, font: str, size: float, width: float) -> Iterator[str]:
    """The words, broken only where one is wider than a line."""
    for word in text.split():
        rest = word
        while text_width(rest, font, size) > width:
            end = max(1, _longest_start(rest, font, size, width))
            yield rest[:end]
            rest = rest[end:]
        if rest:
            yield rest


def _longest_start(text: str, font: str, size: float, width: float) -> int:
    """How many letters of the text fit; a mark stays with its letter."""
    used, start = 0.0, 0
    for count, letter in enumerate(text):
        if not category(letter).startswith("M"):
            start = count
        used += text_width(letter, font, size)
        if used > width:
            return start
    return len(text)
