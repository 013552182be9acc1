"""The database's URL: as every PostgreSQL client takes it, and nothing of it in an error."""

import pytest

from repositories.postgres.database_url import DatabaseUrl, Host


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+asyncpg"])
def test_each_scheme_that_means_postgresql_is_taken(scheme: str) -> None:
    found = DatabaseUrl.parse(f"{scheme}://me:secret@db.example:5433/claims")
    assert (found.hosts, found.database) == ((Host("db.example", 5433),), "claims")
    assert (found.user, found.password) == ("me", "secret")
    assert "secret" not in repr(found)


def test_what_is_escaped_stays_what_it_is() -> None:
    found = DatabaseUrl.parse("postgresql://me:p%40ss%2Fword@%2Frun%2Fpostgresql/my%20claims")
    assert found.password == "p@ss/word"
    assert found.hosts == (Host("/run/postgresql"),)
    assert found.database == "my claims"


def test_several_servers_are_tried_in_turn_for_the_one_that_takes_writes() -> None:
    found = DatabaseUrl.parse("postgresql://me@one:5433,two,[::1]:5434/claims")
    assert found.hosts == (Host("one", 5433), Host("two", 5432), Host("::1", 5434))
    assert found.target_session_attrs == "read-write"
    assert DatabaseUrl.parse("postgresql://me@one/claims").target_session_attrs == "any"
    assert found.named() == "PostgreSQL at one:5433, two:5432, [::1]:5434, database claims"


@pytest.mark.parametrize("host", ["localhost", "127.0.0.2", "[::1]", "%2Frun", ""])
def test_what_stays_on_this_machine_needs_no_encryption(host: str) -> None:
    assert DatabaseUrl.parse(f"postgresql://{host}/claims").is_local
    assert not DatabaseUrl.parse(f"postgresql://{host or 'localhost'},db/claims").is_local


@pytest.mark.parametrize("name", ["sslmode", "ssl"])
def test_encryption_is_asked_for_by_either_name(name: str) -> None:
    found = DatabaseUrl.parse(f"postgresql://db/claims?{name}=require&connect_timeout=3")
    assert found.parameters["sslmode"] == "require"
    assert found.connect_timeout == 3


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("sslmode=secret", "sslmode is one of disable,"),
        ("target_session_attrs=secret", "target_session_attrs is one of any,"),
        ("connect_timeout=secret", "connect_timeout is whole seconds"),
        ("connect_timeout=0", "connect_timeout is whole seconds"),
        ("secret=1", "after [?] it takes sslmode,"),
        ("sslmode=require&secret=1", "after [?] it takes sslmode,"),
        ("secret", "after [?] it takes sslmode,"),
        ("sslrootcert=secret", "need sslmode=require"),
        ("sslmode=prefer&sslkey=secret", "need sslmode=require"),
    ],
)
def test_a_parameter_that_would_do_nothing_is_refused(query: str, says: str) -> None:
    with pytest.raises(ValueError, match=says) as caught:
        DatabaseUrl.parse(f"postgresql://db/claims?{query}")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "mysql://me:secret@db/claims",
        "postgresql+psycopg://me:secret@db/claims",
        "sqlite:///secret",
        "me:secret@db/claims",
        "postgresql://me:secret@db:port/claims",
        "postgresql://me:secret@db:65536/claims",
        "postgresql://me:secret@db:0/claims",
        "postgresql://me:secret@db",
        "postgresql://me:secret@db/",
        "postgresql://me:secret@db/?sslmode=require",
        "secret",
        "",
    ],
)
def test_any_other_text_is_refused_without_being_quoted(url: str) -> None:
    with pytest.raises(ValueError, match="postgresql://") as caught:
        DatabaseUrl.parse(url)
    assert "secret" not in str(caught.value)
