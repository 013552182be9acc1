"""A hundred readers, in a process of their own: what they compute is not to hold up who measures.

`python -m tests.benchmarks.http.readers ADDRESS TOKENS DATABASE SECONDS THINK` prints as JSON what
they saw. A reader asks for a year of one figure of some provider, reads the answer, and thinks for
THINK seconds in the mean, or not at all: then all of them ask as fast as they are answered.
"""

import asyncio
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import asyncpg

from service.settings import Settings
from tests.benchmarks.latency import Latency
from tests.benchmarks.processes import HERE

READERS = 100
LONGEST_THOUGHT_SECONDS = 4  # the server hangs up on who says nothing for five
WARM_UP_SECONDS = 3.0  # in which the service opens its connections, and loads what it needs
FLOOR_SECONDS = 0.02  # so that a bare SELECT now and then is no load
QUERY = "/v1/analytics/metrics?key=revenue_monthly&from=2026-01-01&to=2026-12-31"


@dataclass(frozen=True)
class Read:
    """How long requests took, and beside them a bare SELECT on a connection of its own. `refused`
    are those that were answered with 503: asked for more than it can, the service says so. How long
    the first ones took is not told."""

    requests: int
    refused: int
    answered: Latency
    floor: Latency


async def read(
    settings: Settings, address: str, tokens: Path, seconds: float, think: float
) -> Read:
    command = [sys.executable, "-m", "tests.benchmarks.http.readers", address, str(tokens)]
    process = await asyncio.create_subprocess_exec(
        *(*command, settings.database_url.get_secret_value(), str(seconds), str(think)),
        cwd=HERE,
        env=os.environ,
        stdout=subprocess.PIPE,
        start_new_session=True,  # as in `latency.service`
    )
    said, _ = await process.communicate()
    told = json.loads(said)
    return Read(
        told["requests"], told["refused"], Latency(**told["answered"]), Latency(**told["floor"])
    )


def main() -> None:
    address, tokens, database, seconds, think = sys.argv[1:]
    drawn = json.loads(Path(tokens).read_text())
    found = asyncio.run(_read(address, drawn, database, float(seconds), float(think)))
    print(json.dumps(asdict(found)))  # noqa: T201


async def _read(
    address: str, tokens: Sequence[str], database: str, seconds: float, think: float
) -> Read:
    until = time.monotonic() + seconds
    answered: list[tuple[float, float, bool]] = []
    floor: list[float] = []
    warm = time.monotonic() + WARM_UP_SECONDS
    async with asyncio.TaskGroup() as group:
        group.create_task(_floor(database, until, floor))
        for number in range(READERS):
            drawn = random.Random(number)
            group.create_task(_reader(address, tokens, drawn, until, think, answered))
    given = [(began, seconds) for began, seconds, refused in answered if not refused]
    then = [seconds for began, seconds in given if began >= warm]
    return Read(len(given), len(answered) - len(given), _latency(then), _latency(floor))


async def _reader(
    address: str,
    tokens: Sequence[str],
    drawn: random.Random,
    until: float,
    think: float,
    answered: list[tuple[float, float, bool]],
) -> None:
    host, _, port = address.partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    while time.monotonic() < until:
        if think:
            # A person's time to look at the answer.
            await asyncio.sleep(min(drawn.expovariate(1 / think), LONGEST_THOUGHT_SECONDS))
        token = drawn.choice(tokens)
        began = time.monotonic()
        head = f"GET {QUERY} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\n\r\n"
        writer.write(head.encode())
        answer = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = int(answer.split(b"content-length:")[1].split(b"\r\n")[0])
        body: Mapping[str, object] = json.loads(await reader.readexactly(length))
        refused = body.get("status") == 503
        answered.append((began, time.monotonic() - began, refused))
        if not refused and not body.get("rows"):
            raise RuntimeError(f"no figures: {body}")
    writer.close()


async def _floor(database: str, until: float, seconds: list[float]) -> None:
    connection = await asyncpg.connect(database)
    while time.monotonic() < until:
        began = time.monotonic()
        await connection.fetchval("SELECT 1")
        seconds.append(time.monotonic() - began)
        await asyncio.sleep(FLOOR_SECONDS)  # the floor is measured, and is to be no load
    await connection.close()


def _latency(seconds: Sequence[float]) -> Latency:
    ordered = sorted(seconds)
    return Latency(ordered[len(ordered) // 2], ordered[int(len(ordered) * 0.99)], ordered[-1])


if __name__ == "__main__":
    main()
