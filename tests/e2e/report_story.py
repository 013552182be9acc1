"""One run of the whole service over real Kafka, which many tests then look at.

Claims, a profile, and requests of every kind, good and bad, each delivered twice.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

from repositories.reports.catalogue import CATALOGUE
from repositories.vocabulary import ReportFormat, ReportType
from service.kafka import Message
from service.reports.files.passwords import PasswordKeys, new_private_key
from tests.harness.deployment import Deployment
from tests.harness.kafka import publish
from tests.harness.messages import Load, message, simulated
from tests.harness.process import ServiceProcess, command
from tests.harness.reports import (
    PROFILES,
    REQUESTS,
    UPDATED,
    ZIP,
    all_told,
    deploy_reports,
    event,
    request,
    requests_read,
    sealed,
)
from tests.harness.rows import all_applied, connected
from tests.harness.waiting import until_async
from tests.integration.repositories.examples import paid, submitted, uuid_of
from tests.strategies import to_plain

PROVIDER = uuid_of("provider P")
LOCATION = uuid_of("location Peace River")
PERIOD = {"period_start": "2024-01-01", "period_end": "2024-12-31"}  # whole months
PASSWORD = "correct horse battery"
PLANTED = "987654321"  # a patient's number, in claims and in requests that are no good
OFFERED = [(kind, form) for kind, offer in CATALOGUE.items() for form in offer.formats]
LOCKED, UNOPENED, CLEAR, IMPOSSIBLE = map(
    uuid_of, ["locked", "unopened", "password in the clear", "impossible"]
)


@dataclass(frozen=True)
class Story:
    """What there is to look at; `output` is all that the processes wrote."""

    deployment: Deployment
    folder: Path
    load: Load
    output: str


def report_of(kind: ReportType, form: ReportFormat) -> UUID:
    """The id of the report that was asked for in this form."""
    return uuid_of(f"{kind} {form}")


async def tell(kafka: str, postgres: str, folder: Path) -> Story:
    deployment = await deploy_reports(kafka, postgres, folder)
    jwk = json.loads(await command(deployment, "keys", "public"))
    load = _claims(deployment)
    requests = list(_requests(deployment, jwk))
    with ServiceProcess(deployment, "run") as process:
        await publish(deployment, [*load.messages, _profile(deployment)])
        await all_applied(deployment, load.events)
        await until_async(lambda: _profile_is_known(deployment), "the profile")
        asked = await publish(deployment, _twice([*requests, *_dead_letters(deployment)]))
        await requests_read(deployment, len(asked))
        await all_told(deployment, len(requests))
        process.terminate()
        assert await process.ended() == 0, process.output()
        return Story(deployment, folder, load, process.output())


def _claims(deployment: Deployment) -> Load:
    """Those of some other physicians, and a few of the one who asks for reports."""
    load = simulated(deployment, 200, providers=3)
    own = [submitted("pending", patient_phn=PLANTED, date_of_service="2024-02-01")]
    for n in range(1, 31):
        day = f"2024-{n % 10 + 1:02}-{n % 28 + 1:02}"
        own.append(
            paid(
                f"claim {n}",
                patient_phn=PLANTED,
                date_of_service=day,
                assessed_fee=f"{n * 7}.{n:02}",
                location_id=str(LOCATION),
            )
        )
    messages = [message(deployment, spec) for spec in own]
    return Load([*load.messages, *messages], [*load.events, *map(to_plain, own)])


def _profile(deployment: Deployment) -> Message:
    data = {
        "provider_id": str(PROVIDER),
        "provider_version": 3,
        "first_name": "Łukasz",
        "last_name": "Nguyễn",
        "billing_number": "0123-45678",
        "locations": [
            {"location_id": str(LOCATION), "name": "Peace River Clinic", "rrnp_rate": "12.5"}
        ],
    }
    return event(deployment, PROFILES, UPDATED, data)


def _requests(deployment: Deployment, jwk: dict[str, str]) -> Iterator[Message]:
    def ask(report_id: UUID, **data: Any) -> Message:
        return request(deployment, report_id, PROVIDER, **data)

    for kind, form in OFFERED:
        period = (
            PERIOD if CATALOGUE[kind].has_period else {"period_start": None, "period_end": None}
        )
        yield ask(report_of(kind, form), report_type=kind, format=form, **period)
    yield ask(LOCKED, **ZIP, archive_password=sealed(PASSWORD, jwk))
    stranger = PasswordKeys.parse(new_private_key()).public_jwk()
    yield ask(UNOPENED, **ZIP, archive_password=sealed(PASSWORD, stranger))
    yield ask(CLEAR, **ZIP, archive_password=f"{PLANTED} {PASSWORD}")
    yield ask(IMPOSSIBLE, format="ZIP")


def _dead_letters(deployment: Deployment) -> Iterator[Message]:
    yield event(deployment, REQUESTS, "ca.meritum.claim.paid.v1", {"patient_phn": PLANTED})
    yield request(deployment, uuid_of("misspelt"), PROVIDER, report_type=PLANTED)


def _twice(messages: list[Message]) -> list[Message]:
    """Each with two keys, so that the two may lie in different partitions, in any order."""
    rng = Random(1)
    copies = [
        Message(one.topic, rng.randbytes(4), one.value, one.headers)
        for one in messages
        for _ in range(2)
    ]
    rng.shuffle(copies)
    return copies


async def _profile_is_known(deployment: Deployment) -> bool:
    async with connected(deployment) as connection:
        version = "SELECT provider_version FROM providers WHERE provider_id = $1"
        return bool(await connection.fetchval(version, PROVIDER))
