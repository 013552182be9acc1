"""SIGKILL between each two steps of a redrive: every letter is found again, and nothing counts
twice."""

import signal
import sys
from collections import Counter

from repositories.operations.letter_states import KnownLetter, LetterFilter, find_letters
from repositories.postgres.database import Database
from service.operations.redrive import message_of
from tests.harness.deployment import Deployment
from tests.harness.faults import Fault, consuming_with
from tests.harness.kafka import committed, dead_letters, publish
from tests.harness.messages import message, nonsense
from tests.harness.process import RUN, ServiceProcess
from tests.harness.rows import assert_tables_equal_oracle
from tests.harness.waiting import until_async
from tests.integration.repositories.examples import paid, submitted
from tests.reliability import crash_points
from tests.reliability.crash_points import Point
from tests.strategies import to_plain

REDRIVE = ("dlq", "redrive", "--why", "mended")
# A member that is killed is soon missed, and all that a process reads comes to one lane.
RESTLESS = {"group_session_seconds": 1, "claim_lanes": 1}


async def test_killed_at_every_step_a_mended_letter_counts_once_and_another_stays(
    deployment: Deployment,
) -> None:
    """Two letters of a decoder's fault, and one of a message that never was an event."""
    restless = deployment.having(**RESTLESS)
    events = [submitted("A"), paid("A")]
    database = Database(deployment.database_url)
    fault = Fault(["claim-submitted", "claim-paid"])
    async with consuming_with(restless, fault):
        await publish(restless, [message(restless, event) for event in events])
        await publish(restless, nonsense(restless, 1, "claim-expired"))
        await _until(database, {"open": 3})
    await _killed_at(Point.BEFORE_THE_MARK, restless, *REDRIVE)
    assert await _states(database) == {"open": 3}
    await _killed_at(Point.AFTER_THE_MARK, restless, *REDRIVE)
    assert await _states(database) == {"redriven": 3}
    for point in (Point.AFTER_THE_BATCH, Point.BEFORE_THE_PLACES, Point.AFTER_THE_PLACES):
        await _killed_at(point, restless, *RUN)
    fault.lasts = False
    async with consuming_with(restless, fault):
        await _until_committed(restless, messages=9)
    assert await _states(database) == {"resolved": 2, "open": 1}
    letters = await find_letters(database, LetterFilter(), 10)
    assert [letter.redrives for letter in letters] == [1, 1, 1]
    await assert_tables_equal_oracle(restless, map(to_plain, events))
    identities = {_identity(record.headers) for record in await dead_letters(restless)}
    assert identities == {tuple(map(str, letter.letter_id)) for letter in letters}
    assert all([await message_of(restless.settings, letter) for letter in letters])
    await database.close()


async def _killed_at(point: Point, deployment: Deployment, *arguments: str) -> None:
    program = (sys.executable, crash_points.__file__, point.value)
    with ServiceProcess(deployment, *arguments, program=program) as process:
        assert await process.ended() == -signal.SIGKILL


async def _states(database: Database) -> Counter[str]:
    return Counter(letter.state.value for letter in await _letters(database))


async def _letters(database: Database) -> list[KnownLetter]:
    return list(await find_letters(database, LetterFilter(), 10))


async def _until(database: Database, states: dict[str, int]) -> None:
    async def reached() -> bool:
        placed = [letter.copy_offset is not None for letter in await _letters(database)]
        return all(placed) and await _states(database) == states

    await until_async(reached, f"letters in these states: {states}")


async def _until_committed(deployment: Deployment, messages: int) -> None:
    async def reached() -> bool:
        return sum((await committed(deployment, deployment.group)).values()) == messages

    await until_async(reached, f"{messages} messages committed")


def _identity(headers: object) -> tuple[str, ...]:
    added = dict(headers)  # type: ignore[call-overload]  # the client's records are untyped
    names = ("topic", "partition", "offset", "timestamp")
    return tuple(added[f"dlq-{name}"].decode() for name in names)
