"""What the simulated claim service publishes, and at which pace."""

import asyncio
import time
from datetime import UTC, datetime
from typing import cast

from service.demo.upstream import Phase, Upstream
from service.kafka import Message, Publisher
from service.settings import Settings
from service.simulator import Simulator

SETTINGS = Settings.model_construct(topic_claim_submitted="sent", topic_claim_paid="paid")


class Recorder:
    """Takes messages in place of a broker."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.flushed = 0
        self.has_twenty = asyncio.Event()

    async def send(self, message: Message) -> None:
        self.messages.append(message)
        if len(self.messages) == 20:
            self.has_twenty.set()

    async def flush(self) -> None:
        self.flushed = len(self.messages)


def upstream(recorder: Recorder, events: int) -> Upstream:
    simulator = Simulator(1, 2, datetime(2025, 11, 20, tzinfo=UTC))
    return Upstream(simulator, cast(Publisher, recorder), SETTINGS, events)


async def test_the_history_is_published_whole_and_flushed() -> None:
    recorder = Recorder()
    playing = upstream(recorder, events=250)
    await playing.play_history()
    assert playing.published == len(recorder.messages) == recorder.flushed == 250
    assert playing.phase is Phase.PUBLISHED


async def test_messages_go_to_the_topics_that_the_settings_name() -> None:
    recorder = Recorder()
    await upstream(recorder, events=250).play_history()
    assert {message.topic for message in recorder.messages} == {"sent", "paid"}


async def test_the_history_lets_other_tasks_run() -> None:
    playing = upstream(Recorder(), events=1_000)
    task = asyncio.create_task(playing.play_history())
    await asyncio.sleep(0)
    assert 0 < playing.published < 1_000
    await task


async def test_live_events_keep_their_pace() -> None:
    recorder = Recorder()
    playing = upstream(recorder, events=1)
    start = time.monotonic()
    task = asyncio.create_task(playing.play_live(100.0))
    await recorder.has_twenty.wait()
    assert time.monotonic() - start > 0.18
    assert playing.phase is Phase.LIVE
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
