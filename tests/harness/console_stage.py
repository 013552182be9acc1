"""A service in a state with something to look at, for a console that is looked at."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from consumers.topics.claims import CLAIMS
from consumers.topics.providers import PROVIDER_UPDATES
from consumers.topics.report_requests import REPORT_REQUESTS
from consumers.topics.suggestions import AI_SUGGESTIONS
from repositories.operations.letter_states import LetterFilter, count_letters, find_letters
from repositories.operations.letters import LetterId
from repositories.postgres.database import Database
from repositories.vocabulary import LetterState
from service.kafka import Message
from tests.harness.deployment import PAID, Deployment
from tests.harness.faults import Fault, consuming_with
from tests.harness.kafka import publish
from tests.harness.messages import message, nonsense, simulated
from tests.harness.reports import PROFILES, UPDATED, deploy_reports, event
from tests.harness.rows import connected
from tests.harness.waiting import until_async
from tests.integration.repositories.examples import paid, submitted, uuid_of
from tests.integration.repositories.report_examples import fail, report_id, requested_and_claimed

PHN, FEE, NAME = "912837465", "8642.13", "Quillfeather"
CLAIM = uuid_of("claim planted")
NONSENSE, UNREAD = 3, 5
FAILED: UUID = report_id()


@dataclass
class Stage:
    """While the `fault` lasts payments become dead letters; so many of them did (`owing`)."""

    deployment: Deployment
    database: Database
    fault: Fault
    owing: int

    async def letters(self, state: LetterState) -> int:
        return await count_letters(self.database, LetterFilter(states=[state]))

    async def more_letters(self, count: int = 1) -> None:
        before = await self.letters(LetterState.OPEN)
        await publish(self.deployment, nonsense(self.deployment, count))
        await self.until_letters(LetterState.OPEN, before + count)

    async def until_letters(self, state: LetterState, count: int) -> None:
        async def reached() -> bool:
            found = await find_letters(self.database, LetterFilter(), 10_000)
            known = all(letter.copy_offset is not None for letter in found)
            return known and await self.letters(state) == count

        await until_async(reached, f"{count} letters that are {state}")

    async def first_letter(self) -> LetterId:
        [letter] = await find_letters(self.database, LetterFilter(), 1)
        return letter.letter_id


@asynccontextmanager
async def staged(
    kafka: str, database_url: str, folder: Path, *, plain_names: bool = False
) -> AsyncIterator[Stage]:
    """A claim with a number, a fee and a physician's name that no page may show; dead letters, a
    failed report, and messages of a topic that nobody reads.

    `plain_names`: topics and groups by their default names, on servers of its own, and all of them
    read.
    """
    deployment = await deploy_reports(kafka, database_url, folder, plain_names=plain_names)
    database, fault = Database(database_url), Fault([PAID])
    load = simulated(deployment, 150)
    planted = {"patient_phn": PHN, "submitted_fee": FEE}
    claim = submitted("planted", 1, "planted", **planted)
    payment = paid("planted", 2, "planted", assessed_fee=FEE, **planted)
    owing = len(load.of(deployment.topic(PAID)).messages) + 1
    try:
        others = (AI_SUGGESTIONS, REPORT_REQUESTS) if plain_names else ()
        async with consuming_with(deployment, fault, CLAIMS, PROVIDER_UPDATES, *others):
            await publish(
                deployment,
                [
                    *load.messages,
                    *nonsense(deployment, NONSENSE),
                    *nonsense(deployment, 0 if plain_names else UNREAD, "ai-suggestion"),
                    *(message(deployment, spec) for spec in (claim, payment)),
                    _profile(deployment),
                ],
            )
            stage = Stage(deployment, database, fault, owing)
            await fail(database, await requested_and_claimed(database))
            await stage.until_letters(LetterState.OPEN, owing + NONSENSE)
            await until_async(lambda: _is_named(deployment), "the physician's name")
            yield stage
    finally:
        await database.close()


async def _is_named(deployment: Deployment) -> bool:
    async with connected(deployment) as connection:
        named = "SELECT count(*) FROM providers WHERE last_name = $1"
        return bool(await connection.fetchval(named, NAME))


def _profile(deployment: Deployment) -> Message:
    data = {
        "provider_id": str(uuid_of("provider planted")),
        "provider_version": 1,
        "first_name": "Zebedee",
        "last_name": NAME,
        "billing_number": None,
        "locations": [],
    }
    return event(deployment, PROFILES, UPDATED, data)
