"""`claim-analytics migrate`: the database's schema."""

from migrations import commands
from migrations.revisions import head
from repositories.claims.fill import count_behind
from repositories.postgres.database import Database
from repositories.reading.grant import ensure_reader
from service.cli.common import explained, load_settings, run_async
from service.settings import Settings


def migrate() -> None:
    """Bring the database's schema up to date.

    Safe to repeat, and safe to run from several places at once: one does the work, the others
    find it done. Waits for those who write, some seconds at a time. PostgreSQL 16 or newer.

    It also gives the service's user the right to read as claim_analytics_reader, which reading
    over HTTP is done as, or says the statement for somebody who may.
    """
    settings = load_settings()
    with explained():
        commands.upgrade(settings.session_url)
    print(f"The schema is at revision {head()}.")  # noqa: T201
    if statement := run_async(ensure_reader(settings.session_url)):
        print(  # noqa: T201
            "Reading over HTTP needs a right that this user may not give: have somebody say, who"
            f" may,\n  {statement};"
        )
    if behind := run_async(_behind(settings)):
        print(  # noqa: T201
            f"Of {behind:,} providers some figures are new in this version: `claim-analytics run`"
            " fills them in beside its work. See docs/upgrading.md."
        )


async def _behind(settings: Settings) -> int:
    database = Database(settings.session_url)
    try:
        async with database.snapshot() as connection:
            return await count_behind(connection)
    finally:
        await database.close()
