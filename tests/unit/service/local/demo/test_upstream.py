"""What the simulated claim service publishes, and at which pace."""

import asyncio
import time
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import cast

from consumers.contracts.refusal import DeadLetter, Record
from consumers.topics.providers import decode_provider_update
from service.kafka import Message
from service.local.demo.environment import Clients
from service.local.demo.upstream import Phase, Upstream, place_name, profile
from service.local.simulator import PAYMENTS, Simulator
from service.local.simulator.providers import make_providers
from service.settings import Settings

SETTINGS = Settings.model_construct(
    topic_claim_submitted="sent", topic_claim_paid="paid", topic_provider_updated="profiles"
)
PROVIDERS = make_providers(7, 30)
NOW = datetime(2026, 3, 15, 12, tzinfo=UTC)


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
    clients = SimpleNamespace(settings=SETTINGS, publishing=recorder)
    simulator = Simulator(1, 2, datetime(2025, 11, 20, tzinfo=UTC), course=PAYMENTS)
    return Upstream(cast(Clients, clients), simulator, events)


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
    await asyncio.sleep(0)  # its first turn
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


async def test_a_profile_of_every_physician_is_published() -> None:
    recorder = Recorder()
    publishing = upstream(recorder, events=1)
    await publishing.publish_profiles()
    assert publishing.profiles == 2
    assert [message.topic for message in recorder.messages] == ["profiles"] * 2


def record(message: Message) -> Record:
    place = {"partition": 0, "offset": 0, "timestamp": 0}
    return cast(Record, SimpleNamespace(**vars(message), **place))


def test_every_profile_can_be_read_and_names_the_physicians_locations() -> None:
    for provider in PROVIDERS:
        message = profile(SETTINGS, provider, NOW)
        update = decode_provider_update(record(message))
        assert not isinstance(update, DeadLetter)
        assert message.topic == "profiles"
        assert f"Dr. {update.first_name} {update.last_name}" == provider.name
        rates = {str(place.location_id): place.rrnp_rate for place in update.locations}
        assert rates == {place.location_id: place.rrnp_rate * 100 for place in provider.locations}


def test_a_location_has_the_same_name_each_time() -> None:
    location = PROVIDERS[0].locations[0].location_id
    assert place_name(location) == place_name(location)
    ids = {place.location_id for provider in PROVIDERS for place in provider.locations}
    assert len({place_name(location_id) for location_id in ids}) > len(ids) / 2
