"""`claim-analytics` with bugs put into it: `seeded_bugs.py BUG[,BUG] …`. The checker finds each.

The service knows nothing of them: functions are replaced in this process alone. Where a bug shows
in a narrow moment only, the moment is made wider.
"""

import asyncio
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import entry_points
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from consumers.engine.applier import Applier
from repositories.claims import batch
from repositories.claims.batch import apply_claim_batch
from repositories.offsets import NextOffset
from repositories.postgres.database import Database
from repositories.recomputation import passes
from repositories.recomputation.passes import Pass
from repositories.recomputation.recompute import Recomputed
from repositories.reports import jobs, outcomes
from repositories.reports.generated_reports import change_report
from repositories.reports.jobs import ClaimedJob
from repositories.reports.tables import report_jobs
from repositories.vocabulary import ReportFormat, ReportStatus
from service.operations import redrive
from service.reports import worker

WIDER = 0.2  # seconds
NEWER = "latest.known_version IS NULL OR latest.claim_version > latest.known_version"
LOOKED_UP = "CASE WHEN (staged.claim_version <= claims.claim_version) THEN staged.claim_version END"
GUARD = "claims.claim_version <= excluded.claim_version AND"


def commit_offsets_early() -> None:
    """Both offsets are moved before the batch is applied."""
    apply = Applier._apply

    async def early(applier: Applier[Any], each: Any, consumer: Any, spanned: Any) -> None:
        after = each.begins_after
        offsets = [
            NextOffset(applier.group, at.topic, at.partition, offset, after[at], at in each.new)
            for at, offset in each.next_offsets.items()
        ]
        await apply_claim_batch(applier.database, [], offsets)
        await applier._commit(each, consumer)
        await asyncio.sleep(WIDER)  # in which a SIGKILL may hit
        await apply(applier, each, consumer, spanned)

    setattr(Applier, "_apply", early)  # noqa: B010


def upsert_without_a_guard() -> None:
    """Whatever comes last is what a claim is. (The merge looks newer versions up in the history by
    what the claim is; without this it would find out, and apply nothing any more.)"""
    _rewrite({NEWER: "true", GUARD: "", LOOKED_UP: "staged.claim_version"})


def add_a_delta_twice() -> None:
    """What a claim contributes now is added two times."""
    _rewrite({"+1 AS sign": "+2 AS sign"})


def ignore_a_lost_lease() -> None:
    """A worker goes on with a report that another has taken over, and makes it ready too. With the
    only archive among the reports each waits for that."""
    finish = outcomes.finish_job

    def whoever_has_it(job: Any) -> sa.Update:
        return sa.update(report_jobs).where(report_jobs.c.report_id == job.report_id)

    async def held(*_: Any) -> bool:
        return True

    async def late(database: Database, job: ClaimedJob, **values: Any) -> bool:
        if job.format is ReportFormat.ZIP:
            await _until_taken_over(database, job)
        return await finish(database, job, **values)

    async def whatever_it_is(connection: Any, report_id: Any, _: Any, values: Any) -> Any:
        return await change_report(connection, report_id, tuple(ReportStatus), values)

    for owner in (jobs, outcomes):
        setattr(owner, "update_held", whoever_has_it)  # noqa: B010
    setattr(worker, "extend_lease", held)  # noqa: B010
    setattr(worker, "finish_job", late)  # noqa: B010
    setattr(outcomes, "change_report", whatever_it_is)  # noqa: B010


async def _until_taken_over(database: Database, job: ClaimedJob) -> None:
    later, ready = report_jobs.c.attempts > job.attempt, report_jobs.c.wrapped_key.is_not(None)
    its = sa.and_(report_jobs.c.report_id == job.report_id, sa.or_(later, ready))
    while True:
        async with database.transaction() as connection:
            if await connection.scalar(sa.select(sa.exists().where(its))):
                return
        await asyncio.sleep(WIDER)  # a poll: the other worker is elsewhere


def forget_what_is_redriven() -> None:
    """Letters are marked, and their messages not sent."""

    async def nothing(*_: Any) -> None:
        return None

    setattr(redrive, "_send", nothing)  # noqa: B010


def rebuild_without_a_lock() -> None:
    """Figures are written as they were a moment ago, whatever came meanwhile."""

    async def unlocked(self: Pass, connection: AsyncConnection) -> Any:
        chosen = self._waiting[: self.pace.at_once]
        return chosen, chosen

    async def stale(connection: AsyncConnection, providers: Any, *others: Any) -> Any:
        await connection.execute(
            sa.text(
                "CREATE TEMPORARY TABLE were ON COMMIT DROP AS"
                " SELECT * FROM analytics_cache WHERE provider_id = ANY (:whose)"
            ),
            {"whose": list(providers)},
        )
        await asyncio.sleep(5 * WIDER)  # in which batches come
        await connection.execute(
            sa.text(
                "UPDATE analytics_cache AS now SET value = were.value FROM were"
                " WHERE now.provider_id = were.provider_id AND now.metric_key = were.metric_key"
                " AND now.period_start = were.period_start AND now.period_end = were.period_end"
                " AND now.dimensions IS NOT DISTINCT FROM were.dimensions"
            )
        )
        return Recomputed()

    setattr(Pass, "_lock", unlocked)  # noqa: B010
    setattr(passes, "recompute", stale)  # noqa: B010


class Bug(NamedTuple):
    """How it is put in, beside which faults it shows, which check finds it, and how many seconds of
    traffic that takes."""

    put_in: Callable[[], None]
    faults: Sequence[str]
    found_by: str
    seconds: float = 2.0


TABLES = "tables_are_the_oracles"
BUGS = {
    bug.put_in.__name__: bug
    for bug in (
        Bug(commit_offsets_early, ("killed", "killed"), TABLES),
        Bug(upsert_without_a_guard, ("rebalanced",), TABLES),
        Bug(add_a_delta_twice, ("patient erased",), TABLES),
        Bug(ignore_a_lost_lease, ("patient erased",), "reports_are_one_each"),
        Bug(forget_what_is_redriven, ("beside a redrive",), "dead_letters_are_the_garbage"),
        Bug(rebuild_without_a_lock, ("beside a rebuild",), TABLES, 20.0),
    )
}


def _rewrite(replaced: dict[str, str]) -> None:
    """Replace these parts of the merge."""
    statement = batch._statement

    def rewritten(name: str) -> Any:
        made = statement(name)
        if name != "merge":
            return made
        text = str(made)
        for right, wrong in replaced.items():
            assert right in text, f"the merge has no {right!r} any more"
            text = text.replace(right, wrong)
        return sa.text(text)

    setattr(batch, "_statement", rewritten)  # noqa: B010


if __name__ == "__main__":
    for bug in sys.argv.pop(1).split(","):
        BUGS[bug].put_in()
    [program] = entry_points(group="console_scripts", name="claim-analytics")
    program.load()()
