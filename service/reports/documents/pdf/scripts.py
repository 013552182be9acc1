"""The fonts of the world's scripts, one file each, and HarfBuzz over them.

They travel with the package (see `fonts/OFL.txt`), and each is loaded when its first letter comes.
"""

from bisect import bisect_right
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from io import BytesIO
from typing import Any, NamedTuple

import uharfbuzz
from reportlab.pdfbase.ttfonts import ShapeData, TTFont

# Where the blocks of Unicode begin that a font covers; an empty name is a gap.
_BLOCKS = (
    (0x0000, ""), (0x0530, "Armenian"), (0x0590, "Hebrew"), (0x0600, "Arabic"),
    (0x0700, "Syriac"), (0x0750, "Arabic"), (0x0780, ""), (0x0860, "Syriac"), (0x0870, "Arabic"),
    (0x0900, "Devanagari"), (0x0980, "Bengali"), (0x0A00, "Gurmukhi"), (0x0A80, "Gujarati"),
    (0x0B00, "Oriya"), (0x0B80, "Tamil"), (0x0C00, "Telugu"), (0x0C80, "Kannada"),
    (0x0D00, "Malayalam"), (0x0D80, "Sinhala"), (0x0E00, "Thai"), (0x0E80, "Lao"), (0x0F00, ""),
    (0x1000, "Myanmar"), (0x10A0, "Georgian"), (0x1100, ""), (0x1200, "Ethiopic"), (0x13A0, ""),
    (0x1400, "CanadianAboriginal"), (0x1680, ""), (0x1780, "Khmer"), (0x1800, ""),
    (0x18B0, "CanadianAboriginal"), (0x1900, ""), (0x19E0, "Khmer"), (0x1A00, ""),
    (0x1C90, "Georgian"), (0x1CC0, ""), (0x2D00, "Georgian"), (0x2D30, ""), (0x2D80, "Ethiopic"),
    (0x2DE0, ""), (0x2E80, "SC"), (0x3130, "KR"), (0x3190, "SC"), (0xA000, ""),
    (0xA8E0, "Devanagari"), (0xA900, ""), (0xA9E0, "Myanmar"), (0xAA00, ""), (0xAA60, "Myanmar"),
    (0xAA80, ""), (0xAB00, "Ethiopic"), (0xAB30, ""), (0xAC00, "KR"), (0xD7B0, ""),
    (0xF900, "SC"), (0xFB00, ""), (0xFB1D, "Hebrew"), (0xFB50, "Arabic"), (0xFE00, ""),
    (0xFE70, "Arabic"), (0xFF00, "SC"), (0xFFF0, ""),
)  # fmt: skip
_STARTS = [start for start, _ in _BLOCKS]
_FROM_RIGHT = {"Arabic", "Hebrew", "Syriac"}
# Glyphs get codes from plane 15 on, which Unicode leaves to private use. They are those of one
# document, so that they do not grow with the names that a process has seen.
_FIRST_CODE = 0xF0000
_fonts_of_codes: dict[str, "ScriptFont"] = {}


class Glyph(NamedTuple):
    """`code` names it to its font; `place` is in thousandths of the type size."""

    code: str
    place: ShapeData


class ScriptFont(TTFont):  # type: ignore[misc]  # reportlab has no types
    """One font file. reportlab embeds the glyphs that are drawn, by their codes."""

    def __init__(self, name: str, script: str = "") -> None:
        """`script` as in `_BLOCKS`: the font is asked for letters of these blocks alone."""
        data = (files("service.reports.documents") / "fonts" / f"{name}.ttf").read_bytes()
        super().__init__(name, BytesIO(data))
        self.from_right = script in _FROM_RIGHT
        self.letters = frozenset(map(chr, self.face.charToGlyph))
        self._named = {letter for letter in self.letters if script in ("", _script(letter))}
        self._shaper = uharfbuzz.Font(uharfbuzz.Face(uharfbuzz.Blob(data)))
        self._codes: dict[tuple[int, str], str] = {}
        self._texts: dict[str, str] = {}  # what codes stand for, both as a PDF writes them

    def shape(self, letters: str, *, from_right: bool) -> Iterator[Glyph]:
        """The glyphs of a run from left to right; its letters come in the order of reading."""
        buffer = uharfbuzz.Buffer()
        buffer.add_str(letters)
        buffer.language = "en"  # else the machine's
        buffer.guess_segment_properties()
        buffer.direction = "rtl" if from_right else "ltr"
        buffer.flags = uharfbuzz.BufferFlags.REMOVE_DEFAULT_IGNORABLES
        uharfbuzz.shape(self._shaper, buffer)
        starts = sorted({info.cluster for info in buffer.glyph_infos})
        ends = dict(zip(starts, [*starts[1:], len(letters)], strict=True))
        for info, at in zip(buffer.glyph_infos, buffer.glyph_positions, strict=True):
            # Of a cluster the first glyph stands for all letters, the others for none.
            text = letters[info.cluster : ends.pop(info.cluster, 0)]
            width = self._shaper.get_glyph_h_advance(info.codepoint)
            lengths = (at.x_advance, 0, at.x_offset, at.y_offset, width)
            place = ShapeData(info.cluster, *map(self.pdfScale, lengths))
            yield Glyph(self._code(info.codepoint, text, place.width), place)

    def _code(self, glyph: int, text: str, width: float) -> str:
        """A letter names the glyph that it has alone; any other gets a code of its own."""
        if text in self._named and self.face.charToGlyph[ord(text)] == glyph:
            return text
        if (glyph, text) not in self._codes:
            code = chr(_FIRST_CODE + len(_fonts_of_codes))
            self.face.charToGlyph[ord(code)] = glyph
            self.face.charWidths[ord(code)] = width
            self._codes[glyph, text] = code
            self._texts[f"<{ord(code):X}>"] = f"<{text.encode('utf-16-be').hex().upper()}>"
            _fonts_of_codes[code] = self
        return self._codes[glyph, text]

    def forget_codes(self) -> None:
        self._codes.clear()
        self._texts.clear()

    def addObjects(self, doc: Any) -> None:  # noqa: N802  # reportlab's name
        """Glyphs without a letter say what they stand for, so that text can be found and copied."""
        super().addObjects(doc)
        for name, stream in doc.idToObject.items():
            if name.startswith("toUnicodeCMap:") and name.endswith(self.face.name.decode()):
                stream.content = "\n".join(map(self._spelt, stream.content.split("\n")))

    def _spelt(self, line: str) -> str:
        code, _, letter = line.partition(" ")
        return f"{code} {self._texts[letter]}" if letter in self._texts else line


def forget_codes() -> None:
    """Before another document begins."""
    for font in {*_fonts_of_codes.values()}:
        font.forget_codes()
    _fonts_of_codes.clear()


def script_font(letter: str) -> ScriptFont | None:
    """The font that has the letter, if it is not Latin, Greek or Cyrillic."""
    script = _script(letter)
    font = _font(script) if script else None
    return font if font and letter in font.letters else None


def font_of_code(code: str) -> ScriptFont | None:
    """The font whose glyph has the code."""
    return _fonts_of_codes.get(code) or script_font(code)


@cache
def _font(script: str) -> ScriptFont:
    return ScriptFont(f"NotoSans{script}-Regular", script)


def _script(letter: str) -> str:
    return _BLOCKS[bisect_right(_STARTS, ord(letter)) - 1][1]
