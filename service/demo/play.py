"""The play itself, on a stack that runs: from an empty database to figures that are checked."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn
from uuid import UUID

from consumers.claims import CLAIM_SUBSCRIPTIONS
from consumers.handler import Subscription
from consumers.progress import Progress
from consumers.providers import PROVIDER_UPDATES
from consumers.report_requests import REPORT_REQUESTS
from repositories.database import Database
from repositories.top_code_flush import flush_top_codes
from repositories.verification import verify
from service import wiring
from service.demo.clock import Clock
from service.demo.desk import ReportDesk
from service.demo.displays import Display, Say
from service.demo.environment import write_environment
from service.demo.figures import read_months
from service.demo.first_of import first_of
from service.demo.keeper import Keeper
from service.demo.sampler import Sampler
from service.demo.serving import end_of, serving
from service.demo.set_up import create_schema, create_topics
from service.demo.settings import demo_settings
from service.demo.summary import Outcome
from service.demo.upstream import Upstream
from service.demo.wishes import first_wishes
from service.drain import wait_until_drained
from service.kafka import KafkaAdmin, Publisher, kafka_admin, publisher
from service.reports.wiring import report_jobs
from service.runner import Service, calm_the_garbage_collector
from service.settings import Settings
from service.simulator import SimulatedProvider, Simulator
from service.stack import Stack

SUBSCRIPTIONS: Sequence[Subscription[Any]] = (
    *CLAIM_SUBSCRIPTIONS,
    REPORT_REQUESTS,
    PROVIDER_UPDATES,
)


@dataclass(frozen=True)
class Plan:
    """What is to be played; `rate` is live events a second.

    Ready reports are written to `keep_reports`, if there is such a folder.
    """

    events: int
    once: bool
    providers: int
    seed: int
    rate: float
    keep_reports: Path | None = None


@dataclass(frozen=True)
class Stage:
    """Where it is played, and how it is shown."""

    stack: Stack
    clock: Clock
    display: Display
    say: Say


@dataclass(frozen=True)
class _Cast:
    """Who takes part."""

    settings: Settings
    admin: KafkaAdmin
    publishing: Publisher
    database: Database
    service: Service
    simulator: Simulator
    physician: SimulatedProvider
    desk: ReportDesk
    keeper: Keeper

    @property
    def claims_progress(self) -> dict[str, Progress]:
        return {s.name: self.service.progress[s.name] for s in CLAIM_SUBSCRIPTIONS}


async def play(plan: Plan, stage: Stage) -> Outcome:
    """Set up, play, and with `once` come to an end and check; otherwise play until cancelled.

    Raises StackError when a server dies, what the service raises when it cannot go on, and what
    `Keeper` raises.
    """
    calm_the_garbage_collector()  # as in `run`
    settings = demo_settings(stage.stack)
    stage.say(f"The schema is at revision {await create_schema(settings)}.")
    async with _cast(plan, settings) as cast:
        await create_topics(cast.admin, settings)
        stage.say("The topics are there, each with its dead letter topic.")
        environment = _environment(stage, cast)
        await _perform(plan, stage, cast, environment)
        return await _outcome(cast)


def choose_physician(providers: Sequence[SimulatedProvider]) -> SimulatedProvider:
    """One with several business arrangements and locations, if there is: more to see."""
    several = (p for p in providers if len(p.ba_numbers) > 1 and len(p.locations) > 1)
    return next(several, providers[0])


@asynccontextmanager
async def _cast(plan: Plan, settings: Settings) -> AsyncIterator[_Cast]:
    simulator = Simulator(plan.seed, plan.providers, datetime.now(UTC))
    physician = choose_physician(simulator.providers)
    service = Service(settings, SUBSCRIPTIONS, report_jobs(settings))
    connection = wiring.kafka_connection(settings)
    database = wiring.database(settings)
    keeper = Keeper(settings, database, plan.keep_reports)
    try:
        async with kafka_admin(connection) as admin, publisher(connection) as publishing:
            desk = ReportDesk(settings, publishing, database, physician)
            yield _Cast(
                settings, admin, publishing, database, service, simulator, physician, desk, keeper
            )
    finally:
        await database.close()


def _environment(stage: Stage, cast: _Cast) -> Path:
    file = write_environment(stage.stack.folder, cast.settings, cast.physician)
    stage.say(f"To look in from another shell: . {file}")
    stage.say("… and there, for example: claim-analytics report list")
    return file


async def _perform(plan: Plan, stage: Stage, cast: _Cast, environment: Path) -> None:
    upstream = Upstream(cast.simulator, cast.publishing, cast.settings, plan.events)
    sampler = Sampler(
        stage.clock,
        cast.settings,
        upstream,
        cast.claims_progress,
        cast.admin,
        cast.database,
        cast.physician,
        cast.desk,
        environment,
    )
    async with serving(cast.service) as running:
        stage.say("The service consumes; the simulated claim service begins to publish.")
        with stage.display.shown():
            await first_of(
                _publish(plan, upstream, cast), _watch(stage, sampler, cast), end_of(running)
            )
            stage.display.show(await sampler.sample())  # the last of it


async def _publish(plan: Plan, upstream: Upstream, cast: _Cast) -> None:
    """All that the plan has; with `once` until all of it is consumed and every report is made."""
    await cast.desk.introduce(cast.simulator.providers)
    await upstream.play_history()
    await _wait_until_drained(cast)
    today = datetime.now(UTC).date()
    await cast.desk.ask(first_wishes(today))  # now, so that they show the whole history
    if plan.once:
        await cast.desk.wait_until_finished()
    else:
        await first_of(upstream.play_live(plan.rate), cast.desk.keep_asking(today))


async def _wait_until_drained(cast: _Cast) -> None:
    """The topics of claims and of profiles; nothing has asked for reports yet."""
    settings, progress = cast.settings, cast.service.progress
    ends = {
        settings.group(name): await cast.admin.end_offsets([settings.topic(name)])
        for name in progress
    }
    await wait_until_drained(cast.admin, cast.database, ends, progress)


async def _watch(stage: Stage, sampler: Sampler, cast: _Cast) -> NoReturn:
    while True:
        stage.stack.check()
        sample = await sampler.sample()
        stage.display.show(sample)
        await cast.keeper.keep(sample.reports)
        await asyncio.sleep(stage.display.interval)


async def _outcome(cast: _Cast) -> Outcome:
    """After the service has stopped: nothing moves any more."""
    await flush_top_codes(cast.database)
    months = await read_months(cast.database, UUID(cast.physician.provider_id))
    reports = await cast.desk.reports()
    await cast.keeper.keep(reports)
    return Outcome(
        tally=cast.simulator.tally,
        progress=cast.service.progress,
        verification=await verify(cast.database),
        physician=cast.physician,
        months=months,
        profiles=cast.desk.profiles,
        requested=cast.desk.requested,
        reports=reports,
    )
