"""What can go wrong, each by a name: a coroutine that makes it happen, and makes it good again.

Beside each of them a part of the workload is published. Moments and choices come from `rng`.
"""

import asyncio
import sys
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Final
from uuid import UUID

from aiokafka.errors import KafkaError

from service.local.stack.postgres import PostgresServer
from tests.harness.deployment import Deployment
from tests.harness.kafka import commit, committed, members
from tests.harness.rows import Positions, connected
from tests.harness.waiting import until_async
from tests.reliability.torture import dying, misreading
from tests.reliability.torture.fleet import RUN, Fleet, pause
from tests.reliability.torture.wires import Wire, WiredBroker, disturb
from tests.reliability.torture.workload import Workload

STATEMENT_SECONDS: Final = 3  # after which the service gives a statement up
MEET_SECONDS: Final = 6.0  # that a member has to come to its crash point
SURELY: Final = ("--why", "torture", "--yes")
CONSUMERS: Final = ("claims", "ai-suggestion", "report-request", "provider-updated")
OF_COMMANDS: Final = {
    "replay": ("in-a-replay", ("replay", "--why", "torture")),
    "redrive": ("before-the-mark", ("dlq", "redrive", *SURELY)),
    "redrive, marked": ("after-the-mark", ("dlq", "redrive", *SURELY)),
    "rebuild": ("in-a-recomputation", ("rebuild", "--why", "torture")),
    "refresh": ("in-a-recomputation", ("refresh", "--why", "torture")),
}
MEMBERS_POINTS: Final = sorted(dying.POINTS.keys() - {point for point, _ in OF_COMMANDS.values()})


@dataclass
class Stage:
    """What faults work on. `erased` are the ids of providers that are gone for good."""

    deployment: Deployment
    broker: WiredBroker
    server: PostgresServer
    fleet: Fleet
    workload: Workload
    wires: dict[str, Wire]  # to the broker, and to the database
    temporary: Path  # the folder for the processes' temporary files
    tally: Counter[str] = field(default_factory=Counter)
    erased: set[str] = field(default_factory=set)


Fault = Callable[[Stage, Random], Awaitable[None]]


async def killed(stage: Stage, rng: Random) -> None:
    """SIGKILL at any moment, of one member after the other or of all at once."""
    for _ in range(3):
        await stage.fleet.at_work()
        await pause(rng, 0, 0.8)
        if rng.random() < 0.3:
            stage.fleet.kill_all()
        elif stage.fleet.members:
            stage.fleet.kill(rng.choice(stage.fleet.members))
        stage.fleet.mend()


async def crashed(stage: Stage, rng: Random) -> None:
    """Members kill themselves at steps of theirs."""
    await stage.fleet.die_at(rng.sample(MEMBERS_POINTS, 3), rng, MEET_SECONDS)


async def frozen(stage: Stage, rng: Random) -> None:
    """SIGSTOP for longer than sessions and leases last, then SIGCONT: a zombie comes back."""
    [member] = rng.sample(stage.fleet.members, 1)
    await stage.fleet.at_work()
    await pause(rng, 0, 0.8)
    member.freeze()
    await pause(rng, 1.5, 4)
    member.thaw()
    await pause(rng, 0.5, 1)


async def rebalanced(stage: Stage, rng: Random) -> None:
    """A storm: others join and leave, in good order and not."""
    for _ in range(3):
        guest = stage.fleet.start(*RUN)
        await pause(rng, 0.3, 1.5)
        if rng.random() < 0.5:
            stage.fleet.kill(guest)
        else:
            guest.terminate()
    await pause(rng, 0.2, 0.6)


async def broker_killed(stage: Stage, rng: Random) -> None:
    """With SIGKILL, or SIGTERM; it comes back."""
    await pause(rng, 0.2, 1)
    await asyncio.to_thread(stage.broker.kill if rng.random() < 0.7 else stage.broker.stop)
    await pause(rng, 0, 2)
    await asyncio.to_thread(stage.broker.start)


async def database_killed(stage: Stage, rng: Random) -> None:
    """The whole server at once, or by its fast shutdown; it comes back."""
    await pause(rng, 0.2, 1)
    await asyncio.to_thread(stage.server.kill if rng.random() < 0.7 else stage.server.stop)
    await pause(rng, 0, 2)
    await asyncio.to_thread(stage.server.start)


async def connections_cut(stage: Stage, rng: Random) -> None:
    """Every connection to the database, again and again."""
    async with connected(stage.deployment) as connection:
        for _ in range(6):
            await pause(rng, 0.1, 0.6)
            await connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )


async def locks_held(stage: Stage, rng: Random) -> None:
    """A table is locked for longer than the service lets a statement take."""
    table = rng.choice(("claims", "analytics_cache", "consumer_offsets", "report_jobs", "outbox"))
    async with connected(stage.deployment) as connection, connection.transaction():
        await connection.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        await asyncio.sleep(STATEMENT_SECONDS + rng.uniform(0, 2))


async def offsets_moved(stage: Stage, rng: Random) -> None:
    """Of the groups, while nobody is in them: back by any part of the way, or forwards."""
    await stage.fleet.stop()
    for consumer in CONSUMERS:
        group = stage.deployment.settings.group(consumer)

        known = await _offsets_once_empty(stage, group)
        moved = {
            at: rng.randint(0, known[at]) if rng.random() < 0.8 else known[at] + rng.randint(0, 50)
            for at in sorted(known)
        }
        if moved:
            await commit(stage.deployment, group, moved)
    stage.fleet.mend()


async def _offsets_once_empty(stage: Stage, group: str) -> Positions:
    """The group's, once those who were killed are missed; a new broker has no groups yet."""
    found: Positions = {}

    async def are_known() -> bool:
        with suppress(KafkaError):
            if not await members(stage.deployment, group):
                found.update(await committed(stage.deployment, group))
                return True
        return False

    await until_async(are_known, f"nobody to be in {group}")
    return found


def _operated(name: str) -> Fault:
    point, arguments = OF_COMMANDS[name]

    async def operated(stage: Stage, rng: Random) -> None:
        """The command is killed in its middle, then given again, while a member is killed."""
        await stage.fleet.command(*arguments, point=point)
        again = asyncio.create_task(stage.fleet.command(*arguments))
        await pause(rng, 0.1, 0.8)
        stage.fleet.kill(rng.choice(stage.fleet.members))
        stage.fleet.mend()
        await again

    return operated


async def misread(stage: Stage, rng: Random) -> None:
    """A faulty version takes good events for garbage, and is taken back; a redrive mends it."""
    stage.fleet.kill_all()
    program = (sys.executable, misreading.__file__)
    faulty = [stage.fleet.start(*RUN, program=program) for _ in range(stage.fleet.size)]
    stage.fleet.members += faulty
    await stage.fleet.at_work()
    await pause(rng, 0.5, 2)
    stage.fleet.kill_all()
    stage.fleet.mend()


async def network_disturbed(stage: Stage, rng: Random) -> None:
    """Between the service and one of its servers, or both at once."""
    wires = rng.sample(sorted(stage.wires), rng.choice((1, 1, 2)))
    await asyncio.gather(*(disturb(stage.wires[one], rng) for one in wires))


async def erased(stage: Stage, rng: Random) -> None:
    """A provider, beside the events that come of it."""
    there = [one.provider_id for one in stage.workload.providers]
    provider_id = rng.choice(sorted({*there} - stage.erased))

    async def is_known() -> bool:
        async with connected(stage.deployment) as connection:
            known = "SELECT count(*) FROM claims WHERE provider_id = $1"
            return bool(await connection.fetchval(known, UUID(provider_id)))

    await until_async(is_known, "claims of the provider that is to be erased")
    stage.erased.add(provider_id)
    await stage.fleet.command("erase", "provider", provider_id, *SURELY)


FAULTS: Final[dict[str, Fault]] = {
    "killed": killed,
    "crashed": crashed,
    "frozen": frozen,
    "rebalanced": rebalanced,
    "broker killed": broker_killed,
    "database killed": database_killed,
    "connections cut": connections_cut,
    "locks held": locks_held,
    "offsets moved": offsets_moved,
    "misread": misread,
    "network disturbed": network_disturbed,
    "erased": erased,
    **{f"beside a {name}": _operated(name) for name in OF_COMMANDS},
}
ONCE: Final = {"erased"}  # in a run: it takes a provider out of everything that follows


def schedule(seed: int, length: int) -> list[tuple[str, Random]]:
    """Faults with their own randomness: all kinds in some order, then all of them again, …"""
    rng = Random(f"faults {seed}")
    names: list[str] = []
    while len(names) < length:
        kinds = [name for name in FAULTS if name not in ONCE or name not in names]
        names += rng.sample(kinds, len(kinds))
    return [(name, Random(f"{seed} {at} {name}")) for at, name in enumerate(names[:length])]
