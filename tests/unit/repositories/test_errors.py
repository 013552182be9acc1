"""Which SQLSTATE is whose fault: retrying what is final stops a partition, and so does the reverse.

The states are from PostgreSQL's Appendix A.
"""

import pytest

from repositories.errors import (
    ConcurrentClaim,
    DatabaseRefused,
    DatabaseUnavailable,
    RepositoryError,
    SchemaMissing,
    from_sqlstate,
)

PASSING = {
    "08006": "connection failure",
    "25006": "read-only transaction: a standby",
    "40001": "serialization failure",
    "40P01": "deadlock",
    "53100": "disk full",
    "53300": "too many connections",
    "55006": "object in use",
    "55P03": "lock not available",
    "57014": "cancelled",
    "57P01": "shutting down",
    "57P03": "starting up",
    "58030": "input or output error",
}
FINAL = {
    "22001": "text too long",
    "22P02": "not what the type allows",
    "23502": "null where none may be",
    "23514": "check violation",
    "28P01": "wrong password",
    "3D000": "no such database",
    "42501": "no privilege",
    "42601": "syntax error",
    "42883": "no such function",
}
SCHEMA = {"42P01": "no such table", "42703": "no such column", "3F000": "no such schema"}


@pytest.mark.parametrize("sqlstate", PASSING)
def test_what_passes_is_tried_again(sqlstate: str) -> None:
    error = from_sqlstate(sqlstate, "SomeError")
    assert type(error) is DatabaseUnavailable
    assert error.retriable


@pytest.mark.parametrize("sqlstate", FINAL)
def test_what_does_not_pass_is_not_tried_again(sqlstate: str) -> None:
    error = from_sqlstate(sqlstate, "SomeError")
    assert type(error) is DatabaseRefused
    assert not error.retriable


@pytest.mark.parametrize("sqlstate", SCHEMA)
def test_what_a_migration_would_mend_says_so(sqlstate: str) -> None:
    error = from_sqlstate(sqlstate, "SomeError")
    assert type(error) is SchemaMissing
    assert not error.retriable
    assert "claim-analytics migrate" in str(error)


def test_an_error_without_a_state_is_a_lost_connection() -> None:
    error = from_sqlstate(None, "SomeError")
    assert type(error) is DatabaseUnavailable
    assert "SomeError" in str(error)


@pytest.mark.parametrize("sqlstate", [*PASSING, *FINAL, *SCHEMA])
def test_the_text_names_the_state(sqlstate: str) -> None:
    assert sqlstate in str(from_sqlstate(sqlstate, "SomeError"))


def test_a_concurrent_claim_is_tried_again_and_an_unnamed_error_is_not() -> None:
    assert ConcurrentClaim.retriable
    assert not RepositoryError.retriable
