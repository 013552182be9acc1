"""Statements that are compiled once reach PostgreSQL as SQLAlchemy would have sent them."""

from sqlalchemy import Text, literal, literal_column, select
from sqlalchemy.sql.elements import ClauseElement

from repositories import claim_merge
from repositories.metrics.top_codes import top_codes
from repositories.statements import compiled
from repositories.tables import analytics_cache, top_codes_due


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
        claim_merge.rejected(),
        claim_merge.add_providers(),
        claim_merge.lock_providers(),
    )
    assert [compiled(statement).compile().params for statement in statements] == [{}] * 5


def test_codes_are_ordered_by_their_bytes_whatever_the_databases_collation() -> None:
    """The tests' databases have the collation C, where no result could tell."""
    assert 'COLLATE "C"' in sent(top_codes(top_codes_due, analytics_cache))
