"""What the demo runs in: settings of its own, schema, topics, logs, and a way in from outside."""

import asyncio
import logging
import os
import shlex
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pydantic import SecretStr
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

from migrations import commands
from migrations.revisions import head
from repositories.postgres.database import Database
from service import wiring
from service.kafka import KafkaAdmin, Publisher, kafka_admin, publisher
from service.local.simulator import SimulatedProvider
from service.local.stack import Stack
from service.logs import TextFormatter
from service.reports.files.keys import new_master_key
from service.reports.files.passwords import new_private_key
from service.settings import PREFIX, Settings

SCRIPT = "environment.sh"


class DemoSettings(Settings):
    """Takes values from arguments alone: no environment, no `.env` file."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings,)


def demo_settings(stack: Stack) -> Settings:
    """With fresh keys, and a place for report files that goes with the stack."""
    return DemoSettings(
        database_url=SecretStr(stack.postgres.url),
        kafka_bootstrap_servers=stack.kafka.bootstrap_servers,
        report_storage_url=str(stack.folder / "report-files"),
        report_master_keys=SecretStr(new_master_key(datetime.now(UTC).date())),
        report_password_keys=SecretStr(new_private_key()),
        # No other consumer could take over, and a busy laptop may delay heartbeats: a member that
        # lost its partitions for that would read again, and count duplicates of its own.
        group_session_seconds=45.0,
        shutdown_seconds=3.0,
    )


async def create_schema(settings: Settings) -> str:
    """As `claim-analytics migrate`; returns the schema's revision. Raises a RepositoryError."""
    await asyncio.to_thread(commands.upgrade, settings.session_url)
    return head()


def write_environment(folder: Path, settings: Settings, physician: SimulatedProvider) -> Path:
    """A script that another shell can source, so that the commands work on the demo's servers.

    For this user alone: it holds the demo's throw-away keys.
    """
    masters, passwords = settings.report_master_keys, settings.report_password_keys
    values = {
        "DATABASE_URL": settings.database_url.get_secret_value(),
        "KAFKA_BOOTSTRAP_SERVERS": settings.kafka_bootstrap_servers,
        "REPORT_STORAGE_URL": settings.report_storage_url,
        "REPORT_MASTER_KEYS": masters.get_secret_value() if masters else "",
        "REPORT_PASSWORD_KEYS": passwords.get_secret_value() if passwords else "",
    }
    file = folder / SCRIPT
    lines = [
        f"#   . {shlex.quote(str(file))}",
        "#   claim-analytics report list",
        '#   claim-analytics report fetch REPORT_ID --provider "$PHYSICIAN" --out report.pdf',
        *(f"export {PREFIX}{name}={shlex.quote(value)}" for name, value in values.items()),
        f"export PHYSICIAN={physician.provider_id}",
        f'export PATH={shlex.quote(str(Path(sys.executable).parent))}:"$PATH"',
    ]
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode=0o600)
    with os.fdopen(handle, "w") as opened:
        opened.write("\n".join([*lines, ""]))
    return file


@dataclass(frozen=True)
class Clients:
    """The demo's own ways to Kafka and PostgreSQL, beside those of the service."""

    settings: Settings
    database: Database
    admin: KafkaAdmin
    publishing: Publisher


@asynccontextmanager
async def clients(settings: Settings) -> AsyncIterator[Clients]:
    """Closed at the end. Raises KafkaFailed if no broker answers."""
    connection, database = wiring.kafka_connection(settings), wiring.database(settings)
    try:
        async with kafka_admin(connection) as admin, publisher(connection) as publishing:
            yield Clients(settings, database, admin, publishing)
    finally:
        await database.close()


@contextmanager
def logged_to(file: Path, *, warnings_too: bool) -> Iterator[None]:
    """Logs go to the file; the service's own warnings to standard error too if `warnings_too`."""
    handlers: list[logging.Handler] = [logging.FileHandler(file)]
    if warnings_too:
        handlers.append(logging.StreamHandler(sys.stderr))
        handlers[-1].setLevel(logging.WARNING)
        handlers[-1].addFilter(_is_ours)
    for handler in handlers:
        handler.setFormatter(TextFormatter())
    logging.basicConfig(level=logging.INFO, handlers=handlers, force=True)
    # As in `service.logs`: it repeats what the service says itself, and quotes messages at DEBUG.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for handler in handlers:
            logging.getLogger().removeHandler(handler)
            handler.close()


def _is_ours(record: logging.LogRecord) -> bool:
    """Libraries also log what does not matter, such as a query that Ctrl-C cut short."""
    return record.name.split(".")[0] in {"service", "consumers", "repositories"}
