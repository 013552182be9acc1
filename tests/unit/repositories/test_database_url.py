"""The database's URL is plain in the settings, and gets the service's driver here."""

import pytest

from repositories.database import with_driver


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://me:secret@db.example:5433/claims",
        "postgres://me:secret@db.example:5433/claims",
        "postgresql+asyncpg://me:secret@db.example:5433/claims",
    ],
)
def test_a_plain_url_gets_the_driver_and_keeps_the_rest(url: str) -> None:
    found = with_driver(url).render_as_string(hide_password=False)
    assert found == "postgresql+asyncpg://me:secret@db.example:5433/claims"


def test_what_is_escaped_in_a_password_stays_what_it_is() -> None:
    assert with_driver("postgresql://me:p%40ss%2Fword@db/claims").password == "p@ss/word"


@pytest.mark.parametrize("name", ["sslmode", "ssl"])
def test_encryption_is_asked_for_by_the_drivers_own_name(name: str) -> None:
    assert with_driver(f"postgresql://db/claims?{name}=require").query == {"ssl": "require"}


@pytest.mark.parametrize("query", ["sslmode=secret", "secret=1", "sslmode=require&secret=1"])
def test_parameters_that_the_driver_does_not_know_are_refused(query: str) -> None:
    with pytest.raises(ValueError, match="sslmode") as caught:
        with_driver(f"postgresql://db/claims?{query}")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "mysql://me:secret@db/claims",
        "postgresql+psycopg://me:secret@db/claims",
        "sqlite:///secret",
        "me:secret@db/claims",
        "postgresql://me:secret@db:port/claims",
        "secret",
        "",
    ],
)
def test_any_other_text_is_refused_without_being_quoted(url: str) -> None:
    with pytest.raises(ValueError, match="postgresql://") as caught:
        with_driver(url)
    assert "secret" not in str(caught.value)
