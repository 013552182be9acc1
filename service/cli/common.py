"""What every command shares: settings or a clear word on what is wrong with them, and exit codes.

Exit codes: 0 done; 1 it failed, or `verify` found a difference; 2 wrong usage or settings;
3 the database, Kafka or the report store was not to be had; 4 a consumer stopped (the brake, a lost
offset); 5 no such report; 6 its time is over.
"""

import asyncio
import sys
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from enum import IntEnum
from typing import Any, NoReturn, TypeVar

import typer
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from consumers.errors import ConsumerStopped
from repositories.errors import DatabaseUnavailable, RepositoryError
from service import logs
from service.drain import DrainFailed
from service.kafka import KafkaFailed
from service.reports.files.errors import (
    KeySettingWrong,
    ReportFileError,
    ReportGone,
    ReportNotFound,
    StorageUrlWrong,
    StoreUnavailable,
)
from service.settings import PREFIX, Settings

Result = TypeVar("Result")


class Exit(IntEnum):
    """The meanings of exit codes."""

    FAILED = 1
    USAGE = 2
    UNAVAILABLE = 3
    STOPPED = 4
    NOT_FOUND = 5
    EXPIRED = 6


# The first that fits counts.
EXPECTED: tuple[tuple[type[Exception], Exit, str], ...] = (
    (KafkaFailed, Exit.UNAVAILABLE, ""),
    (DatabaseUnavailable, Exit.UNAVAILABLE, f". Is it up, and is {PREFIX}DATABASE_URL right?"),
    (StoreUnavailable, Exit.UNAVAILABLE, f". Is {PREFIX}REPORT_STORAGE_URL right?"),
    (ConsumerStopped, Exit.STOPPED, ""),
    (DrainFailed, Exit.STOPPED, ""),
    (KeySettingWrong, Exit.USAGE, ""),
    (StorageUrlWrong, Exit.USAGE, ""),
    (ReportNotFound, Exit.NOT_FOUND, ""),
    (ReportGone, Exit.EXPIRED, ""),
    (RepositoryError, Exit.FAILED, ""),
    (ReportFileError, Exit.FAILED, ""),
)


def load_settings() -> Settings:
    """The settings, with logging set up by them; ends the process with a clear word if wrong."""
    try:
        settings = Settings()
    except ValidationError as error:
        for problem in error.errors(include_input=False, include_url=False):
            complain(_complaint(problem))
        sys.exit(Exit.USAGE)
    logs.configure(settings.log_format)
    return settings


def _complaint(problem: ErrorDetails) -> str:
    """What is wrong with a setting and what it means; its value may be a secret."""
    rule = problem["msg"].removeprefix("Value error, ")
    if not problem["loc"]:  # a rule about several, whose text names them
        return rule
    name = str(problem["loc"][0])
    meaning = Settings.model_fields[name].description
    return f"{PREFIX}{name.upper()} is wrong: {rule}. It is: {meaning}."


def run_async(work: Coroutine[Any, Any, Result]) -> Result:
    """Run a command's work; see `explained`."""
    with explained():
        return asyncio.run(work)


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
