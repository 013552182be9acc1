"""The embedded typeface, and how wide its text is.

The fonts that PDF readers bring along lack Vietnamese and half of Europe, so two faces travel with
the package: subsets of Noto Sans with Latin, Vietnamese, Greek and Cyrillic (see `fonts/OFL.txt`).
"""

from collections.abc import Iterator
from functools import cache, lru_cache
from importlib.resources import files
from io import BytesIO

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

REGULAR = "NotoSans-Regular"
BOLD = "NotoSans-Bold"
ELLIPSIS = "…"


@cache
def register_fonts() -> None:
    """Make both faces known to reportlab, once a process."""
    folder = files("service.reports.documents") / "fonts"
    for face in (REGULAR, BOLD):
        pdfmetrics.registerFont(TTFont(face, BytesIO((folder / f"{face}.ttf").read_bytes())))


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
    """How many letters of the text fit."""
    used = 0.0
    for count, letter in enumerate(text):
        used += text_width(letter, font, size)
        if used > width:
            return count
    return len(text)
