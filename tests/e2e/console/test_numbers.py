"""What the console shows is what the commands say."""

import json
import re
from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio

from tests.harness.console import LOOKED_AT
from tests.harness.console_stage import CLAIM, FEE, NAME, PHN, UNREAD, Stage
from tests.harness.process import command
from tests.harness.waiting import until_async

pytestmark = pytest.mark.asyncio(loop_scope="package")


@pytest_asyncio.fixture(loop_scope="package")
async def client(address: str) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=address, trust_env=False) as client:
        yield client


async def test_lags_are_those_of_offsets_show(stage: Stage, client: httpx.AsyncClient) -> None:
    groups = json.loads(await command(stage.deployment, "offsets", "show", "--json"))
    lags: dict[str, dict[int, int]] = {}
    for one in (one for group in groups for one in group["partitions"]):
        lags.setdefault(one["topic"], {})[one["partition"]] = one["lag_messages"]
    assert sum(sum(of.values()) for of in lags.values()) == UNREAD
    sums = {topic: sum(of.values()) for topic, of in lags.items()}

    async def agrees() -> bool:
        page = (await client.get("topics")).text
        shown = re.findall(r'data-topic="([^"]+)" data-lag="(\d+)"', page)
        return {topic: int(lag) for topic, lag in shown} == sums

    await until_async(agrees, f"a look at Kafka that says {sums}")
    behind = re.findall(r'id="figure-behind" data-value="(\d+)"', (await client.get("")).text)
    assert behind == [str(UNREAD)]
    topic = stage.deployment.topic("ai-suggestion")
    each = re.findall(
        r'data-partition="(\d+)" data-lag="(\d+)"', (await client.get(f"topics/{topic}")).text
    )
    assert {int(partition): int(lag) for partition, lag in each} == lags[topic]


async def test_letters_are_those_of_dlq_list(stage: Stage, client: httpx.AsyncClient) -> None:
    groups = json.loads(await command(stage.deployment, "dlq", "list", "--json"))
    page = (await client.get("letters")).text
    counts = [int(n) for n in re.findall(r'data-label="Letters"><b>(\d+)</b>', page)]
    assert counts == [group["letters"] for group in groups]
    assert f'id="all-letters">{sum(counts)}<' in page
    for group in groups:
        assert group["topic"] in page
        assert group["reason"] in page
        which = {name: group[name] for name in ("topic", "reason", "detail", "state")}
        each = (await client.get("letters/each", params=which)).text
        assert each.count('<tr><th scope="row">') == group["letters"]


async def test_reports_are_those_of_report_list(stage: Stage, client: httpx.AsyncClient) -> None:
    rows = json.loads(await command(stage.deployment, "report", "list", "--json"))
    page = (await client.get("reports")).text
    shown = re.findall(r'<th scope="row"><span class="code">([0-9a-f-]{36})</span>', page)
    assert shown == [row["report_id"] for row in rows]


async def test_a_receipt_says_what_the_command_says(
    stage: Stage, client: httpx.AsyncClient
) -> None:
    said = json.loads(await command(stage.deployment, "receipt", str(CLAIM), "--json"))
    page = (await client.get("receipt", params={"claim": str(CLAIM)})).text
    assert f'id="answer">{said["answer"].capitalize()}<' in page
    for event in said["events"]:
        assert (
            f"{event['source_topic']} {event['source_partition']} {event['source_offset']}" in page
        )
    for row in said["rows"]:
        assert f'<th scope="row">{row["metric_key"]}</th>' in page
    [letter] = said["dead_letters"]
    assert letter["reason"] in page


async def test_no_page_shows_a_number_a_name_or_a_fee(
    stage: Stage, client: httpx.AsyncClient
) -> None:
    letter = await stage.first_letter()
    place = f"topic={letter.topic}&partition={letter.partition}&offset={letter.offset}"
    paths = [
        *LOOKED_AT,
        f"topics/{letter.topic}",
        "letters/each",
        f"letters/one?{place}",
        f"letters/redrive?topic={stage.deployment.topic('claim-paid')}",
        f"letters/park?{place}",
        f"receipt?claim={CLAIM}",
    ]
    for path in paths:
        answer = await client.get(path)
        assert answer.status_code == 200, path
        everything = f"{answer.headers} {answer.text}"
        assert str(CLAIM) in everything or "receipt?" not in path
        for planted in (PHN, NAME, FEE, f"{float(FEE):,.2f}", "nonsense"):
            assert planted not in everything, path
