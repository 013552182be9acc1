"""What the drill of backups does to a deployment, and looks at."""

import signal
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

from repositories.postgres.database import Database
from repositories.reports.jobs import claim_job, extend_lease
from tests.harness.deployment import Deployment
from tests.harness.http import http_client
from tests.harness.issuer import AUDIENCE, ISSUER, Issuer
from tests.harness.kafka import publish, read_topic
from tests.harness.operations import refused
from tests.harness.process import ServiceProcess
from tests.harness.reports import RUN_REPORTS, STATUS, report_row, request
from tests.harness.rows import connected
from tests.harness.waiting import until_async
from tests.integration.repositories.examples import uuid_of
from tests.oracle import PlainEvent
from tests.reliability import crash_points
from tests.reliability.crash_points import Point

DETAIL = {"report_type": "ACCOUNTANT_DETAIL"}
PROVIDER = uuid_of("provider P")


async def ask(deployment: Deployment, provider: UUID, *report_ids: UUID) -> None:
    asked = [request(deployment, each, provider, **DETAIL) for each in report_ids]
    await publish(deployment, asked)


async def make_report(deployment: Deployment, report_id: UUID) -> None:
    """Asked for, and made by an instance with these settings."""
    with ServiceProcess(deployment, *RUN_REPORTS) as process:
        await ask(deployment, PROVIDER, report_id)
        await has_status(deployment, report_id, "ready")
        await stop(process)


async def stop(process: ServiceProcess) -> None:
    process.terminate()
    assert await process.ended() == 0, process.output()


async def leave_begun_and_told(
    deployment: Deployment, provider: UUID, begun: UUID, told: UUID
) -> None:
    """One report whose worker is gone, and one whose announcement is sent and not marked so."""
    with ServiceProcess(deployment.having(report_workers=0), *RUN_REPORTS) as process:
        await ask(deployment, provider, begun)
        await has_status(deployment, begun, "pending")
        await stop(process)
    database = Database(deployment.database_url)
    job = await claim_job(database, lease_seconds=600)
    await ask(deployment, provider, told)
    program = (sys.executable, crash_points.__file__, Point.AFTER_SENDING)
    with ServiceProcess(deployment, *RUN_REPORTS, program=program) as process:
        assert await process.ended() == -signal.SIGKILL, process.output()
    assert job is not None
    assert await extend_lease(database, job, 0)  # it ends now
    await database.close()


async def has_status(deployment: Deployment, report_id: UUID, status: str) -> None:
    async def has() -> bool:
        row = await report_row(deployment, report_id)
        return row is not None and row["status"] == status

    await until_async(has, f"a report that is {status}")


async def let_its_time_be_over(deployment: Deployment, report_id: UUID) -> None:
    async with connected(deployment) as connection:
        await connection.execute(
            "UPDATE generated_reports SET download_link_expires_at = now() - interval '1 s'"
            " WHERE report_id = $1",
            report_id,
        )


async def path_of(deployment: Deployment, report_id: UUID) -> str:
    row = await report_row(deployment, report_id)
    assert row is not None
    return str(row["file_path"])


async def times_on_the_wire(deployment: Deployment, report_id: UUID) -> int:
    records = await read_topic(deployment, deployment.topic(STATUS))
    return sum(str(report_id).encode() in record.value for record in records)


async def fetch_in_vain(deployment: Deployment, report_id: UUID, folder: Path) -> str:
    """What `report fetch` says, which must fail."""
    out = folder / str(report_id)
    asked = ("report", "fetch", str(report_id), "--provider", str(PROVIDER), "--out", str(out))
    said = words_of(await refused(deployment, 1, *asked))
    assert not out.exists()
    return said


async def status_over_http(deployment: Deployment, report_id: UUID, folder: Path) -> int:
    """The status code of a download."""
    issuer = Issuer()
    jwks = issuer.publish(folder / "jwks.json")
    served = deployment.having(api_issuer=ISSUER, api_audience=AUDIENCE, api_jwks=jwks)
    async with http_client(served.settings) as client:
        path = f"/v1/reports/{report_id}/download"
        return (await client.get(path, headers=issuer.bearer(PROVIDER))).status_code


async def doctors_words(deployment: Deployment) -> str:
    with ServiceProcess(deployment, "doctor") as process:
        await process.ended()
        return words_of(process.output())


def in_quarantine(folder: Path) -> list[tuple[Path, str]]:
    """Each file there, and its name before."""
    days = folder / "quarantine"
    files = [file for file in days.rglob("*") if file.is_file()]
    return [(file, "/".join(file.relative_to(days).parts[1:])) for file in files]


def two_providers(events: Sequence[PlainEvent]) -> list[UUID]:
    """Those with the most events."""
    counts = Counter(event["data"]["provider_id"] for event in events)
    return [UUID(provider) for provider, _ in counts.most_common(2)]


def is_of(event: PlainEvent, provider: UUID) -> bool:
    return bool(event["data"]["provider_id"] == str(provider))


def words_of(text: str) -> str:
    return " ".join(text.split())
