"""Log lines: which process wrote them, and no text of an error."""

import asyncio
import gc
import json
import logging
import os
import sys
from collections.abc import Iterator

import asyncpg
import pytest

from service.logs import OURS, JsonFormatter, configure, tell_unheard_errors
from service.runner import started_with
from service.settings import LogFormat, LogLevel, Settings

SECRET = "123456780"


@pytest.fixture
def _logging_as_it_was() -> Iterator[None]:
    root, hook = logging.getLogger(), sys.unraisablehook
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    for name in OURS:
        logging.getLogger(name).setLevel(logging.NOTSET)
    logging.captureWarnings(capture=False)
    sys.unraisablehook = hook


def test_each_line_names_the_instance() -> None:
    line = json.loads(JsonFormatter().format(logging.makeLogRecord({"msg": "hello"})))
    host, _, pid = line["instance"].rpartition(":")
    assert host
    assert int(pid) == os.getpid()


async def _ends_unheard(error: Exception) -> None:
    tell_unheard_errors(asyncio.get_running_loop())

    async def fail() -> None:
        raise error

    task = asyncio.create_task(fail())
    await asyncio.wait({task})
    del task
    gc.collect()


async def test_an_error_that_nobody_waited_for_is_told_by_its_class_alone(
    caplog: pytest.LogCaptureFixture,
) -> None:
    await _ends_unheard(ValueError(SECRET))
    [line] = caplog.records
    assert line.levelname == "ERROR"
    assert line.__dict__["error"] == "ValueError"
    assert SECRET not in caplog.text
    assert not line.exc_info


@pytest.mark.parametrize(
    "error", [asyncpg.ConnectionDoesNotExistError(SECRET), ConnectionResetError(SECRET)]
)
async def test_what_a_client_drops_with_its_connection_is_no_error(
    caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    await _ends_unheard(error)
    assert caplog.records == []


@pytest.mark.usefixtures("_logging_as_it_was")
def test_debug_is_for_our_own_lines_alone() -> None:
    configure(LogFormat.JSON, LogLevel.DEBUG)
    ours, theirs = logging.getLogger("consumers.engine.applied"), logging.getLogger("somebody")
    assert ours.isEnabledFor(logging.DEBUG)
    assert not theirs.isEnabledFor(logging.DEBUG)
    configure(LogFormat.JSON)
    assert not ours.isEnabledFor(logging.DEBUG)


def test_the_line_at_the_start_says_what_is_set_and_no_secret() -> None:
    settings = Settings.model_validate(
        {
            "database_url": f"postgresql://someone:{SECRET}@db.example:5433/claims",
            "report_master_keys": SECRET,
            "report_storage_url": f"s3://{SECRET}@bucket/folder?endpoint={SECRET}",
            "claim_lanes": 3,
        }
    )
    told = started_with(settings, ["claims"])
    assert told["database"] == "db.example:5433/claims"
    assert told["settings"] == {"claim_lanes": "3", "report_storage_url": "bucket/folder"}
    assert SECRET not in str(told)
