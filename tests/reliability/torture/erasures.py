"""Erasures, beside the events of what is erased."""

from random import Random
from typing import Final
from uuid import UUID

from tests.harness.rows import connected
from tests.harness.waiting import until_async
from tests.reliability.torture.stage import Stage

SURELY: Final = ("--why", "torture", "--yes")
EARLY: Final = 200  # so many events come first, and are soon known


async def provider_erased(stage: Stage, rng: Random) -> None:
    """A provider, whose events go on coming."""
    there = [one.provider_id for one in stage.workload.providers]
    provider_id = rng.choice(sorted({*there} - stage.erased))

    async def is_known() -> bool:
        async with connected(stage.deployment) as connection:
            known = "SELECT count(*) FROM claims WHERE provider_id = $1"
            return bool(await connection.fetchval(known, UUID(provider_id)))

    await until_async(is_known, "claims of the provider that is to be erased")
    stage.erased.add(provider_id)
    await stage.fleet.command("erase", "provider", provider_id, *SURELY)


async def patient_erased(stage: Stage, rng: Random) -> None:
    """A patient, of one claim: whatever is read of it again, or for the first time, brings no
    number back."""
    early = [event["data"] for event in stage.workload.events[:EARLY]]
    owners = {data["patient_phn"]: data["provider_id"] for data in early if data.get("patient_phn")}
    asked = sorted(
        number
        for number, provider_id in owners.items()
        if number not in stage.patients and provider_id not in stage.erased
    )

    async def known() -> list[str]:
        async with connected(stage.deployment) as connection:
            numbers = "SELECT DISTINCT patient_phn FROM claims WHERE patient_phn = ANY ($1)"
            return [row["patient_phn"] for row in await connection.fetch(numbers, asked)]

    number = rng.choice(sorted(await until_async(known, "claims that name a patient")))
    stage.patients[number] = owners[number]
    await stage.fleet.command("erase", "patient", *SURELY, said=f"{number}\n")
