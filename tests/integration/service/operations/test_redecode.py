"""A decoder that was faulty is mended: rows are corrected by the records that they came from."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import uuid5

import pytest

from consumers.topics.suggestions import AI_SUGGESTIONS, decode_suggestion
from repositories.claims.rows import ClaimEventRow
from repositories.erasure import erase_patient
from repositories.postgres.database import Database
from tests.harness.deployment import Deployment
from tests.harness.fixtures import ON_BOTH
from tests.harness.kafka import dead_letters, publish
from tests.harness.messages import coach_examples, message, simulated
from tests.harness.rows import assert_tables_equal_oracle, connected
from tests.integration.repositories.examples import NAMESPACE, paid, submitted, uuid_of
from tests.integration.service.operations.replaying import all_rows, consumed, replayed
from tests.strategies import to_plain

COLUMNS = ClaimEventRow._fields
NULL = rb"\N"


def dropping(*names: str) -> Callable[[list[bytes]], list[bytes]]:
    """A fault: these fields are not read."""
    return lambda line: [
        NULL if name in names else value for name, value in zip(COLUMNS, line, strict=True)
    ]


def writing(name: str, wrong: Callable[[bytes], bytes]) -> Callable[[list[bytes]], list[bytes]]:
    """A fault: this field is read wrongly."""
    return lambda line: [
        wrong(value) if each == name else value for each, value in zip(COLUMNS, line, strict=True)
    ]


@ON_BOTH
async def test_fields_that_were_not_read_are_corrected_with_claims_and_figures(
    deployment: Deployment,
) -> None:
    await deployment.create_coach_topic()
    load, said = simulated(deployment, 400), coach_examples(deployment)
    await publish(deployment, [*load.messages, *said.messages])
    coach = replace(
        AI_SUGGESTIONS,
        decoders={
            AI_SUGGESTIONS.name: lambda record: _without_impact(decode_suggestion(record)),
        },
    )
    fault = dropping("location_id", "hsc_code", "patient_phn", "submitted_fee")
    await consumed(deployment, fault, coach=coach)
    before = await all_rows(deployment)
    forecast = await replayed(deployment, redecode=True, dry_run=True)
    assert await all_rows(deployment) == before
    assert forecast.moved_months
    known = await replayed(deployment)
    assert known.total("decoded_differently") == forecast.total("corrected") > 200
    assert await all_rows(deployment) == before
    tally = await replayed(deployment, redecode=True)
    assert tally.topics == forecast.topics
    assert tally.total("not_correctable") == tally.total("identity_changed") == 0
    assert await dead_letters(deployment) == []
    await assert_tables_equal_oracle(deployment, load.events + said.events)
    again = await replayed(deployment, redecode=True, dry_run=True)
    assert again.total("corrected") == 0
    assert again.moved_months == []


def _without_impact(decoded: Any) -> Any:
    return decoded._replace(revenue_impact=None, rule_name=None)


async def test_a_group_that_reads_again_what_its_decoder_misread_tells_it_once_and_changes_nothing(
    deployment: Deployment, caplog: pytest.LogCaptureFixture
) -> None:
    await publish(deployment, [message(deployment, paid(version=n)) for n in range(1, 4)])
    await consumed(deployment, dropping("hsc_code"))
    before = await all_rows(deployment)
    await consumed(deployment.having(group_prefix=f"{deployment.group}-again", batch_max_events=1))
    after = await all_rows(deployment)
    assert {**after, "consumer_offsets": []} == {**before, "consumer_offsets": []}
    told = [line for line in caplog.messages if "read differently now" in line]
    assert len(told) == 1
    assert await dead_letters(deployment) == []


async def test_a_record_that_the_row_did_not_come_from_corrects_nothing(
    deployment: Deployment,
) -> None:
    event = paid(version=2, location_id=str(uuid_of("location")))
    [first] = await publish(deployment, [message(deployment, event)])
    await consumed(deployment, dropping("location_id"))
    [copy] = await publish(deployment, [message(deployment, event)])
    before = await all_rows(deployment)
    after = first.timestamp + 1
    tally = await replayed(deployment, begin=max(after, copy.timestamp), redecode=True)
    assert [(c.place.offset, c.source.offset) for c in tally.conflicts] == [
        (copy.offset, first.offset)
    ]
    assert tally.total("corrected") == 0
    assert await all_rows(deployment) == before
    both = await replayed(deployment, redecode=True)
    assert (both.total("corrected"), both.total("not_correctable")) == (1, 0)
    assert both.total("already_applied") == 1
    await assert_tables_equal_oracle(deployment, [to_plain(event)])


async def test_a_record_of_a_topic_that_was_created_anew_is_not_the_rows(
    deployment: Deployment,
) -> None:
    """It has the place of the former one, and is younger than the row."""
    event = paid(version=2, location_id=str(uuid_of("location")))
    await publish(deployment, [message(deployment, event)])
    await consumed(deployment, dropping("location_id"))
    async with connected(deployment) as connection:
        await connection.execute(
            "UPDATE claim_events SET applied_at = applied_at - interval '1 hour'"
        )
    before = await all_rows(deployment)
    tally = await replayed(deployment, redecode=True, identity=True)
    assert (tally.total("corrected"), tally.total("not_correctable")) == (0, 1)
    assert await all_rows(deployment) == before


@ON_BOTH
async def test_what_was_stored_as_another_claim_version_or_provider_is_moved(
    deployment: Deployment,
) -> None:
    load = simulated(deployment, 300)
    await publish(deployment, load.messages)
    await consumed(deployment, _misreading_some)
    before = await all_rows(deployment)
    listed = await replayed(deployment, redecode=True)
    assert listed.total("identity_changed") > 30
    assert {each.was.provider_id for each in listed.changed} != {
        each.says.provider_id for each in listed.changed
    }
    assert await all_rows(deployment) == before
    forecast = await replayed(deployment, redecode=True, identity=True, dry_run=True)
    assert await all_rows(deployment) == before
    tally = await replayed(deployment, redecode=True, identity=True)
    assert tally.topics == forecast.topics
    assert tally.total("moved") == listed.total("identity_changed")
    assert tally.total("identity_changed") == 0
    await assert_tables_equal_oracle(deployment, load.events)


def _misreading_some(line: list[bytes]) -> list[bytes]:
    """Of some claims all is stored under another claim, of others under another provider; of
    others single versions."""
    claim, version, provider = line[:3]
    kind = claim[0:1].lower()
    if kind in b"01":
        claim = str(uuid5(NAMESPACE, claim.decode().lower())).encode()
    elif kind in b"23":
        provider = str(uuid5(NAMESPACE, provider.decode().lower())).encode()
    elif kind in b"45":
        version = b"%d" % (int(version) + 1000)
    return [claim, version, provider, *line[3:]]


async def test_what_was_read_rightly_since_is_not_counted_twice(deployment: Deployment) -> None:
    """A plain replay after the decoder was mended stores the right event beside the wrong one."""
    load = simulated(deployment, 60)
    await publish(deployment, load.messages)
    await consumed(deployment, writing("claim_version", lambda version: version + b"77"))
    assert (await replayed(deployment)).total("new") > 40
    tally = await replayed(deployment, redecode=True, identity=True)
    assert tally.total("moved") > 40
    await assert_tables_equal_oracle(deployment, load.events)


async def test_a_claim_of_two_providers_is_not_torn_apart(deployment: Deployment) -> None:
    """Its other version's record is not in the range."""
    first, second = submitted(version=1), paid(version=2)
    topic = deployment.topic("claim-paid")
    await publish(deployment, [message(deployment, first), message(deployment, second)])
    other = str(uuid_of("provider X")).encode()
    await consumed(deployment, writing("provider_id", lambda _: other))
    before = await all_rows(deployment)
    half = await replayed(deployment, topic, redecode=True, identity=True)
    assert (half.total("moved"), half.total("identity_changed")) == (0, 1)
    assert await all_rows(deployment) == before
    assert (await replayed(deployment, redecode=True, identity=True)).total("moved") == 2
    await assert_tables_equal_oracle(deployment, [to_plain(first), to_plain(second)])


async def test_a_number_that_was_erased_does_not_come_back(deployment: Deployment) -> None:
    """Of a claim that lost it, though the faulty decoder never stored it in one of its versions."""
    number = "987654321"
    events = [submitted(patient_phn=number), paid(patient_phn=number), paid("B", 1)]
    await publish(deployment, [message(deployment, events[0])])
    await consumed(deployment)
    await publish(deployment, [message(deployment, event) for event in events[1:]])
    await consumed(deployment, dropping("patient_phn", "ba_number"))
    database = Database(deployment.database_url)
    await erase_patient(database, number, "asked for")
    await database.close()
    tally = await replayed(deployment, redecode=True)
    assert tally.total("corrected") == 2
    async with connected(deployment) as connection:
        rows = await connection.fetch("SELECT patient_phn, ba_number FROM claim_events")
        assert {row["ba_number"] for row in rows} == {"1234567"}
        assert sorted(str(row["patient_phn"]) for row in rows) == ["123456789", "None", "None"]
    without = [submitted(patient_phn=None), paid(patient_phn=None), paid("B", 1)]
    await assert_tables_equal_oracle(deployment, [to_plain(event) for event in without])
