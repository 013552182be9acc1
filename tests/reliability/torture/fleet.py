"""The instances that are tortured: started, killed, frozen, and looked at when they end."""

import asyncio
import signal
import sys
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from tests.harness.deployment import Deployment
from tests.harness.process import ServiceProcess
from tests.harness.starter import PROGRAM
from tests.harness.waiting import until
from tests.reliability.torture import dying

RUN = ("run", "--only", "claims", "--only", "reports")
KILLED = -signal.SIGKILL
AT_WORK_SECONDS = 4.0
COMMAND_SECONDS = 180.0
Program = Sequence[str | Path]


@dataclass
class Fleet:
    """`size` instances of the service; `kills` counts processes that SIGKILL has ended.

    `findings`: an instance that ended by itself, or wrote what no instance should write.
    """

    deployment: Deployment
    size: int = 2
    program: Program = (PROGRAM,)
    kills: int = 0
    met: Counter[str] = field(default_factory=Counter)  # crash points
    findings: list[str] = field(default_factory=list)
    members: list[ServiceProcess] = field(default_factory=list)
    _open: ExitStack = field(default_factory=ExitStack)

    def mend(self) -> None:
        """Start as many as are missing."""
        self._look_for_the_dead()
        while len(self.members) < self.size:
            self.members.append(self.start(*RUN))

    def start(
        self, *arguments: str, program: Program | None = None, said: str = ""
    ) -> ServiceProcess:
        """An instance, or a command, that is no member."""
        started = program or self.program
        process = ServiceProcess(self.deployment, *arguments, program=started, said=said)
        return self._open.enter_context(process)

    def dying_at(self, point: str, turn: int, *arguments: str) -> ServiceProcess:
        """One that kills itself at the point's so many-th turn."""
        program = (sys.executable, dying.__file__, point, str(turn))
        return self.start(*arguments, program=program)

    async def at_work(self, within: float = AT_WORK_SECONDS) -> None:
        """Wait until a member applies batches, but not for ever: there may be nothing to do."""

        def applying() -> bool:
            return any(process.log("batch applied") for process in self.members)

        with suppress(AssertionError):
            await until(applying, "a batch", within)

    def kill(self, process: ServiceProcess) -> None:
        self._look_for_the_dead()
        if process in self.members:
            self.members.remove(process)
        if process.running:
            process.kill()
            self.kills += 1
        self._look_at_output(process)

    def kill_one(self, rng: Random) -> None:
        """Any member, in whose place another comes."""
        self.mend()
        self.kill(rng.choice(self.members))
        self.mend()

    def kill_all(self) -> None:
        for process in [*self.members]:
            self.kill(process)

    async def stop(self) -> None:
        """SIGTERM to all; each must end in good order, unless it has hardly begun."""
        self._look_for_the_dead()
        for process in self.members:
            process.terminate()
        for process in self.members:
            code = await process.ended()
            if code != 0 and (code != -signal.SIGTERM or process.output()):
                self._find(process, f"a member that was told to stop ended with {code}")
            self._look_at_output(process)
        self.members.clear()

    async def die_at(self, points: Sequence[str], rng: Random, within: float) -> None:
        """All members are killed, and others take their places until each has killed itself at a
        point, or its time is over."""
        self.kill_all()
        guests = {point: self.dying_at(point, rng.randint(1, 3), *RUN) for point in points}

        def all_are_dead() -> bool:
            return not any(guest.running for guest in guests.values())

        try:
            await until(all_are_dead, "crash points", within)
        except AssertionError:
            self.met["none in time"] += sum(guest.running for guest in guests.values())
        for point, guest in guests.items():
            if guest.running:
                self.kill(guest)
            else:
                await self._died_at(point, guest)
                self._look_at_output(guest)
        self.mend()

    async def command(self, *arguments: str, point: str | None = None, said: str = "") -> int:
        """An operator's command, to its end, or to its death at the point; its exit code."""
        process = (
            self.dying_at(point, 1, *arguments) if point else self.start(*arguments, said=said)
        )
        try:
            code = await process.ended(COMMAND_SECONDS)
        except AssertionError:
            self._find(process, f"`{' '.join(arguments)}` does not end")
            return 1
        if code == KILLED and point:
            await self._died_at(point, process)
        elif code not in {0, 3}:  # 3: a server did not answer
            self._find(process, f"`{' '.join(arguments)}` ended with {code}")
        return code

    def close(self) -> None:
        self._open.close()

    async def _died_at(self, point: str, process: ServiceProcess) -> None:
        code = await process.ended()
        if code == KILLED:
            self.kills += 1
            self.met[point] += 1
        else:
            self._find(process, f"what was to die at {point} ended with {code}")

    def _look_for_the_dead(self) -> None:
        for process in [one for one in self.members if not one.running]:
            self._find(process, "a member ended by itself")
            self.members.remove(process)

    def _look_at_output(self, process: ServiceProcess) -> None:
        if strays := process.strays():
            self.findings.append("a stray line: " + "\n".join(strays[:20]))

    def _find(self, process: ServiceProcess, what: str) -> None:
        self.findings.append(f"{what}:\n{process.output()[-3000:]}")


async def pause(rng: Random, least: float, most: float) -> None:
    """So long, by the seed."""
    await asyncio.sleep(rng.uniform(least, most))  # so that faults hit any moment of the work
