"""`merge.sql`: what a batch runs, as text to read and to EXPLAIN.

`python -m repositories.claims.sql` writes it anew after a change; a test holds it to the code.
"""

import re
import textwrap
from collections.abc import Callable
from functools import partial
from pathlib import Path

from sqlalchemy.sql.elements import ClauseElement

from repositories import batch_providers
from repositories.claims import erased, merge
from repositories.statements import spelled_out
from repositories.tombstones import anything_erased

FILE = Path(__file__).with_name("merge.sql")
HEAD = """\
-- What one batch of claim events runs, in this order, in one transaction at READ COMMITTED, after
-- its events were copied into the temporary table that is called `staged` here. Made by
-- `python -m repositories.claims.sql` from repositories/claims/merge.py, which says why each step
-- is there; do not edit.
"""
STEPS: dict[str, Callable[[], ClauseElement]] = {
    "Make the batch's providers known": partial(batch_providers.add_providers, merge.staged),
    "Lock them, in order": partial(batch_providers.lock_providers, merge.staged),
    "See whether anything was erased, ever": anything_erased,
    "If so: take the events of erased providers out": partial(
        batch_providers.leave_out_erased_providers, merge.staged
    ),
    "If so: take patients' numbers out of events of claims that lost them": (
        erased.empty_erased_claims
    ),
    "Merge: history, claims, figures, marks of months whose top codes are behind": merge.merge,
    "Only if some event is neither new nor a repetition: which, and why": merge.refused,
}


def merge_sql() -> str:
    parts = (f"-- {title}\n{_readable(make())};\n" for title, make in STEPS.items())
    return "\n".join([HEAD, *parts])


def _readable(statement: ClauseElement) -> str:
    shorter = re.sub(r"(\w+)\.(\w+) AS \2\b", r"\1.\2", spelled_out(statement))
    apart = re.sub(r", (?=\w+ AS\b *\n)", ",\n\n", shorter)
    by_clause = re.sub(
        r" (?=(?:ORDER BY|GROUP BY|ON CONFLICT|RETURNING) (?!\w+\.seq))", "\n", apart
    )
    lines = [line.strip() for line in by_clause.splitlines()]
    wrapped = (
        textwrap.fill(
            line, 100, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False
        )
        for line in lines
    )
    return "\n".join(wrapped)


if __name__ == "__main__":
    FILE.write_text(merge_sql(), "utf-8")
