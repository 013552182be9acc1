"""`/v1/reports`: what there is, as its provider may know it."""

from typing import Any
from uuid import uuid4

import asyncpg
import httpx

from repositories.postgres.database import Database
from repositories.vocabulary import ReportFormat, ReportType
from tests.harness.issuer import Issuer
from tests.integration.repositories.report_examples import (
    P,
    Q,
    claimed,
    fail,
    finish,
    let_time_pass,
    record,
    report_id,
    request,
)

SPREAD = """
    UPDATE generated_reports AS report SET created_at = now() - (row_number / 3) * interval '1 day'
    FROM (SELECT report_id, row_number() OVER (ORDER BY report_id) FROM generated_reports) AS n
    WHERE n.report_id = report.report_id
"""


async def get(
    client: httpx.AsyncClient, issuer: Issuer, path: str = "", provider: Any = P, **asked: Any
) -> httpx.Response:
    return await client.get(f"/v1/reports{path}", params=asked, headers=issuer.bearer(provider))


async def test_a_report_is_shown_but_for_where_its_file_lies(
    client: httpx.AsyncClient, issuer: Issuer, database: Database, observer: asyncpg.Connection
) -> None:
    await record(database, request("A"), request("B", "Q"))
    await finish(database, await claimed(database))
    listed = (await get(client, issuer)).json()
    [shown] = listed["reports"]
    assert (await get(client, issuer, f"/{report_id('A')}")).json() == shown
    row = await observer.fetchrow("SELECT * FROM generated_reports WHERE provider_id = $1", P)
    assert row is not None
    assert shown.keys() == dict(row).keys() - {"file_path", "provider_id"}
    assert (shown["status"], shown["file_size_bytes"]) == ("ready", 4711)
    assert "reports/" not in str(listed)


async def test_a_report_whose_time_is_over_is_expired_by_the_clock(
    client: httpx.AsyncClient, issuer: Issuer, database: Database, observer: asyncpg.Connection
) -> None:
    await record(database, request("A"))
    await finish(database, await claimed(database))
    await let_time_pass(observer)
    assert (await get(client, issuer, f"/{report_id('A')}")).json()["status"] == "expired"
    assert len((await get(client, issuer, status="expired")).json()["reports"]) == 1
    assert (await get(client, issuer, status="ready")).json()["reports"] == []


async def test_a_failed_report_says_why(
    client: httpx.AsyncClient, issuer: Issuer, database: Database
) -> None:
    await record(database, request("A"))
    await fail(database, await claimed(database))
    shown = (await get(client, issuer, f"/{report_id('A')}")).json()
    assert (shown["status"], shown["error_message"]) == ("failed", "Report generation failed.")


async def test_pages_have_every_report_once_the_newest_first(
    client: httpx.AsyncClient, issuer: Issuer, database: Database, observer: asyncpg.Connection
) -> None:
    """Several were made at the same moment."""
    names = [str(number) for number in range(10)]
    await record(database, *(request(name) for name in names), request("other", "Q"))
    await observer.execute(SPREAD)
    seen, asked = [], {"limit": "3"}
    while True:
        page = (await get(client, issuer, **asked)).json()
        seen += [(report["created_at"], report["report_id"]) for report in page["reports"]]
        if not page["next"]:
            break
        asked["cursor"] = page["next"]
    assert {report for _, report in seen} == {str(report_id(name)) for name in names}
    assert len(seen) == 10
    assert [at for at, _ in seen] == sorted((at for at, _ in seen), reverse=True)


async def test_types_and_states_can_be_had_alone(
    client: httpx.AsyncClient, issuer: Issuer, database: Database
) -> None:
    csv = {"report_type": ReportType.WCB_TIMING, "format": ReportFormat.CSV}
    await record(database, request("A"), request("B", **csv))
    found = (await get(client, issuer, type="WCB_TIMING", status="pending")).json()
    assert [report["format"] for report in found["reports"]] == ["CSV"]


async def test_what_cannot_be_asked_is_422(client: httpx.AsyncClient, issuer: Issuer) -> None:
    wrong = [
        *({"type": "X"}, {"status": "done"}, {"file_path": "x"}),
        *({"cursor": "WzEsMl0"}, {"limit": "999"}),
    ]
    assert [(await get(client, issuer, **asked)).status_code for asked in wrong] == [422] * 5


async def test_anothers_and_one_that_is_none_are_404_alike(
    client: httpx.AsyncClient, issuer: Issuer, database: Database
) -> None:
    await record(database, request("A", "Q"))
    assert (await get(client, issuer, f"/{report_id('A')}", Q)).status_code == 200
    answers = [
        await get(client, issuer, f"/{path}")
        for path in (
            report_id("A"),
            uuid4(),
            "none",
            "%00",
            f"{{{report_id('A')}}}",
            "1%20OR%201=1",
        )
    ]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.text for answer in answers}) == 1
