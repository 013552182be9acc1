"""`claim-analytics run`: the service itself."""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Annotated

import typer

from consumers.engine.retry import RetryPolicy, until_it_succeeds
from consumers.engine.subscription import AnySubscription
from repositories.claims.fill import fill_all
from repositories.claims.top_code_flush import flush_top_codes
from service import wiring
from service.checks.clock import watch_clock
from service.cli.common import Exit, explained, fail, load_settings, run_async
from service.drain import wait_until_drained
from service.heartbeat import heartbeat_job
from service.http.address import DEFAULT_ADDRESS, listen
from service.http.errors import AddressNotFree
from service.http.process import ServedProcess
from service.jobs import FILLING, Job
from service.kafka import kafka_admin
from service.logs import tell_unheard_errors
from service.memory import calm_the_garbage_collector
from service.operations.nightly import NightlyJob
from service.operations.nights import Nights
from service.parts import SUBSCRIPTIONS, Part
from service.runner import Service
from service.settings import Settings
from service.signals import stopped_by_signals
from service.telemetry.traces import traced
from service.watchdog import Watchdog

log = logging.getLogger(__name__)


def run(
    only: Annotated[
        list[Part] | None,
        typer.Option(help="Run this part alone; may be given twice."),
    ] = None,
    drain: Annotated[
        bool,
        typer.Option(
            "--drain",
            help="Exit with 0 once the consumer groups have committed all that the topics held"
            " when this began, whichever instance did it; nothing is served over HTTP.",
        ),
    ] = False,
) -> None:
    """Run the service, until SIGTERM or Ctrl-C.

    It has three parts, and runs all unless --only names one:

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
      http     serves health, metrics, the console and the API at
               CLAIM_ANALYTICS_HTTP_ADDRESS; the other parts serve them too,
               and alone it has no consumer

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
      2  wrong usage or settings, or the HTTP address is taken
      3  Kafka, PostgreSQL or the report store did not answer at the start, or
         Kafka did not let the service in
      4  a partition or a topic has stopped, or a drain cannot be completed
    """
    settings = load_settings()
    parts = only or list(Part)
    subscriptions = [subscription for part in parts for subscription in SUBSCRIPTIONS[part]]
    if drain and not subscriptions:
        fail("--only http reads no topic, so there is nothing to drain: leave out one.", Exit.USAGE)
    watchdog = Watchdog()
    with explained():
        jobs = [*_report_jobs(settings)] if Part.REPORTS in parts else []
        jobs += _nightly_jobs(settings) if Part.CLAIMS in parts and not drain else []
        jobs.append(watch_clock)
        if settings.heartbeat_file:
            jobs.append(heartbeat_job(settings.heartbeat_file, watchdog))
    run_async(
        run_service(settings, subscriptions, jobs, drain=drain, parts=parts, watchdog=watchdog)
    )


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
    parts: Sequence[Part] = (),
    watchdog: Watchdog | None = None,
) -> None:
    """Until a signal, or with `drain` until all is committed that was there; then without HTTP."""
    tell_unheard_errors(asyncio.get_running_loop())
    service = Service(settings, subscriptions, jobs, watchdog)
    async with AsyncExitStack() as until_the_end:
        until_the_end.enter_context(stopped_by_signals(service.stop))  # also while it starts
        await until_the_end.enter_async_context(traced(settings))
        if not drain:
            await until_the_end.enter_async_context(_served(settings, service, parts))
        calm_the_garbage_collector()
        running = asyncio.create_task(service.run())
        if drain:
            await _stop_when_drained(settings, service, running)
        await running


@asynccontextmanager
async def _served(
    settings: Settings, service: Service, parts: Sequence[Part]
) -> AsyncIterator[None]:
    """Without an address of its own the HTTP side is a convenience, and does without its port;
    unless there is nothing else. It answers until the consumers have finished."""
    address = settings.http_address
    try:
        listening = listen(address or DEFAULT_ADDRESS)
    except AddressNotFree as error:
        if address or not service.progress:
            raise
        log.warning("nothing is served over HTTP: %s", error)
        yield
        return
    # Loaded here, as the help and a drain need none of it; see service.cli.app.
    from service.http.app import build_app  # noqa: PLC0415
    from service.http.server import served  # noqa: PLC0415

    process = ServedProcess(
        settings,
        service.progress,
        service.lanes,
        service.orders,
        service.watchdog,
        parts,
        lambda: service.stopping,
        service.pool_use,
    )
    ended = "the HTTP server ended"
    async with served(build_app(process), listening, lambda: service.stop(ended)) as url:
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
