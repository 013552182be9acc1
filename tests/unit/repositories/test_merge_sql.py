"""The merge as text: what stands in the repository is what runs."""

from repositories.claims.sql import FILE, merge_sql


def test_the_text_is_what_the_code_makes() -> None:
    """After a change: `python -m repositories.claims.sql`."""
    assert FILE.read_text("utf-8") == merge_sql()
