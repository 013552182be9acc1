"""Single packets are lost on the way to the servers: TCP sends them again, later and later."""

import os
import re
import subprocess
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from random import Random
from typing import Final

from tests.harness.waiting import until
from tests.reliability.torture.fleet import pause
from tests.reliability.torture.stage import NotHere, Stage

TABLE: Final = f"inet claim_analytics_torture_{os.getpid()}"
WAYS: Final = (("dport",), ("sport",), ("dport", "sport"))  # to the server, from it, both
COUNTED: Final = r"counter packets (\d+)"
SHARES: Final = (5, 20, 50)  # percent; of a half, connections hardly come on


async def packets_lost(stage: Stage, rng: Random) -> None:
    """Of one of the servers or of both, in one direction or in both."""
    names = rng.sample(sorted(stage.wires), rng.choice((1, 1, 2)))
    ports = [stage.wires[name].port for name in names]
    await stage.fleet.at_work()
    with _dropping(rng.choice(SHARES), rng.choice(WAYS), ports) as dropped:
        await pause(rng, 2, 6)
        stage.packets += await until(dropped, "a packet to be lost")


@contextmanager
def _dropping(
    share: int, ways: Collection[str], ports: Collection[int]
) -> Iterator[Callable[[], int]]:
    """Yields what counts the packets that are gone; which of them is up to the kernel."""
    which = ", ".join(map(str, ports))
    rule = f"{{ {which} }} numgen random mod 100 < {share} counter drop"
    rules = [f"tcp {way} {rule}" for way in ways]
    chain = ("type filter hook input priority 0", *rules)
    _nft(f"table {TABLE} {{ chain lost {{ {'; '.join(chain)}; }}; }}")
    try:
        yield lambda: sum(map(int, re.findall(COUNTED, _nft(f"list table {TABLE}"))))
    finally:
        _nft(f"delete table {TABLE}")


def _nft(commands: str) -> str:
    try:
        done = subprocess.run(["nft", "-f", "-"], input=commands, capture_output=True, text=True)
    except FileNotFoundError as missing:
        raise NotHere("nft is not installed (Debian: nftables)") from missing
    assert "syntax error" not in done.stderr, done.stderr
    if done.returncode:
        [said, *_] = done.stderr.splitlines()
        raise NotHere(f"dropping packets takes root and a kernel with nftables; nft says: {said}")
    return done.stdout
