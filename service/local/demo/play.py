"""The demo itself, on a stack that runs: from an empty database to figures that are checked."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn
from uuid import UUID

from consumers.engine.subscription import AnySubscription
from consumers.topics.claims import CLAIMS
from consumers.topics.providers import PROVIDER_UPDATES
from consumers.topics.report_requests import REPORT_REQUESTS
from consumers.topics.suggestions import AI_SUGGESTIONS
from repositories.calendar import day_in_alberta
from repositories.claims.top_code_flush import flush_top_codes
from repositories.claims.verification import verify
from service.drain import wait_until_drained
from service.http.address import DEFAULT_ADDRESS, listen
from service.http.app import build_app
from service.http.errors import AddressNotFree
from service.http.process import ServedProcess
from service.http.server import served
from service.local.demo import environment
from service.local.demo.displays import Display, Say
from service.local.demo.figures import read_dashboard, read_live_keys
from service.local.demo.reports import ReportClient, ReportFolder, first_requests
from service.local.demo.sample import Sampler
from service.local.demo.summary import Outcome
from service.local.demo.upstream import Upstream
from service.local.simulator import Platform, SimulatedProvider, Simulator
from service.local.stack import Stack
from service.memory import calm_the_garbage_collector
from service.reports.wiring import report_jobs
from service.runner import Service
from service.topics import create_missing_topics

PUBLISHED: Sequence[AnySubscription] = (CLAIMS, AI_SUGGESTIONS)  # what the simulator plays
SUBSCRIPTIONS: Sequence[AnySubscription] = (*PUBLISHED, REPORT_REQUESTS, PROVIDER_UPDATES)
# More drafts and suggestions than usual: one physician is to have some of everything.
COURSE = Platform(drafted=0.12, coached=0.15)
POLL_SECONDS = 0.05
CANCEL_SECONDS = 5.0  # a client whose server is gone can take a minute to give up
STOP_SECONDS = 10.0  # more than the service itself takes when no server answers


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


async def play(plan: Plan, stack: Stack, display: Display, say: Say) -> Outcome:
    """Set up, play, and with `once` come to an end and check; otherwise play until cancelled.

    Raises StackError when a server dies, what the service raises when it cannot go on, and what
    `ReportFolder` raises.
    """
    calm_the_garbage_collector()  # as in `run`
    settings = environment.demo_settings(stack)
    say(f"The schema is at revision {await environment.create_schema(settings)}.")
    async with environment.clients(settings) as clients:
        await create_missing_topics(clients.admin, settings)
        say("The topics are there, each with its dead letter topic.")
        demo = _Demo(plan, clients)
        script = environment.write_environment(stack.folder, settings, demo.physician)
        say(f"To look in from another shell: . {script}")
        say("… and there, for example: claim-analytics report list")
        its = demo.service
        process = ServedProcess(settings, its.progress, its.lanes, its.orders, its.watchdog)
        async with (
            _serving(demo.service) as service,
            served(build_app(process), _free_socket()) as url,
        ):
            say("The service consumes; the simulated claim service begins to publish.")
            say(f"To look at it in a browser: {url}/console")
            await demo.run(service, stack, display, str(script), f"{url}/console")
        return await demo.outcome()


def _free_socket() -> socket.socket:
    """At the usual address, or on any port where that is taken."""
    try:
        return listen(DEFAULT_ADDRESS)
    except AddressNotFree:
        return listen("127.0.0.1:0")


def choose_physician(providers: Sequence[SimulatedProvider]) -> SimulatedProvider:
    """One with several business arrangements and locations, if there is: more to see."""
    several = (p for p in providers if len(p.ba_numbers) > 1 and len(p.locations) > 1)
    return next(several, providers[0])


class _Demo:
    """The service, what publishes to it, and what is watched of it."""

    def __init__(self, plan: Plan, clients: environment.Clients) -> None:
        self._plan = plan
        self._clients = clients
        self._simulator = Simulator(plan.seed, plan.providers, datetime.now(UTC), course=COURSE)
        self.physician = choose_physician(self._simulator.providers)
        settings = clients.settings
        self.service = Service(settings, SUBSCRIPTIONS, report_jobs(settings))
        self._upstream = Upstream(clients, self._simulator, plan.events)
        self._reports = ReportClient(clients, self.physician)
        self._folder = ReportFolder(clients, plan.keep_reports)

    async def run(
        self,
        service: asyncio.Task[None],
        stack: Stack,
        display: Display,
        script: str,
        console: str,
    ) -> None:
        """Until the plan is carried out, or `service` ends."""
        watched = [(each, self.service.progress[each.name]) for each in PUBLISHED]
        sources = (self._clients, watched, self._upstream, self._reports)
        sampler = Sampler(*sources, self.physician, script, console)

        async def watch() -> NoReturn:
            while True:
                stack.check()
                sample = await sampler.sample()
                display.show(sample)
                await self._folder.keep(sample.reports)
                await asyncio.sleep(display.interval)  # until the display is due again

        with display.shown():
            await first_of(self._publish(), watch(), asyncio.shield(service))
            display.show(await sampler.sample())  # the last of it

    async def _publish(self) -> None:
        """All of the plan; with `once` until all of it is consumed and every report is made."""
        await self._upstream.publish_profiles()
        await self._upstream.play_history()
        # The topics of claims and of profiles: no report has been requested yet.
        admin = self._clients.admin
        ends = await self.service.ends(admin)
        service = self.service
        await wait_until_drained(
            admin, self._clients.database, ends, service.progress, service.orders
        )
        today = datetime.now(UTC).date()
        await self._reports.request(first_requests(today))  # they show the whole history
        if self._plan.once:
            await self._reports.wait_until_finished()
        else:
            live = self._upstream.play_live(self._plan.rate)
            await first_of(live, self._reports.keep_requesting(today))

    async def outcome(self) -> Outcome:
        """After the service has stopped: nothing changes any more."""
        database = self._clients.database
        await flush_top_codes(database)
        today = day_in_alberta(datetime.now(UTC))
        dashboard = await read_dashboard(database, UUID(self.physician.provider_id), today)
        providers = [UUID(each.provider_id) for each in self._simulator.providers]
        reports = await self._reports.reports()
        await self._folder.keep(reports)
        return Outcome(
            tally=self._simulator.tally,
            progress=self.service.progress,
            verification=await verify(database),
            physician=self.physician,
            dashboard=dashboard,
            today=today,
            live_keys=await read_live_keys(database, providers),
            profiles=self._upstream.profiles,
            requested=self._reports.requested,
            reports=reports,
        )


@asynccontextmanager
async def _serving(service: Service) -> AsyncIterator[asyncio.Task[None]]:
    """The service at work; at the end it finishes the batch at hand and stops.

    In this process, so that the view shows its own counters. Raises what it raises when it cannot
    go on.
    """
    running = asyncio.create_task(service.run())

    async def consumes() -> None:
        """Every consumer has partitions: it commits a first offset even where they are empty.

        Before that, a new broker may not be able to say what a group has committed.
        """
        while not all(p.batches for p in service.progress.values()):  # noqa: ASYNC110  # a counter
            await asyncio.sleep(POLL_SECONDS)  # a poll: it is a counter

    try:
        await first_of(consumes(), asyncio.shield(running))
        yield running
    finally:
        service.stop()
        await asyncio.wait({running}, timeout=STOP_SECONDS)
        await _cancel(running)  # if it has not ended, its servers are gone
    await running


async def first_of(*works: Awaitable[object]) -> None:
    """Run all until the first ends; then cancel the others, and raise its error if it had one.

    No TaskGroup: that would wait for all of them, however long they take to give up.
    """
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await _cancel(*tasks)
    for task in done:
        task.result()


async def _cancel(*tasks: asyncio.Future[Any]) -> None:
    """Cancel, and wait for the end, but not for long; what these tasks raise is passed over."""
    for task in tasks:
        task.cancel()
    ended, _ = await asyncio.wait(tasks, timeout=CANCEL_SECONDS)
    await asyncio.gather(*ended, return_exceptions=True)
