"""Structured logs: one JSON object a line, or readable text on a terminal."""

import asyncio
import json
import logging
import os
import socket
import sys
import traceback
from datetime import UTC, datetime
from typing import Any

from consumers.telemetry import spans
from service.settings import LogFormat, LogLevel

log = logging.getLogger(__name__)

OURS = ("consumers", "repositories", "service", "migrations")
# Which process of how many: in a container the host is its id.
INSTANCE = f"{socket.gethostname()}:{os.getpid()}"
CLIENTS = ("aiokafka", "asyncpg")
STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


def configure(log_format: LogFormat, log_level: LogLevel = LogLevel.INFO) -> None:
    """Send this process's logs to standard error; `log_level` is of its own loggers alone."""
    text = log_format is LogFormat.TEXT or (log_format is LogFormat.AUTO and sys.stderr.isatty())
    handler = logging.StreamHandler()
    handler.setFormatter(TextFormatter() if text else JsonFormatter())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    for name in OURS:
        logging.getLogger(name).setLevel(log_level.upper())
    logging.getLogger("alembic.runtime.migration").setLevel(logging.INFO)  # what `migrate` does
    logging.captureWarnings(capture=True)
    sys.unraisablehook = _tell_unraisable
    # The Kafka client tells every lost connection at ERROR, beside our own line on it, and quotes
    # messages at DEBUG: its level is fixed.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)


def tell_unheard_errors(loop: asyncio.AbstractEventLoop) -> None:
    """What a task or a future of a client ended with, and nobody waited for, by its class alone.

    asyncio's own line would quote the error's text, which can quote anything.
    """
    loop.set_exception_handler(_tell_unheard)


def _tell_unheard(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    error = context.get("exception")
    told = {"error": type(error).__name__, "at": _place(error)}
    if isinstance(error, OSError | EOFError) or _package(error) in CLIENTS:
        # Clients drop them with a connection that is lost or given up. The work that needed it has
        # met an error of its own, and has its line.
        log.debug("a client dropped an error", extra=told)
    else:
        log.error("an error that nobody waited for: please report this as a bug", extra=told)


def _place(error: BaseException | None) -> str:
    """Where it was raised, as file and line."""
    frames = traceback.extract_tb(error.__traceback__ if error else None)
    return f"{frames[-1].filename}:{frames[-1].lineno}" if frames else ""


def _package(error: object) -> str:
    return type(error).__module__.partition(".")[0]


def _tell_unraisable(unraisable: "sys.UnraisableHookArgs") -> None:
    log.error(
        "an error that nobody could be told: please report this as a bug",
        extra={"error": unraisable.exc_type.__name__, "at": _place(unraisable.exc_value)},
    )


class JsonFormatter(logging.Formatter):
    """Time, level, instance, logger, message, then whatever the call gave as `extra`."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname.lower(),
            "instance": INSTANCE,
            "logger": record.name,
            "message": record.getMessage(),
            **_extra(record),
        }
        if record.exc_info and record.exc_info[0]:
            # The class alone: an error's text can quote the values it met.
            line["error"] = record.exc_info[0].__name__
        return json.dumps(line, default=str)


class TextFormatter(logging.Formatter):
    """`time level message key=value …`"""

    def format(self, record: logging.LogRecord) -> str:
        extra = " ".join(f"{name}={value}" for name, value in _extra(record).items())
        time = datetime.fromtimestamp(record.created).astimezone().strftime("%H:%M:%S")
        return f"{time} {record.levelname.lower():7} {record.getMessage()} {extra}".rstrip()


def _extra(record: logging.LogRecord) -> dict[str, Any]:
    """With the ids of the span that is open where the line is written, if spans are made."""
    given = {name: value for name, value in vars(record).items() if name not in STANDARD}
    return {**given, **spans.ids()}
