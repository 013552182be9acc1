"""The nightly run and requests for fresh figures, through real processes and from real topics."""

import json
from collections import Counter

from consumers.topics.cache_refresh_requests import CACHE_REFRESH_REQUESTS
from repositories.claims.verification import verify
from repositories.postgres.database import Database
from service.kafka import Message
from service.message_files import read_messages
from tests.harness.deployment import Deployment
from tests.harness.kafka import publish, read_topic
from tests.harness.messages import EXAMPLES, simulated
from tests.harness.process import DRAIN, ServiceProcess, command, running
from tests.harness.rows import all_applied, assert_tables_equal_oracle, connected
from tests.harness.waiting import until, until_async

NAME = CACHE_REFRESH_REQUESTS.name
# A row of a day: it is recomputed whatever its age, and the simulator's months grow old.
FALSIFY = """
    UPDATE analytics_cache SET value = '{"count": 77, "amount": "7.00"}' WHERE cache_id =
    (SELECT cache_id FROM analytics_cache WHERE metric_key = 'aging_brackets' LIMIT 1)
"""
AGE = "UPDATE provider_freshness SET confirmed_at = now() - interval '2 hours'"
MISSED = "INSERT INTO job_runs (job, night, ended_at) VALUES ('nightly', '2020-01-01', now())"
ENDED = "SELECT counts FROM job_runs WHERE night > '2020-01-01' AND ended_at IS NOT NULL"


def requests(deployment: Deployment, name: str) -> list[Message]:
    """The requests of a file of the documented examples."""
    messages = read_messages(EXAMPLES / f"{name}.jsonl", deployment.settings)
    return [message for message in messages if message.topic == deployment.topic(NAME)]


def request(deployment: Deployment, provider_id: object) -> Message:
    [example, *_] = requests(deployment, f"accepted/{NAME}")
    data = json.dumps({"provider_id": str(provider_id)}).encode()
    return Message(example.topic, str(provider_id).encode(), data, example.headers)


async def test_of_two_processes_one_catches_up_the_missed_night_and_is_loud_about_a_wrong_row(
    deployment: Deployment,
) -> None:
    load = simulated(deployment, 300)
    await publish(deployment, load.messages)
    await command(deployment, *DRAIN)
    async with connected(deployment) as connection:
        assert await connection.fetch("SELECT FROM job_runs") == []  # a drain begins no run
        await connection.execute(FALSIFY)
        await connection.execute(MISSED)
        nightly = deployment.having(nightly_at="00:00", nightly_zone="UTC")
        with ServiceProcess(nightly, "run", "--only", "claims") as other:
            async with running(nightly) as process:

                async def has_ended() -> bool:
                    return bool(await connection.fetch(ENDED))

                await until_async(has_ended, "the end of the nightly run")
                told = "the nightly run repaired 1 rows of analytics_cache that were wrong"
                both = (process, other)
                await until(lambda: any(each.log(told) for each in both), "the error in a log")
                begun = [line for each in both for line in each.log("the nightly run begins")]
        [counts] = await connection.fetch(ENDED)
    assert len(begun) == 1
    assert json.loads(counts["counts"])["repaired_rows"] == 1
    database = Database(deployment.database_url)
    assert (await verify(database)).clean
    await database.close()


async def test_requests_go_from_their_topic_to_confirmed_figures_or_to_the_dead_letters(
    deployment: Deployment,
) -> None:
    await deployment.create_topic(NAME)
    load = simulated(deployment, 100)
    await publish(deployment, load.messages)
    await command(deployment, *DRAIN)
    async with connected(deployment) as connection:
        await connection.execute(AGE)
        known = await connection.fetchval("SELECT min(provider_id::text) FROM providers")
        good = [*requests(deployment, f"accepted/{NAME}"), request(deployment, known)]
        wrong = requests(deployment, "rejected/invalid-field")
        await publish(deployment, good + wrong)
        with ServiceProcess(deployment, *DRAIN) as process:
            assert await process.ended() == 0
            lines = [line for line in process.log("batch applied") if line["consumer"] == NAME]
        fresh = (
            "SELECT count(*) FROM provider_freshness WHERE confirmed_at > now() - interval '1 h'"
        )
        assert await connection.fetchval(fresh) == 1
    totals = Counter[str]()
    for line in lines:
        totals.update({name: line[name] for name in ("applied", "erased", "dead_lettered")})
    assert totals == {"applied": 1, "erased": 3, "dead_lettered": len(wrong)}
    letters = await read_topic(deployment, deployment.topic(NAME) + ".dlq")
    assert {letter.value for letter in letters} == {it.value for it in wrong}
    await assert_tables_equal_oracle(deployment, load.events)


async def test_a_recomputation_that_takes_long_holds_up_neither_its_group_nor_the_claims(
    deployment: Deployment,
) -> None:
    """Longer than a member may be silent."""
    await deployment.create_topic(NAME)
    first, second = simulated(deployment, 400, providers=2).split(2)
    async with running(deployment) as process, connected(deployment) as connection:
        await publish(deployment, first.messages)
        await all_applied(deployment, first.events)
        await connection.execute(AGE)
        # Of no use to claims: a provider of its own.
        held = await connection.fetchval(
            "INSERT INTO providers (provider_id) VALUES (gen_random_uuid()) RETURNING provider_id"
        )
        async with connection.transaction():
            await connection.execute(
                "SELECT FROM providers WHERE provider_id = $1 FOR NO KEY UPDATE", held
            )
            await publish(deployment, [request(deployment, held)])
            await process.logged("applying a batch of cache-refresh-request has waited")
            await publish(deployment, second.messages)
            await all_applied(deployment, first.events + second.events)
            seconds = deployment.settings.group_session_seconds + 1
            held_for = "SELECT now() < clock_timestamp() - make_interval(secs => $1)"
            await until_async(lambda: connection.fetchval(held_for, seconds), "enough seconds")

        async def is_confirmed() -> bool:
            found = "SELECT FROM provider_freshness WHERE provider_id = $1"
            return bool(await connection.fetch(found, held))

        await until_async(is_confirmed, "the recomputation")
        assigned = [it for it in process.log("partitions assigned") if it["consumer"] == NAME]
        assert len(assigned) == 1
    await assert_tables_equal_oracle(deployment, first.events + second.events)
