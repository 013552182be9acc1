"""What every command shares: settings or a clear word on what is wrong with them, and exit codes.

Exit codes: 0 done; 1 it failed, or `verify` found a difference; 2 wrong usage or settings;
3 the database or Kafka was not to be had; 4 a consumer stopped (the brake, a lost offset).
"""

import asyncio
import sys
from collections.abc import Coroutine
from enum import IntEnum
from typing import Any, NoReturn, TypeVar

import typer
from pydantic import ValidationError

from consumers.errors import ConsumerStopped
from repositories.errors import DatabaseUnavailable, RepositoryError
from service import logs
from service.drain import DrainFailed
from service.kafka import KafkaFailed
from service.settings import PREFIX, Settings

Result = TypeVar("Result")


class Exit(IntEnum):
    """The meanings of exit codes."""

    FAILED = 1
    USAGE = 2
    UNAVAILABLE = 3
    STOPPED = 4


def load_settings() -> Settings:
    """The settings, with logging set up by them; ends the process with a clear word if wrong."""
    try:
        settings = Settings()
    except ValidationError as error:
        for problem in error.errors(include_input=False, include_url=False):
            name = PREFIX + str(problem["loc"][0]).upper() if problem["loc"] else "settings"
            complain(f"{name}: {problem['msg']}")
        fail("Run `claim-analytics settings` to see every setting and what it takes.", Exit.USAGE)
    logs.configure(settings.log_format)
    return settings


def run_async(work: Coroutine[Any, Any, Result]) -> Result:
    """Run a command's work; what is expected to go wrong ends it with a message and a code."""
    try:
        return asyncio.run(work)
    except KafkaFailed as error:
        fail(str(error), Exit.UNAVAILABLE)
    except DatabaseUnavailable as error:
        fail(f"{error}. Is it up, and is {PREFIX}DATABASE_URL right?", Exit.UNAVAILABLE)
    except (ConsumerStopped, DrainFailed) as error:
        fail(str(error), Exit.STOPPED)
    except RepositoryError as error:
        fail(str(error), Exit.FAILED)


def complain(message: str) -> None:
    typer.echo(message, err=True)


def fail(message: str, code: Exit) -> NoReturn:
    complain(message)
    sys.exit(code)
