"""`claim-analytics run`: the service itself."""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Annotated

import typer

from consumers.engine.retry import RetryPolicy, until_it_succeeds
from consumers.engine.subscription import AnySubscription
from repositories.claims.fill import fill_all
from repositories.claims.top_code_flush import flush_top_codes
from service import wiring
from service.checks.clock import watch_clock
from service.cli.common import explained, load_settings, run_async
from service.drain import wait_until_drained
from service.heartbeat import heartbeat_job
from service.http.address import DEFAULT_ADDRESS, AddressNotFree, listen
from service.http.app import ServedProcess, build_app
from service.http.server import served
from service.jobs import FILLING, Job
from service.kafka import kafka_admin
from service.logs import tell_unheard_errors
from service.operations.nightly import NightlyJob
from service.operations.nights import Nights
from service.parts import SUBSCRIPTIONS, Part
from service.runner import Service, calm_the_garbage_collector
from service.settings import Settings
from service.signals import stopped_by_signals
from service.telemetry.traces import traced

log = logging.getLogger(__name__)


def run(
    only: Annotated[
        list[Part] | None,
        typer.Option(help="Run this part alone."),
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
    """Run the service, until SIGTERM or Ctrl-C.

    It has two parts, and runs both unless --only names one:

    \b
      claims   reads the claim topics (claim-submitted, claim-paid and seven
               others), keeps history, claims and figures right, in
               CLAIM_ANALYTICS_CLAIM_LANES members of the consumer group
               claim-analytics.claims; reads ai-suggestion and
               cache-refresh-request too, where they are; once a night one of the
               instances recomputes and tidies up, at CLAIM_ANALYTICS_NIGHTLY_AT
      reports  reads report-request and provider-updated, makes the reports in
               CLAIM_ANALYTICS_REPORT_WORKERS workers, announces them on
               report-status, and removes their files when their time is over

    (The topics' and the groups' names are settings.) Before the first start, and at each new
    version: `claim-analytics migrate`, then `claim-analytics topics`. Reports are made once
    CLAIM_ANALYTICS_REPORT_MASTER_KEYS is set (`claim-analytics keys new`); until then requests
    wait.

    Start as many instances as you like: they share the partitions and the reports. SIGTERM or
    Ctrl-C stops fetching, finishes and commits the batch at hand, leaves the groups, and ends with
    0; one that is killed leaves nothing half done. While PostgreSQL or Kafka is away the service
    waits and tries again, for as long as it takes.

    The log is on standard error; docs/operations.md explains its lines and what to do about them.

    \b
    Exit codes:
      0  stopped by a signal, or drained
      1  what no waiting helps against, such as a schema that is missing
      2  wrong usage or settings
      3  Kafka, PostgreSQL or the report store did not answer at the start, or
         Kafka did not let the service in
      4  a partition or a topic has stopped, or a drain cannot be completed
    """
    settings = load_settings()
    parts = only or list(Part)
    subscriptions = [subscription for part in parts for subscription in SUBSCRIPTIONS[part]]
    with explained():
        jobs = [*_report_jobs(settings)] if Part.REPORTS in parts else []
        jobs += _nightly_jobs(settings) if Part.CLAIMS in parts and not drain else []
        jobs.append(watch_clock)
        if settings.heartbeat_file:
            jobs.append(heartbeat_job(settings.heartbeat_file))
    run_async(run_service(settings, subscriptions, jobs, drain=drain))


def _report_jobs(settings: Settings) -> Sequence[Job]:
    from service.reports.wiring import report_jobs  # noqa: PLC0415  # see service.cli.app

    return report_jobs(settings)


def _nightly_jobs(settings: Settings) -> Sequence[Job]:
    nights = Nights.parse(settings.nightly_at, settings.nightly_zone)
    return [NightlyJob(nights)] if nights else []


async def run_service(
    settings: Settings,
    subscriptions: Sequence[AnySubscription],
    jobs: Sequence[Job] = (),
    *,
    drain: bool,
) -> None:
    calm_the_garbage_collector()
    tell_unheard_errors(asyncio.get_running_loop())
    service = Service(settings, subscriptions, jobs)
    process = ServedProcess(settings, service.progress, service.pool_use)
    async with traced(settings), _served(process):
        with stopped_by_signals(service.stop):
            running = asyncio.create_task(service.run())
            if drain:
                await _stop_when_drained(settings, service, running)
            await running


@asynccontextmanager
async def _served(process: ServedProcess) -> AsyncIterator[None]:
    """Without an address of its own the HTTP side is a convenience, and does without its port."""
    address = process.settings.http_address
    try:
        listening = listen(address or DEFAULT_ADDRESS)
    except AddressNotFree as error:
        if address:
            raise
        log.warning("nothing is served over HTTP: %s", error)
        yield
        return
    async with served(build_app(process), listening) as url:
        log.info("serving HTTP", extra={"url": url})
        yield


async def _stop_when_drained(
    settings: Settings, service: Service, running: asyncio.Task[None]
) -> None:
    draining = asyncio.create_task(_drained(settings, service))
    await asyncio.wait({draining, running}, return_when=asyncio.FIRST_COMPLETED)
    if not draining.done():  # a signal, or a consumer that stopped, came first
        service.stop()
        draining.cancel()
        return
    try:
        draining.result()
        service.stop("drained")
    finally:
        service.stop("it cannot be drained")
        await asyncio.gather(running, return_exceptions=True)


async def _drained(settings: Settings, service: Service) -> None:
    database = wiring.database(settings)
    try:
        async with kafka_admin(wiring.kafka_connection(settings)) as admin:
            ends = await service.ends(admin)
            await wait_until_drained(admin, database, ends, service.progress, service.orders)
        await until_it_succeeds(lambda: fill_all(database), FILLING, RetryPolicy())
        await until_it_succeeds(
            lambda: flush_top_codes(database), "bringing top_hsc_codes up to date", RetryPolicy()
        )
    finally:
        await database.close()
