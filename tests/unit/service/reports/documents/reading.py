"""What a report's file says, read back with other people's tools."""

import csv
import io
import zipfile

import pypdf


def pdf_pages(pdf: bytes) -> list[str]:
    """The text of each page."""
    return [page.extract_text() for page in pypdf.PdfReader(io.BytesIO(pdf)).pages]


def pdf_last_page(pdf: bytes) -> str:
    return pypdf.PdfReader(io.BytesIO(pdf)).pages[-1].extract_text()


def pdf_text(pdf: bytes) -> str:
    """All text, on one line."""
    return " ".join(" ".join(pdf_pages(pdf)).split())


def csv_lines(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode(), newline=""), strict=True))


def csv_header(data: bytes) -> list[str]:
    return next(csv.reader(io.StringIO(data.decode(), newline="")))


def zip_files(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}
