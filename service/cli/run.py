"""`claim-analytics run`: the service itself."""

import asyncio
from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Any

import typer

from consumers.claims import CLAIM_SUBSCRIPTIONS
from consumers.handler import Subscription
from consumers.providers import PROVIDER_UPDATES
from consumers.report_requests import REPORT_REQUESTS
from consumers.retry import RetryPolicy, until_it_succeeds
from repositories.top_code_flush import flush_top_codes
from service import wiring
from service.cli.common import explained, load_settings, run_async
from service.drain import wait_until_drained
from service.heartbeat import heartbeat_job
from service.jobs import Job
from service.kafka import kafka_admin
from service.runner import Service, calm_the_garbage_collector, stopped_by_signals
from service.settings import Settings


class Part(StrEnum):
    """What `--only` can name."""

    CLAIMS = "claims"  # claim events to figures
    REPORTS = "reports"  # requests and profiles to rows, rows to files, files announced


SUBSCRIPTIONS: dict[Part, Sequence[Subscription[Any]]] = {
    Part.CLAIMS: CLAIM_SUBSCRIPTIONS,
    Part.REPORTS: (REPORT_REQUESTS, PROVIDER_UPDATES),
}


def run(
    only: Annotated[
        list[Part] | None,
        typer.Option(help="Run this part alone; may be given more than once."),
    ] = None,
    drain: Annotated[
        bool,
        typer.Option(
            "--drain",
            help="Exit with 0 once the consumer groups have committed all that the topics held"
            " when this began, whichever instance did it.",
        ),
    ] = False,
) -> None:
    """Consume the topics, keep the figures right and make reports, until SIGTERM or Ctrl-C.

    Start as many instances as you like: they share the partitions. One that is stopped finishes
    the batch at hand; one that is killed leaves nothing half done. While PostgreSQL or Kafka is
    away the service waits and tries again, for as long as it takes.

    Before the first start: `claim-analytics migrate` and `claim-analytics topics`.

    Exit codes: 0 stopped or drained; 3 Kafka was not to be had at the start; 4 a consumer stopped,
    for the reason that is printed.
    """
    settings = load_settings()
    parts = only or list(Part)
    subscriptions = [subscription for part in parts for subscription in SUBSCRIPTIONS[part]]
    with explained():
        jobs = [*_report_jobs(settings)] if Part.REPORTS in parts else []
    if settings.heartbeat_file:
        jobs.append(heartbeat_job(settings.heartbeat_file))
    run_async(run_service(settings, subscriptions, jobs, drain=drain))


def _report_jobs(settings: Settings) -> Sequence[Job]:
    from service.reports.wiring import report_jobs  # noqa: PLC0415  # see service.cli.app

    return report_jobs(settings)


async def run_service(
    settings: Settings,
    subscriptions: Sequence[Subscription[Any]],
    jobs: Sequence[Job] = (),
    *,
    drain: bool,
) -> None:
    calm_the_garbage_collector()
    service = Service(settings, subscriptions, jobs)
    with stopped_by_signals(service):
        running = asyncio.create_task(service.run())
        if drain:
            await _stop_when_drained(settings, service, running)
        await running


async def _stop_when_drained(
    settings: Settings, service: Service, running: asyncio.Task[None]
) -> None:
    draining = asyncio.create_task(_drained(settings, service))
    await asyncio.wait({draining, running}, return_when=asyncio.FIRST_COMPLETED)
    service.stop()
    if not draining.done():  # a signal, or a consumer that stopped, came first
        draining.cancel()
        return
    try:
        draining.result()
    finally:
        await asyncio.gather(running, return_exceptions=True)


async def _drained(settings: Settings, service: Service) -> None:
    database = wiring.database(settings)
    try:
        async with kafka_admin(wiring.kafka_connection(settings)) as admin:
            ends = {
                settings.group(name): await admin.end_offsets([settings.topic(name)])
                for name in service.progress
            }
            await wait_until_drained(admin, database, ends, service.progress)
        await until_it_succeeds(
            lambda: flush_top_codes(database), "bringing top_hsc_codes up to date", RetryPolicy()
        )
    finally:
        await database.close()
