"""Which SQLSTATE is whose fault: retrying what is final stops a partition, and so does the reverse.

The states are from PostgreSQL's Appendix A.
"""

import pytest

from repositories.errors import (
    ConcurrentClaim,
    DatabaseAbsent,
    DatabaseRefused,
    DatabaseUnavailable,
    NotAdmitted,
    RepositoryError,
    SchemaMissing,
    from_sqlstate,
    pooler_refusal,
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
    "42501": "no privilege",
    "42601": "syntax error",
    "42883": "no such function",
}
SCHEMA = {"42P01": "no such table", "42703": "no such column", "3F000": "no such schema"}


@pytest.mark.parametrize("sqlstate", PASSING)
def test_what_passes_is_tried_again(sqlstate: str) -> None:
    error = from_sqlstate(sqlstate, "SomeError")
    assert isinstance(error, DatabaseUnavailable)
    assert error.retriable


@pytest.mark.parametrize("sqlstate", FINAL)
def test_what_does_not_pass_is_not_tried_again(sqlstate: str) -> None:
    error = from_sqlstate(sqlstate, "SomeError")
    assert type(error) is DatabaseRefused
    assert not error.retriable


@pytest.mark.parametrize("sqlstate", ["28000", "28P01"])
def test_who_is_not_let_in_is_told_so_and_may_come_again(sqlstate: str) -> None:
    """A password that is being changed is wrong for a while."""
    error = from_sqlstate(sqlstate, "SomeError", lost=True)
    assert type(error) is NotAdmitted
    assert error.retriable


@pytest.mark.parametrize("sqlstate", SCHEMA)
def test_what_a_migration_would_mend_says_so(sqlstate: str) -> None:
    error = from_sqlstate(sqlstate, "SomeError")
    assert type(error) is SchemaMissing
    assert not error.retriable
    assert "claim-analytics migrate" in str(error)


def test_an_error_without_a_state_passes_with_the_connection_that_it_ended() -> None:
    assert type(from_sqlstate(None, "SomeError", lost=True)) is DatabaseUnavailable
    error = from_sqlstate(None, "SomeError")  # such as a value that the driver cannot encode
    assert type(error) is DatabaseRefused
    assert "SomeError" in str(error)


@pytest.mark.parametrize("sqlstate", ["08P01", "55000", "XX000"])
def test_what_can_be_either_passes_with_the_connection_that_it_ended(sqlstate: str) -> None:
    assert type(from_sqlstate(sqlstate, "SomeError", lost=True)) is DatabaseUnavailable
    assert type(from_sqlstate(sqlstate, "SomeError")) is DatabaseRefused


@pytest.mark.parametrize("sqlstate", ["08P02", "25001", "40002", "53400", "57000", "58P01"])
def test_a_state_is_not_tried_again_for_its_class(sqlstate: str) -> None:
    assert not from_sqlstate(sqlstate, "SomeError", lost=True).retriable


@pytest.mark.parametrize("sqlstate", ["3D000", "57P04"])
def test_a_database_that_is_not_there_is_an_error_of_its_own(sqlstate: str) -> None:
    error = from_sqlstate(sqlstate, "SomeError")
    assert type(error) is DatabaseAbsent
    assert error.retriable


def test_a_text_says_where_it_was_and_what_it_is() -> None:
    where = "PostgreSQL at db:5432, database claims"
    assert str(from_sqlstate("53100", "DiskFullError", where)) == (
        "PostgreSQL at db:5432, database claims: the server's disk is full (SQLSTATE 53100)"
    )


def test_of_a_pooler_that_refuses_for_good_the_text_tells_what_it_is() -> None:
    refused = pooler_refusal("unsupported startup parameter: jit", "PostgreSQL")
    assert "startup parameter jit: add it to" in str(refused)
    assert "SQLSTATE 08P01" in str(refused)
    wrong_password = pooler_refusal("SASL authentication failed", "PostgreSQL")
    assert "password" in str(wrong_password)
    assert pooler_refusal("query_wait_timeout", "PostgreSQL") is None


@pytest.mark.parametrize("sqlstate", [*PASSING, *FINAL, *SCHEMA])
def test_the_text_names_the_state(sqlstate: str) -> None:
    assert sqlstate in str(from_sqlstate(sqlstate, "SomeError"))


def test_a_concurrent_claim_is_tried_again_and_an_unnamed_error_is_not() -> None:
    assert ConcurrentClaim.retriable
    assert not RepositoryError.retriable
