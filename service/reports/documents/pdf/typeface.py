"""A typeface that borrows what it lacks from the fonts of other scripts.

Text in Latin, Greek or Cyrillic letters goes the way of any font. Anything else is brought into
the order in which it is seen (Unicode's bidirectional algorithm, in a line from left to right), cut
into runs of one font each, and shaped: letters that join, conjuncts, marks in their places. A
letter that no font has shows as U+FFFD.
"""

from collections.abc import Iterator
from functools import lru_cache
from itertools import groupby
from typing import Any
from unicodedata import bidirectional, category

from bidi import get_display
from reportlab.pdfbase.ttfonts import ShapedStr

from service.reports.documents.pdf.scripts import ScriptFont, font_of_code, script_font

UNKNOWN = "\N{REPLACEMENT CHARACTER}"
_JOINERS = "\u200c\u200d"
_DIGITS = ("AN", "EN")  # run from left to right in every script
Subset = int | tuple[ScriptFont, int]


class Typeface(ScriptFont):
    """A font of reportlab that measures and draws any text.

    Marks are in their places in what `shaped` returns; any other string is set without that.
    """

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._plain = {letter for letter in self.letters if not _is_mark(letter)}
        self._shaped = lru_cache(maxsize=4_096)(self._shape)

    def forget_codes(self) -> None:
        super().forget_codes()
        self._shaped.cache_clear()

    def shaped(self, text: str) -> str:
        """The text as it is drawn: as it came, or its glyphs from left to right."""
        return text if self._is_plain(text) else self._shaped(text)

    def stringWidth(self, text: str, size: float, encoding: str = "utf8") -> float:  # noqa: N802
        """In points."""
        if self._is_plain(text):
            return float(super().stringWidth(text, size, encoding))
        return float(sum(d.x_advance for d in self._glyphs(text).__shapeData__) * size / 1000)

    def splitString(  # noqa: N802
        self, text: str, doc: Any, encoding: str = "utf-8"
    ) -> list[tuple[Subset, bytes]]:
        """The text's bytes in the subsets of the fonts that it needs."""
        if self._is_plain(text):
            return list(super().splitString(text, doc, encoding))
        parts: list[tuple[Subset, bytes]] = []
        for font, codes in groupby(self._glyphs(text), self._font_of_code):
            if font is self:
                parts += super().splitString("".join(codes), doc)
            else:
                drawn = font.splitString("".join(codes), doc)
                parts += [((font, subset), part) for subset, part in drawn]
        return parts

    def getSubsetInternalName(self, subset: Subset, doc: Any) -> str:  # noqa: N802
        if isinstance(subset, int):
            return str(super().getSubsetInternalName(subset, doc))
        font, number = subset
        return str(font.getSubsetInternalName(number, doc))

    def _is_plain(self, text: str) -> bool:
        """Whether one letter after the other is right, as in nearly every text."""
        return text.isascii() or (self._plain.issuperset(text) and not isinstance(text, ShapedStr))

    def _glyphs(self, text: str) -> ShapedStr:
        return text if isinstance(text, ShapedStr) else self._shaped(text)

    def _font(self, letter: str) -> ScriptFont:
        return (None if letter in self.letters else script_font(letter)) or self

    def _font_of_code(self, code: str) -> ScriptFont:
        return (None if code in self.letters else font_of_code(code)) or self

    def _shape(self, text: str) -> ShapedStr:
        glyphs = [
            glyph
            for font, from_right, letters in self._runs(get_display(text, base_dir="L"))
            for glyph in font.shape(letters, from_right=from_right)
        ]
        return ShapedStr("".join(g.code for g in glyphs), [g.place for g in glyphs])

    def _runs(self, seen: str) -> Iterator[tuple[ScriptFont, bool, str]]:
        """Runs from left to right: font, whether it is read from the right, letters as read."""
        letters: list[tuple[ScriptFont, bool, str]] = []
        font: ScriptFont = self
        for letter in seen:
            if not (letter in _JOINERS or (_is_mark(letter) and letter in font.letters)):
                font = self._font(letter)
            shown = letter if letter in font.letters or letter in _JOINERS else UNKNOWN
            letters.append((font, font.from_right and bidirectional(letter) not in _DIGITS, shown))
        for (font, from_right), run in groupby(letters, lambda letter: letter[:2]):
            text = "".join(shown for _, _, shown in run)
            yield font, from_right, text[::-1] if from_right else text


def _is_mark(letter: str) -> bool:
    return category(letter).startswith("M")
