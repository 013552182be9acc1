"""`claim-analytics migrate`: the database's schema."""

from migrations import commands
from repositories.database import domain_errors
from service.cli.common import explained, load_settings


def migrate() -> None:
    """Bring the database's schema up to date.

    Safe to repeat, and safe to run from several places at once: one does the work, the others
    find it done. PostgreSQL 16 or newer.
    """
    settings = load_settings()
    with explained(), domain_errors():
        commands.upgrade(settings.database_url.get_secret_value())
    print(f"The schema is at revision {commands.head()}.")  # noqa: T201
