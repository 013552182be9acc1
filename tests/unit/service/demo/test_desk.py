"""Asking for reports, with a recorder in place of the broker."""

import asyncio
from datetime import date
from types import SimpleNamespace
from typing import cast

import pytest

from repositories.database import Database
from repositories.vocabulary import ReportStatus
from service.demo import desk
from service.demo.desk import ReportDesk, Reports
from service.demo.wishes import first_wishes
from service.kafka import Message, Publisher
from service.settings import Settings
from service.simulator.providers import make_providers
from tests.unit.service.demo.samples import report

TODAY = date(2026, 3, 15)
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


def desk_with(recorder: Recorder) -> ReportDesk:
    nowhere = cast(Database, SimpleNamespace())
    return ReportDesk(SETTINGS, cast(Publisher, recorder), nowhere, PROVIDERS[0])


async def test_every_physician_is_introduced() -> None:
    recorder = Recorder()
    asking = desk_with(recorder)
    await asking.introduce(PROVIDERS)
    assert asking.profiles == len(PROVIDERS)
    assert recorder.topics == ["profiles"] * len(PROVIDERS)


async def test_requests_are_counted_when_the_broker_has_them() -> None:
    recorder = Recorder()
    asking = desk_with(recorder)
    await asking.ask(first_wishes(TODAY))
    assert asking.requested == recorder.flushed == 5
    assert set(recorder.topics) == {"requests"}


async def test_live_another_is_asked_for_again_and_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk, "PAUSE_SECONDS", 0.01)
    recorder = Recorder()
    asking = asyncio.create_task(desk_with(recorder).keep_asking(TODAY))
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
    asking = desk_with(Recorder())
    asking.requested = 2

    async def next_round() -> Reports:
        return rounds.pop(0)

    monkeypatch.setattr(desk, "POLL_SECONDS", 0.001)
    monkeypatch.setattr(asking, "reports", next_round)
    await asyncio.wait_for(asking.wait_until_finished(), 30)
    assert rounds == []
