"""Messages that can never succeed, through the real process, beside good ones."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from random import Random

from service.kafka import Message
from service.message_files import read_messages
from tests.e2e.garbage import random_garbage, spoiled
from tests.e2e.letters import assert_dead_lettered_once, sent
from tests.harness.deployment import SUBMITTED, Deployment
from tests.harness.kafka import dead_letters, producer, publish, send
from tests.harness.messages import simulated
from tests.harness.process import DRAIN, ServiceProcess, command
from tests.harness.rows import assert_tables_equal_oracle, read_tables

EXAMPLES = Path(__file__).parents[2] / "docs" / "contracts" / "examples"
PHN = re.compile(rb"(?<![0-9])[0-9]{9}(?![0-9])")
SEED = 1
NEARLY_1_MB = 1_048_588 - 200  # the broker's own limit for a batch, less what is around the value


async def test_every_example_of_a_bad_message_goes_where_its_file_says(
    deployment: Deployment,
) -> None:
    bad, reasons = [], Counter[str]()
    for file in sorted((EXAMPLES / "rejected").glob("*.jsonl")):
        messages = _for_claims(deployment, file)
        reasons[file.stem] += len(messages)
        bad += messages
    load = simulated(deployment, 500)
    await publish(deployment, load.messages)
    places = sent(bad, await publish(deployment, bad))
    await command(deployment, *DRAIN)
    assert await assert_dead_lettered_once(deployment, places) == reasons
    await assert_tables_equal_oracle(deployment, load.events)


async def test_of_events_that_contradict_one_another_the_first_stands(
    deployment: Deployment,
) -> None:
    pairs = {
        file.stem: _for_claims(deployment, file)
        for file in (EXAMPLES / "conflicting").glob("*.jsonl")
    }
    async with producer(deployment) as client:
        for first, _ in pairs.values():
            await send(client, [first], partition=0)
        seconds = [second for _, second in pairs.values()]
        places = sent(seconds, await send(client, seconds, partition=0))
    await command(deployment, *DRAIN)
    reasons = await assert_dead_lettered_once(deployment, places)
    assert reasons == dict.fromkeys(pairs, 1)
    assert len((await read_tables(deployment)).claim_events) == len(pairs)


async def test_odd_shapes_are_dead_lettered_as_they_are(deployment: Deployment) -> None:
    topic = deployment.topic(SUBMITTED)
    noise = Random(SEED).randbytes(NEARLY_1_MB)
    bad = [
        Message(topic, None, None),
        Message(topic, None, b""),
        Message(topic, b"", b"{}"),
        Message(topic, b"key", None, [("ce_specversion", None), ("", b""), ("x", None)]),
        Message(topic, b"\xff\xfe", b"\x00", [("twice", b"1"), ("twice", b"2")]),
        Message(topic, b"key", noise),
    ]
    places = sent(bad, await publish(deployment, bad, max_request_size=2**21))
    await command(deployment, *DRAIN)
    await assert_dead_lettered_once(deployment, places)


async def test_generated_garbage_changes_nothing_and_stops_nobody(deployment: Deployment) -> None:
    rng = Random(SEED)
    load = simulated(deployment, 1_500, SEED)
    bad = [spoiled(rng, message) for message in rng.sample(load.messages, 250)]
    bad += [random_garbage(rng, rng.choice(deployment.topics)) for _ in range(250)]
    everything = [*((m, False) for m in load.messages), *((m, True) for m in bad)]
    rng.shuffle(everything)
    messages = [message for message, _ in everything]
    places = sent(messages, await publish(deployment, messages))
    with ServiceProcess(deployment, *DRAIN) as process:
        assert await process.ended() == 0
        _assert_private(messages, process.output())
    expected = [place for place, (_, is_bad) in zip(places, everything, strict=True) if is_bad]
    await assert_dead_lettered_once(deployment, expected)
    await _assert_private_headers(deployment, messages)
    await assert_tables_equal_oracle(deployment, load.events)


def _for_claims(deployment: Deployment, file: Path) -> list[Message]:
    messages = read_messages(file, deployment.settings)
    return [message for message in messages if message.topic in deployment.topics]


def _assert_private(messages: Iterable[Message], text: str) -> None:
    """No personal health number of any message stands in the text."""
    numbers = {number for message in messages for number in PHN.findall(message.value or b"")}
    assert numbers, "the messages have no number to look for"
    assert not numbers & set(PHN.findall(text.encode()))


async def _assert_private_headers(deployment: Deployment, messages: Sequence[Message]) -> None:
    added = [
        value.decode()
        for letter in await dead_letters(deployment)
        for name, value in letter.headers
        if name.startswith("dlq-") and value
    ]
    _assert_private(messages, "\n".join(added))
