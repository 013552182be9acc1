"""Report requests, files and announcements: what tests of the whole way of a report share."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from joserfc import jwe
from joserfc.jwk import ECKey

from service import wiring
from service.kafka import Message, kafka_admin
from service.reports.downloads import download
from service.reports.files.keys import new_master_key
from service.reports.files.passwords import new_private_key
from service.reports.wiring import keyring, report_store
from service.topics import create_missing_topics
from service.wiring import kafka_connection
from tests.harness.deployment import Deployment, plan_deployment
from tests.harness.kafka import committed, read_topic
from tests.harness.rows import connected
from tests.harness.waiting import LONG, until_async

REQUESTS, PROFILES, STATUS = "report-request", "provider-updated", "report-status"
REQUESTED = "ca.meritum.report.requested.v1"
UPDATED = "ca.meritum.provider.updated.v1"
RUN_REPORTS = ("run", "--only", "reports")
STOPPED = ("ready", "failed", "expired")
# What the request of an archive of everything says.
ZIP = {"report_type": "DATA_PORTABILITY", "format": "ZIP", "period_start": None, "period_end": None}
NO_MORE: Mapping[str, object] = {}
QUICK = {"report_lease_seconds": 2, "report_cleanup_seconds": 1, "report_orphan_seconds": 1}


@dataclass(frozen=True)
class Announced:
    """An event of `report-status` as a reader sees it."""

    ce_id: str
    ce_type: str
    data: dict[str, Any]
    text: str  # all of it, for what must not be in it


async def deploy_reports(
    bootstrap_servers: str,
    database_url: str,
    folder: Path,
    *,
    plain_names: bool = False,
    settings: Mapping[str, object] = NO_MORE,
) -> Deployment:
    """A deployment of every topic, with keys, and files below `folder`; with `plain_names` topics
    and groups have their default names."""
    own = uuid4().hex[:12]
    deployment = plan_deployment(bootstrap_servers, database_url).having(**settings)
    deployment = deployment.having(
        topic_report_request=f"requests-{own}",
        topic_provider_updated=f"profiles-{own}",
        topic_report_status=f"status-{own}",
        report_storage_url=folder,
        report_master_keys=new_master_key(datetime.now(UTC).date()),
        report_password_keys=new_private_key(),
    )
    if plain_names:
        named = ("topic_", "group_prefix")
        kept = {n: v for n, v in deployment.values.items() if not n.startswith(named)}
        deployment = replace(deployment, values=kept)
    async with kafka_admin(kafka_connection(deployment.settings)) as admin:
        await create_missing_topics(admin, deployment.settings)
    await deployment.migrate()
    return deployment


def event(
    deployment: Deployment, topic: str, ce_type: str, data: Mapping[str, Any], key: bytes = b"key"
) -> Message:
    """A CloudEvent in binary mode, for the topic of this default name."""
    headers = {
        "ce_specversion": "1.0",
        "ce_id": str(uuid4()),
        "ce_source": "/tests",
        "ce_type": ce_type,
        "ce_time": datetime.now(UTC).isoformat(),
        "content-type": "application/json",
    }
    encoded = [(name, text.encode()) for name, text in headers.items()]
    return Message(deployment.topic(topic), key, json.dumps(data).encode(), encoded)


def request(deployment: Deployment, report_id: UUID, provider_id: UUID, **data: Any) -> Message:
    """The request of an accountant's summary as CSV over 2025, unless `data` says otherwise."""
    usual = {
        "report_id": str(report_id),
        "provider_id": str(provider_id),
        "report_type": "ACCOUNTANT_SUMMARY",
        "format": "CSV",
        "period_start": "2025-01-01",
        "period_end": "2025-12-31",
    }
    return event(deployment, REQUESTS, REQUESTED, usual | data)


def sealed(password: str, jwk: dict[str, str]) -> str:
    """A password as requesters send it: a compact JWE to the published key."""
    header = {"alg": "ECDH-ES+A256KW", "enc": "A256GCM", "kid": jwk["kid"]}
    key = ECKey.import_key({name: jwk[name] for name in ("kty", "crv", "x", "y")})
    return jwe.encrypt_compact(header, password, key, algorithms=["ECDH-ES+A256KW", "A256GCM"])


async def report_row(deployment: Deployment, report_id: UUID) -> dict[str, Any] | None:
    async with connected(deployment) as connection:
        row = await connection.fetchrow(
            "SELECT * FROM generated_reports WHERE report_id = $1", report_id
        )
    return dict(row) if row else None


async def all_told(deployment: Deployment, count: int, within: float = LONG) -> None:
    """Wait until so many reports have come to an end, and all that became true is published."""

    async def done() -> bool:
        async with connected(deployment) as connection:
            ended = "SELECT count(*) FROM generated_reports WHERE status = ANY($1)"
            waiting = "SELECT count(*) FROM outbox WHERE published_at IS NULL"
            return bool(
                await connection.fetchval(ended, STOPPED) >= count
                and not await connection.fetchval(waiting)
            )

    await until_async(done, f"{count} reports that ended and were announced", within)


async def requests_read(deployment: Deployment, count: int) -> None:
    """Wait until the service has committed to Kafka that it is done with so many requests."""

    async def done() -> bool:
        positions = await committed(deployment, deployment.settings.group(REQUESTS))
        return sum(positions.values()) == count

    await until_async(done, f"{count} requests to be read")


async def announcements(deployment: Deployment) -> dict[str, Announced]:
    """Every event of `report-status`, by `ce_id`: how a reader deduplicates."""
    found: dict[str, Announced] = {}
    for record in await read_topic(deployment, deployment.topic(STATUS)):
        headers = {name: value.decode() for name, value in record.headers}
        text = f"{record.key!r} {headers} {record.value.decode()}"
        announced = Announced(headers["ce_id"], headers["ce_type"], json.loads(record.value), text)
        assert found.setdefault(announced.ce_id, announced).data == announced.data
    return found


async def states_told(deployment: Deployment, report_id: UUID) -> list[str]:
    """What readers of `report-status` learn of one report, each announcement once."""
    told = (await announcements(deployment)).values()
    return [one.data["status"] for one in told if one.data["report_id"] == str(report_id)]


def stored_files(folder: Path) -> list[str]:
    """The keys of all report files in a local store, unfinished uploads too, but for quarantine."""
    files = (folder / "reports").rglob("*")
    return sorted(str(file.relative_to(folder)) for file in files if file.is_file())


async def downloaded(deployment: Deployment, provider_id: UUID, report_id: UUID) -> bytes:
    """The report as the download path gives it to this provider."""
    settings = deployment.settings
    keys, store = keyring(settings), report_store(settings)
    async with wiring.open_database(settings) as database:
        pieces = await download(database, store, keys, provider_id, report_id)
        return b"".join([piece async for piece in pieces])
