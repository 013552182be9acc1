"""What can go wrong, each by a name: a coroutine that makes it happen, and makes it good again.

Beside each of them a part of the workload is published. Moments and choices come from `rng`.
"""

import asyncio
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Final

from aiokafka.errors import KafkaError

from tests.harness.former_version import first_of_this_schema, unpacked
from tests.harness.kafka import commit, committed, members
from tests.harness.rows import Positions
from tests.harness.starter import PROGRAM
from tests.harness.waiting import LONG, until_async
from tests.reliability.torture import dying, misreading, server_faults
from tests.reliability.torture.disk import disk_filled
from tests.reliability.torture.erasures import SURELY, patient_erased, provider_erased
from tests.reliability.torture.fleet import RUN, Program, pause
from tests.reliability.torture.packets import packets_lost
from tests.reliability.torture.stage import Fault, NotHere, Stage

SHARED: Final = Path("/dev/shm")
HOUR: Final = 3_600
STEPS: Final = (-40 * 24 * HOUR, -HOUR, -60, 0, 60, HOUR, 40 * 24 * HOUR)  # seconds
MEET_SECONDS: Final = 6.0  # that a member has to come to its crash point
CONSUMERS: Final = ("claims", "ai-suggestion", "report-request", "provider-updated")
OF_COMMANDS: Final = {
    "replay": ("in-a-replay", ("replay", "--why", "torture")),
    "redrive": ("before-the-mark", ("dlq", "redrive", *SURELY)),
    "redrive, marked": ("after-the-mark", ("dlq", "redrive", *SURELY)),
    "rebuild": ("in-a-recomputation", ("rebuild", "--why", "torture")),
    "refresh": ("in-a-recomputation", ("refresh", "--why", "torture")),
}
MEMBERS_POINTS: Final = sorted(dying.POINTS.keys() - {point for point, _ in OF_COMMANDS.values()})


async def killed(stage: Stage, rng: Random) -> None:
    """SIGKILL at any moment, of one member after the other or of all at once."""
    for _ in range(3):
        await stage.fleet.at_work()
        await pause(rng, 0, 0.8)
        if rng.random() < 0.3:
            stage.fleet.kill_all()
            stage.fleet.mend()
        else:
            stage.fleet.kill_one(rng)


async def crashed(stage: Stage, rng: Random) -> None:
    """Members kill themselves at steps of theirs."""
    await stage.fleet.die_at(rng.sample(MEMBERS_POINTS, 3), rng, MEET_SECONDS)


async def frozen(stage: Stage, rng: Random) -> None:
    """SIGSTOP for longer than sessions and leases last, then SIGCONT: a zombie comes back."""
    stage.fleet.mend()
    member = rng.choice(stage.fleet.members)
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
        await stage.fleet.at_work(LONG)
        await stage.fleet.command(*arguments, point=point)
        again = asyncio.create_task(stage.fleet.command(*arguments))
        await pause(rng, 0.1, 0.8)
        stage.fleet.kill_one(rng)
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


async def two_versions(stage: Stage, rng: Random) -> None:
    """A member of the oldest version that knows this schema works alone, then beside one of this,
    as in a rolling upgrade that may also go back."""
    folder = stage.folder / "former"
    former = await asyncio.to_thread(unpacked, first_of_this_schema(), folder)
    if former is None:
        raise NotHere("the history of this clone has no former version")
    stage.fleet.kill_all()
    stage.fleet.members.append(stage.fleet.start(*RUN, program=former))
    await stage.fleet.at_work(LONG)
    stage.fleet.mend()
    with suppress(AssertionError):
        await stage.fleet.members[-1].logged("partitions assigned")
    await pause(rng, 0.2, 2)
    stage.fleet.kill_all()
    stage.fleet.mend()


async def clocks_stepped(stage: Stage, rng: Random) -> None:
    """Of all members, ahead and behind, by minutes or by weeks, while they work."""
    clock = stage.folder / "clock"
    program = _with_the_clock_of(clock)
    clock.write_text("+0\n")
    stage.fleet.kill_all()
    stage.fleet.members += [stage.fleet.start(*RUN, program=program) for _ in range(2)]
    await stage.fleet.at_work(LONG)
    for _ in range(3):
        clock.write_text(f"{rng.choice(STEPS):+}\n")
        await pause(rng, 1, 3)
    there = [member.pid for member in stage.fleet.members]
    stage.fleet.kill_all()
    for pid in there:
        for name in ("faketime_shm", "sem.faketime_sem"):  # which SIGKILL leaves behind
            (SHARED / f"{name}_{pid}").unlink(missing_ok=True)
    stage.fleet.mend()


def _with_the_clock_of(file: Path) -> Program:
    """`claim-analytics` by a clock that is off by what the file says; its pauses are right."""
    try:
        asked = ("faketime", "-f", "+0", "printenv", "LD_PRELOAD")
        library = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()
    except FileNotFoundError as missing:
        raise NotHere("faketime is not installed (Debian: faketime)") from missing
    file_of_it = f"FAKETIME_TIMESTAMP_FILE={file}"
    how = ("FAKETIME_CACHE_DURATION=1", "FAKETIME_DONT_FAKE_MONOTONIC=1")
    return "env", f"LD_PRELOAD={library}", file_of_it, *how, PROGRAM


FAULTS: Final[dict[str, Fault]] = {
    "killed": killed,
    "crashed": crashed,
    "frozen": frozen,
    "rebalanced": rebalanced,
    "two versions": two_versions,
    "clocks stepped": clocks_stepped,
    "broker killed": server_faults.broker_killed,
    "database killed": server_faults.database_killed,
    "disk filled": disk_filled,
    "switched over": server_faults.switched_over,
    "connections cut": server_faults.connections_cut,
    "locks held": server_faults.locks_held,
    "network disturbed": server_faults.network_disturbed,
    "packets lost": packets_lost,
    "offsets moved": offsets_moved,
    "misread": misread,
    "provider erased": provider_erased,
    "patient erased": patient_erased,
    **{f"beside a {name}": _operated(name) for name in OF_COMMANDS},
}
ONCE: Final = {"provider erased"}  # in a run: it takes a provider out of everything that follows


def schedule(seed: int, length: int, only: Sequence[str] | None = None) -> list[tuple[str, Random]]:
    """Faults with their own randomness: all kinds, or only these, in some order, then again, …"""
    rng = Random(f"faults {seed}")
    names: list[str] = []
    while len(names) < length:
        kinds = [name for name in only or FAULTS if name not in ONCE or name not in names]
        if not kinds:
            break
        names += rng.sample(kinds, len(kinds))
    return [(name, Random(f"{seed} {at} {name}")) for at, name in enumerate(names[:length])]
