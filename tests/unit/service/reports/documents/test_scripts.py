"""Names in any script that Alberta's physicians and places are written in are shown, and right."""

import io
from dataclasses import replace

import pypdf
import pytest
from pypdf.generic import ContentStream
from reportlab.pdfbase import pdfmetrics

from repositories.reports.rows import Location
from repositories.vocabulary import ReportFormat, ReportType
from service.reports.documents.pdf.fonts import REGULAR, register_fonts, shaped, text_width
from service.reports.documents.pdf.scripts import ScriptFont, font_of_code
from service.reports.documents.wording import printable
from tests.unit.service.reports.documents.examples import (
    PROVIDER,
    Rows,
    claim,
    rendered,
    request,
)
from tests.unit.service.reports.documents.reading import pdf_pages, pdf_text

NAMES = {
    "Arabic": "محمد عبدالرحمن",
    "Urdu": "ڈاکٹر مُحَمَّد",
    "Persian": "علی‌رضا پژوهش",
    "Armenian": "Արմեն",
    "Bengali": "শ্রীলক্ষ্মী",
    "Burmese": "အောင်ဆန်း",
    "Cree": "ᓀᐦᐃᔭᐏᐣ",
    "Cyrillic": "Щербаков",
    "Dene": "Dënesųłıné ų́ Tłı̨chǫ",
    "Devanagari": "कृष्णमूर्ति क्षत्रिय",
    "Ethiopic": "ዮሐንስ",
    "Georgian": "ნინო",
    "Greek": "Ευγενία",
    "Gujarati": "શ્રીકૃષ્ણ",
    "Gurmukhi": "ਗੁਰਪ੍ਰੀਤ ਸਿੰਘ",
    "Han": "陳大文 李龙",
    "Hangul": "김현수",
    "Hebrew": "כֹּהֵן",
    "Inuktitut": "ᐃᓄᒃᑎᑐᑦ",
    "Kana": "山田 はなこ",
    "Kannada": "ಶ್ರೀನಿವಾಸ",
    "Khmer": "សុភ័ក្ត្រ",
    "Lao": "ບຸນຍັງ",
    "Malayalam": "ശ്രീകുമാർ",
    "Oriya": "ଶ୍ରୀକୃଷ୍ଣ",
    "Sinhala": "ශ්‍රී කුමාර",
    "Syriac": "ܡܪܝܡ",
    "Tamil": "ஸ்ரீநிவாசன்",
    "Telugu": "శ్రీనివాస్",
    "Thai": "สมศักดิ์ น้ำ",
    "Vietnamese": "Nguyễn Đặng",
}
register_fonts()


def glyphs(text: str) -> list[tuple[str, int]]:
    """The file and the number of each glyph that is drawn, from left to right."""
    fonts = [font_of_code(code) or pdfmetrics.getFont(REGULAR) for code in shaped(text, REGULAR)]
    codes = map(ord, shaped(text, REGULAR))
    return [
        (font.fontName, font.face.charToGlyph[code])
        for font, code in zip(fonts, codes, strict=True)
    ]


def in_arabic(*forms: str) -> list[tuple[str, int]]:
    """Glyphs of the forms that letters have beside others, by Unicode's old codes for them."""
    font = font_of_code("\u0645")
    assert isinstance(font, ScriptFont)
    return [(font.fontName, font.face.charToGlyph[ord(form)]) for form in forms]


def drawn_boxes(pdf: bytes) -> int:
    """How often a letter without a glyph is drawn: it has the code 0 in every subset."""
    reader = pypdf.PdfReader(io.BytesIO(pdf))
    count = 0
    for page in reader.pages:
        for operands, operator in ContentStream(page["/Contents"], reader).operations:
            if operator in (b"Tj", b"TJ"):
                parts = operands[0] if operator == b"TJ" else operands
                strings = [part for part in parts if isinstance(part, str | bytes)]
                count += sum(bytes_of(string).count(0) for string in strings)
    return count


def bytes_of(string: str | bytes) -> bytes:
    return string if isinstance(string, bytes) else string.original_bytes  # type: ignore[attr-defined]  # of pypdf's own text


async def test_names_in_every_script_are_shown_without_boxes() -> None:
    places = [Location(claim(n).claim_id, name) for n, name in enumerate(NAMES.values(), 1)]
    provider = replace(PROVIDER, locations=tuple(places))
    claims = [claim(n, location_id=place.location_id) for n, place in enumerate(places, 1)]
    asked = request(ReportType.ACCOUNTANT_DETAIL, ReportFormat.PDF, provider=provider)

    pdf = await rendered(asked, Rows(claims))

    assert drawn_boxes(pdf) == 0
    found = "".join(pdf_text(pdf).split())
    assert "\ufffd" not in found
    # Word by word: words that run from the right come out in the order in which they are seen.
    words = [word for name in NAMES.values() for word in name.split()]
    assert [word for word in words if word not in found] == []


@pytest.mark.parametrize("report_type", [ReportType.RRNP_QUARTERLY, ReportType.WEEKLY_SUMMARY])
async def test_a_name_from_the_right_leaves_what_follows_it_from_the_left(
    report_type: ReportType,
) -> None:
    provider = replace(PROVIDER, first_name="محمد", last_name="كريم")
    asked = request(report_type, ReportFormat.PDF, provider=provider)

    assert " · 2025-01-01 to 2025-12-31" in pdf_pages(await rendered(asked, Rows([claim(1)])))[0]


def test_arabic_letters_join_and_run_from_the_right() -> None:
    assert glyphs("محمد") == in_arabic("\ufeaa", "\ufee4", "\ufea4", "\ufee3")


def test_a_joiner_keeps_letters_apart_and_draws_nothing() -> None:
    assert glyphs("م\u200cم") == glyphs("م") * 2
    assert printable("علی\u200cرضا\u200d") == "علی\u200cرضا"


def test_digits_and_latin_in_arabic_text_run_from_the_left() -> None:
    assert [code for code in shaped("م A1 ١٢", REGULAR) if code in "A1١٢"] == list("A1١٢")


def test_a_vowel_that_is_read_after_its_letter_is_seen_before_it() -> None:
    before, after = glyphs("कि")
    assert after == glyphs("क")[0]
    assert before != after


def test_letters_become_one_conjunct() -> None:
    assert len(glyphs("क्ष")) == 1


def test_a_mark_stands_over_its_letter() -> None:
    accented = shaped("ų\u0301", REGULAR)
    assert [place.y_offset != 0 or place.x_offset != 0 for place in accented.__shapeData__] == [  # type: ignore[attr-defined]  # reportlab's
        False,
        True,
    ]
    assert text_width("ų\u0301", REGULAR, 10) == text_width("ų", REGULAR, 10)


@pytest.mark.parametrize("letter", ["\U0001f600", "ཀ", "\ue000", "\U000f0001", "\ufdd0"])
def test_a_letter_that_no_font_has_shows_as_the_mark_for_that(letter: str) -> None:
    assert shaped(f"a{letter}", REGULAR) == "a\ufffd"


async def test_names_of_one_report_do_not_fill_the_memory_for_the_next() -> None:
    asked = request(ReportType.RRNP_QUARTERLY, ReportFormat.PDF)
    codes = []
    for name, other in (("क्षि", "ख्यि"), ("त्रि", "ग्यि"), ("ज्ञि", "घ्यि")):
        await rendered(replace(asked, provider=replace(PROVIDER, first_name=name)), Rows())
        codes.append(max(shaped(other, REGULAR)))

    assert len(set(codes)) == 1


def test_ordinary_text_is_drawn_as_it_came() -> None:
    name = "Łukasz Nguyễn-Đặng"
    assert shaped(name, REGULAR) is name
