"""Statements that are compiled once reach PostgreSQL as SQLAlchemy would have sent them."""

import re

from sqlalchemy import Text, literal, literal_column, select
from sqlalchemy.sql.elements import ClauseElement

from repositories import batch_providers
from repositories.claims import merge as claim_merge
from repositories.metrics.lists import TOP_CODES
from repositories.statements import compiled
from repositories.suggestions import merge as suggestion_merge
from repositories.tables import analytics_cache, lists_due
from tests.unit.project_files import files_like


def sent(statement: ClauseElement) -> str:
    """The text that goes to the driver."""
    return str(compiled(statement).compile())


def test_bound_values_are_spelled_out() -> None:
    claim_id, state = literal_column("claim_id", Text), literal_column("state", Text)
    assert (
        sent(select(claim_id).where(state == literal("PAID"))).replace("\n", "")
        == "SELECT claim_id WHERE state = 'PAID'"
    )


def test_colons_are_no_parameters() -> None:
    statement = compiled(select(literal_column("'10:30'::text", Text)))
    assert statement.compile().params == {}
    assert "'10:30'::text" in str(statement.compile())


def test_a_quote_in_a_value_stays_inside_it() -> None:
    assert "'it''s'" in sent(select(literal("it's")))


def test_the_merge_has_no_parameters_left() -> None:
    """A value that is bound by accident would be missing when the text is sent."""
    statements = (
        claim_merge.merge(),
        claim_merge.merge(with_metrics=False),
        claim_merge.refused(),
        batch_providers.add_providers(claim_merge.staged),
        batch_providers.lock_providers(claim_merge.staged),
        suggestion_merge.merge(),
        suggestion_merge.refused(),
    )
    assert [compiled(statement).compile().params for statement in statements] == [{}] * len(
        statements
    )


def test_no_statement_computes_md5() -> None:
    """Servers in FIPS mode refuse to."""
    sources = files_like(".sql", ".py").items()
    statements = {name: text for name, text in sources if not name.startswith("tests/")}
    assert [name for name, text in statements.items() if re.search(r"\bmd5\b", text)] == []


def test_codes_are_ordered_by_their_bytes_whatever_the_databases_collation() -> None:
    """The tests' databases have the collation C, where no result could tell."""
    assert 'COLLATE "C"' in sent(TOP_CODES.rows(lists_due, analytics_cache))
