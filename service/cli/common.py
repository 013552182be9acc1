"""What every command shares: settings or a clear word on what is wrong with them, and exit codes.

Exit codes: 0 done; 1 it failed, or `verify` found a difference; 2 wrong usage or settings;
3 the database, Kafka or the report store did not answer; 4 a consumer stopped (the brake, a lost
offset, a pause), or a newer version has migrated the database; 5 no such report, provider,
partition, dead letter or claim; 6 its time is over; 7 it cannot be told yet. Ctrl-C and SIGTERM end
a command with 130.
"""

import asyncio
import logging
import signal
import sys
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from enum import IntEnum
from typing import Any, NoReturn, TypeVar

import typer
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from consumers.engine.errors import ConsumerStopped
from consumers.replay.ranges import RangeRefused
from repositories.errors import (
    CodeOutdated,
    DatabaseAbsent,
    DatabaseSettingWrong,
    DatabaseUnavailable,
    LockNotAvailable,
    NotAdmitted,
    RepositoryError,
)
from service import logs
from service.drain import DrainFailed
from service.heartbeat import HeartbeatFileWrong
from service.http.errors import AddressNotFree, HttpServerEnded
from service.kafka import KafkaFailed, MessageRefused
from service.operations.errors import (
    CannotBegin,
    NothingToRead,
    TooManyMisread,
    UnknownProviders,
)
from service.reports.files.file_errors import (
    KeySettingWrong,
    ReportFileError,
    ReportGone,
    ReportNotFound,
    StorageUrlWrong,
    StoreUnavailable,
)
from service.settings import PREFIX, Settings, sources
from service.settings.sources import SettingSourceWrong
from service.telemetry.traces import TracesNotInstalled

log = logging.getLogger(__name__)

Result = TypeVar("Result")


class Exit(IntEnum):
    """The meanings of exit codes."""

    FAILED = 1
    USAGE = 2
    UNAVAILABLE = 3
    STOPPED = 4
    NOT_FOUND = 5
    EXPIRED = 6
    NOT_YET = 7


# The first that fits counts.
EXPECTED: tuple[tuple[type[Exception], Exit, str], ...] = (
    (MessageRefused, Exit.FAILED, ""),
    (KafkaFailed, Exit.UNAVAILABLE, ""),
    (DatabaseAbsent, Exit.FAILED, ""),
    (DatabaseSettingWrong, Exit.USAGE, ""),
    (NotAdmitted, Exit.FAILED, ""),
    (
        LockNotAvailable,
        Exit.UNAVAILABLE,
        ". Look in pg_stat_activity for a transaction that does not end, and end it",
    ),
    (DatabaseUnavailable, Exit.UNAVAILABLE, f". Is it up, and is {PREFIX}DATABASE_URL right?"),
    (StoreUnavailable, Exit.UNAVAILABLE, f". Is {PREFIX}REPORT_STORAGE_URL right?"),
    (ConsumerStopped, Exit.STOPPED, ""),
    (DrainFailed, Exit.STOPPED, ""),
    (TooManyMisread, Exit.FAILED, ""),
    (RangeRefused, Exit.NOT_FOUND, ""),
    (NothingToRead, Exit.NOT_FOUND, ""),
    (CodeOutdated, Exit.STOPPED, ""),
    (SettingSourceWrong, Exit.USAGE, ""),
    (HeartbeatFileWrong, Exit.USAGE, ""),
    (AddressNotFree, Exit.USAGE, ""),
    (HttpServerEnded, Exit.FAILED, ""),
    (KeySettingWrong, Exit.USAGE, ""),
    (StorageUrlWrong, Exit.USAGE, ""),
    (TracesNotInstalled, Exit.USAGE, ""),
    (ReportNotFound, Exit.NOT_FOUND, ""),
    (UnknownProviders, Exit.NOT_FOUND, ""),
    (CannotBegin, Exit.USAGE, ""),
    (ReportGone, Exit.EXPIRED, ""),
    (RepositoryError, Exit.FAILED, ""),
    (ReportFileError, Exit.FAILED, ""),
)


def load_settings() -> Settings:
    """The settings, with logging set up by them; ends the process with a clear word if wrong.

    What has no effect is warned about: a misspelt retention would else pass in silence.
    """
    try:
        warnings = [*sources.warnings(Settings)]
        settings = Settings()
    except SettingSourceWrong as error:
        fail(str(error), Exit.USAGE)
    except ValidationError as error:
        problems = error.errors(include_input=False, include_url=False)
        for text in [*map(complaint, problems), *warnings]:
            complain(text)
        sys.exit(Exit.USAGE)
    logs.configure(settings.log_format, settings.log_level)
    for text in warnings:
        log.warning(text)
    return settings


def complaint(problem: ErrorDetails) -> str:
    """What is wrong with a setting and what it means; its value may be a secret."""
    rule = problem["msg"].removeprefix("Value error, ")
    if not problem["loc"]:  # a rule about several, whose text names them
        return rule
    name = str(problem["loc"][0])
    meaning = Settings.model_fields[name].description
    return f"{PREFIX}{name.upper()} is wrong: {rule}. It is: {meaning}."


def run_async(work: Coroutine[Any, Any, Result]) -> Result:
    """Run a command's work; see `explained`. SIGTERM ends it as Ctrl-C does: in good order."""
    with explained():
        try:
            return asyncio.run(_terminable(work))
        except asyncio.CancelledError:
            raise KeyboardInterrupt from None


async def _terminable(work: Coroutine[Any, Any, Result]) -> Result:
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None  # noqa: S101  # a coroutine that runs has a task
    loop.add_signal_handler(signal.SIGTERM, task.cancel)
    try:
        return await work
    finally:
        loop.remove_signal_handler(signal.SIGTERM)


@contextmanager
def explained() -> Iterator[None]:
    """What is expected to go wrong ends the process with a message and a code."""
    try:
        yield
    except tuple(kind for kind, _, _ in EXPECTED) as error:
        code, hint = next((c, hint) for kind, c, hint in EXPECTED if isinstance(error, kind))
        fail(f"{error}{hint}", code)


def complain(message: str) -> None:
    typer.echo(message, err=True)


def fail(message: str, code: Exit) -> NoReturn:
    complain(message)
    sys.exit(code)
