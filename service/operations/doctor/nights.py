"""The nightly run as the doctor sees it: whether one was missed."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from repositories.operations.job_runs import standing_of
from repositories.postgres.clock import database_time
from repositories.postgres.database import Database
from service.operations.doctor.findings import Finding, fine, look, wrong
from service.operations.doctor.work import LATE, START_ONE
from service.operations.nightly import JOB
from service.operations.nights import Nights
from service.settings import PREFIX, Settings

NIGHTLY = "nightly run"
OFF = (
    f"{PREFIX}NIGHTLY_AT is off, so no instance confirms figures, moves the month that they begin"
    " with, or forgets old dead letters: `claim-analytics refresh` does the first two"
)


async def look_at_nightly_run(
    settings: Settings, database: Database, running: bool | None
) -> Sequence[Finding]:
    """`running`: whether an instance follows the claims; None: it is not known."""
    nights = Nights.parse(settings.nightly_at, settings.nightly_zone)
    if nights is None:
        return [look(NIGHTLY, OFF)]
    now = await database_time(database)
    ended, under_way_since = await standing_of(database, JOB)
    night = nights.last_due(now)
    if ended is None:
        return [fine(NIGHTLY, "none is due: `run` notes the first night when it starts")]
    if ended >= night:
        return [fine(NIGHTLY, f"that of the night {ended} has ended, and none is due")]
    if under_way_since:
        return [fine(NIGHTLY, f"one is under way since {_utc(under_way_since)}")]
    due = nights.begins(ended + timedelta(days=1))
    if now - due < LATE:
        return [fine(NIGHTLY, f"one is due since {_utc(due)}, and an instance takes it soon")]
    nobody = f"nobody is at it, and figures were confirmed last in the night {ended}"
    return [wrong(NIGHTLY, f"one is due since {_utc(due)}; {nobody}: {_todo(running)}")]


def _todo(running: bool | None) -> str:
    log = "the log of the instances says why, at 'doing the nightly run'"
    if running is None:
        return f"if no instance runs, {START_ONE}; else {log}"
    return log if running else START_ONE


def _utc(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
