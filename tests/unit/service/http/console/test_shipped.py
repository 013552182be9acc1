"""What pages are made with comes from this package alone, and is what it says it is."""

import hashlib
import re

from service.http.console.rendering import HERE, static_files

TEMPLATES = {file.name: file.read_text("utf-8") for file in (HERE / "templates").iterdir()}


def test_htmx_is_the_version_that_its_note_names_with_its_licence() -> None:
    note = (HERE / "static" / "htmx.txt").read_text("utf-8")
    content = static_files()["htmx.min.js"].content
    [version] = re.findall(r"^version: (\S+)$", note, re.MULTILINE)
    [digest] = re.findall(r"^sha256: (\w+)$", note, re.MULTILINE)
    assert hashlib.sha256(content).hexdigest() == digest
    assert f'version="{version}"'.encode() in content
    assert "Permission to use, copy, modify" in note


def test_no_template_has_inline_code_or_names_another_host() -> None:
    """The policy of the pages would make browsers leave it out."""
    for name, text in TEMPLATES.items():
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|hx-on|javascript:", text), name
        assert not re.search(r"https?://|[\"'(]//", text), name
        for script in re.findall(r"<script[^>]*>", text):
            assert "src=" in script, name


def test_all_that_a_page_loads_is_small() -> None:
    assert sum(len(file.content) for file in static_files().values()) < 80_000
