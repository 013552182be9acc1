"""Reports are requested, followed and kept; with stand-ins for broker, database and download."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from itertools import islice
from pathlib import Path
from types import SimpleNamespace
from typing import cast
from uuid import UUID

import pytest
from pydantic import SecretStr

from consumers.contracts.refusal import DeadLetter, Record
from consumers.topics.report_requests import decode_report_request
from repositories.vocabulary import ReportStatus
from service.kafka import Message
from service.local.demo import reports as module
from service.local.demo.environment import Clients
from service.local.demo.reports import (
    LATER,
    KeepFailed,
    ReportClient,
    ReportFolder,
    ReportRequest,
    Reports,
    file_name,
    first_requests,
    later_requests,
    months_before,
)
from service.local.simulator.providers import make_providers
from service.reports.files.keys import new_master_key
from service.settings import Settings
from tests.unit.service.local.demo.samples import OCTOBER, report

NOW = datetime(2026, 3, 15, 12, tzinfo=UTC)
TODAY = NOW.date()
SETTINGS = Settings.model_construct(
    topic_provider_updated="profiles", topic_report_request="requests"
)
PROVIDERS = make_providers(3, 4)


class Recorder:
    """Takes messages; `has_some` is set at the third."""

    def __init__(self) -> None:
        self.topics: list[str] = []
        self.flushed = 0
        self.has_some = asyncio.Event()

    async def send(self, message: Message) -> None:
        self.topics.append(message.topic)
        if len(self.topics) == 3:
            self.has_some.set()

    async def flush(self) -> None:
        self.flushed = len(self.topics)


def client_with(recorder: Recorder) -> ReportClient:
    nothing = SimpleNamespace(settings=SETTINGS, publishing=recorder)
    return ReportClient(cast(Clients, nothing), PROVIDERS[0])


async def test_requests_are_counted_when_the_broker_has_them() -> None:
    recorder = Recorder()
    asking = client_with(recorder)
    await asking.request(first_requests(TODAY))
    assert asking.requested == recorder.flushed == 5
    assert set(recorder.topics) == {"requests"}


async def test_live_another_is_asked_for_again_and_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAUSE_SECONDS", 0.01)
    recorder = Recorder()
    asking = asyncio.create_task(client_with(recorder).keep_requesting(TODAY))
    await asyncio.wait_for(recorder.has_some.wait(), 30)
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    assert asking.cancelled()


async def test_it_waits_until_all_have_come_and_none_is_under_way(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ready, failed = report(1), report(2, status=ReportStatus.FAILED)
    rounds: list[Reports] = [
        [],
        [ready],
        [ready, report(2, status=ReportStatus.PENDING)],
        [ready, report(2, status=ReportStatus.GENERATING)],
        [ready, failed],
    ]
    asking = client_with(Recorder())
    asking.requested = 2

    async def next_round() -> Reports:
        return rounds.pop(0)

    monkeypatch.setattr(module, "POLL_SECONDS", 0.001)
    monkeypatch.setattr(asking, "reports", next_round)
    await asyncio.wait_for(asking.wait_until_finished(), 30)
    assert rounds == []


@pytest.fixture
def downloaded(monkeypatch: pytest.MonkeyPatch) -> list[UUID]:
    """Which reports were downloaded."""
    reports: list[UUID] = []

    async def pieces() -> AsyncIterator[bytes]:
        yield b"%PDF"

    async def download(*arguments: object) -> AsyncIterator[bytes]:
        reports.append(cast(UUID, arguments[4]))
        return pieces()

    monkeypatch.setattr("service.local.demo.reports.download", download)
    return reports


def report_folder(tmp_path: Path, folder: Path | None) -> ReportFolder:
    settings = Settings.model_construct(
        report_storage_url=str(tmp_path / "store"),
        report_master_keys=SecretStr(new_master_key(OCTOBER)),
    )
    clients = SimpleNamespace(settings=settings, database=None)
    return ReportFolder(cast(Clients, clients), folder)


async def test_a_ready_report_is_written_once(tmp_path: Path, downloaded: list[UUID]) -> None:
    keeping = report_folder(tmp_path, tmp_path)
    for _ in range(2):
        await keeping.keep([report(1)])
    assert downloaded == [UUID(int=1)]
    assert (tmp_path / file_name(report(1))).read_bytes() == b"%PDF"


async def test_a_report_that_is_not_ready_is_left_for_later(
    tmp_path: Path, downloaded: list[UUID]
) -> None:
    keeping = report_folder(tmp_path, tmp_path)
    await keeping.keep([report(1, status=ReportStatus.GENERATING)])
    assert downloaded == []
    await keeping.keep([report(1)])
    assert downloaded == [UUID(int=1)]


async def test_without_a_folder_nothing_is_downloaded(
    tmp_path: Path, downloaded: list[UUID]
) -> None:
    await report_folder(tmp_path, None).keep([report(1)])
    assert downloaded == []


async def test_a_folder_that_has_gone_is_named(tmp_path: Path, downloaded: list[UUID]) -> None:
    with pytest.raises(KeepFailed, match=r"accountant-summary-00000000\.pdf cannot be written"):
        await report_folder(tmp_path, tmp_path / "gone").keep([report(1)])
    assert downloaded


def record(message: Message) -> Record:
    place = {"partition": 0, "offset": 0, "timestamp": 0}
    return cast(Record, SimpleNamespace(**vars(message), **place))


@pytest.mark.parametrize(
    "wanted",
    [*first_requests(TODAY), *islice(later_requests(TODAY), len(LATER))],
    ids=lambda wanted: f"{wanted.report_type}-{wanted.format}",
)
def test_every_request_can_be_met(wanted: ReportRequest) -> None:
    message = wanted.message(SETTINGS, PROVIDERS[0], NOW)
    asked = decode_report_request(record(message))
    assert not isinstance(asked, DeadLetter)
    assert message.topic == "requests"
    assert asked.problem is None
    assert asked.report_id == wanted.report_id
    assert (asked.period_start, asked.period_end) == (wanted.period_start, wanted.period_end)


@pytest.mark.parametrize(
    ("today", "months", "period"),
    [
        (date(2026, 3, 15), 1, (date(2026, 2, 1), date(2026, 2, 28))),
        (date(2026, 3, 1), 3, (date(2025, 12, 1), date(2026, 2, 28))),
        (date(2026, 1, 31), 12, (date(2025, 1, 1), date(2025, 12, 31))),
    ],
)
def test_months_before_are_whole(today: date, months: int, period: tuple[date, date]) -> None:
    assert months_before(today, months) == period
