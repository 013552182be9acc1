"""`/v1/analytics`: the rows that the caller's provider has, and no others."""

from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import httpx

from repositories.postgres.database import Database
from service.settings import Settings
from tests.harness.http import http_client
from tests.harness.issuer import Issuer
from tests.integration.repositories.examples import apply, paid, saved, submitted
from tests.integration.repositories.report_examples import P, Q
from tests.integration.repositories.suggestion_examples import apply_suggestions, suggestion

OCTOBER = {"from": "2024-10-01", "to": "2024-10-31"}
YEAR = {"from": "2024-01-01", "to": "2024-12-31"}
OLD = "UPDATE analytics_cache SET computed_at = now() - interval '61 minutes'"

WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("metrics", {"key": "secret", **YEAR}, "key"),
    ("metrics", {"key": "claims_paid"}, "from"),
    ("metrics", {"key": "claims_paid", "from": "2024-12-01", "to": "2024-01-01"}, "to"),
    ("metrics", {"key": "claims_paid", "from": "2024-02-30", "to": "2024-12-31"}, "from"),
    ("metrics", {"key": "claims_paid", "from": "1700000000", "to": "2024-12-31"}, "from"),
    ("metrics", {"key": "claims_paid", "limit": "0", **YEAR}, "limit"),
    ("metrics", {"key": "claims_paid", "limit": "1e2", **YEAR}, "limit"),
    ("metrics", {"key": "claims_paid", "dimension": "patient_phn", **YEAR}, "dimension"),
    ("metrics", {"key": "claims_paid", "provider_id": str(Q), **YEAR}, "provider_id"),
    ("metrics", {"key": ["claims_paid", "claims_paid"], **YEAR}, "key"),
    ("metrics", {"key": "claims_paid", "cursor": "AAAA", **YEAR}, "cursor"),
    ("metrics", {"key": "claims_paid", "cursor": "WyIyMDI0LTAxLTAxIiwgMV0", **YEAR}, "cursor"),
    ("figures", {"from": "2020-01-01", "to": "2024-12-31"}, "to"),
    ("figures", {"key": "aging_brackets", **YEAR}, "key"),
    ("brackets", {"key": "claims_paid"}, "key"),
    ("brackets", {"key": "aging_brackets", "as_of": "today"}, "as_of"),
]


async def get(
    client: httpx.AsyncClient, issuer: Issuer, path: str, provider: Any = P, **asked: Any
) -> httpx.Response:
    return await client.get(f"/v1/analytics/{path}", params=asked, headers=issuer.bearer(provider))


async def test_rows_come_as_they_stand_in_the_table_and_the_providers_own_alone(
    client: httpx.AsyncClient, issuer: Issuer, database: Database
) -> None:
    await apply(database, paid("A", assessed_fee="50.10"), paid("B", provider="Q"))
    found = (await get(client, issuer, "metrics", key="claims_paid", **YEAR)).json()
    rows = [(row["dimensions"], row["value"], row["stale"]) for row in found["rows"]]
    value = {"count": 1, "amount": "50.10"}
    assert rows == [(None, value, False), ({"claim_type": "AHCIP"}, value, False)]
    first = found["rows"][0]
    assert (first["period_start"], first["period_end"]) == ("2024-10-01", "2024-10-31")
    computed_at = datetime.fromisoformat(first["computed_at"])
    assert timedelta() < datetime.now(UTC) - computed_at < timedelta(minutes=5)
    others = (await get(client, issuer, "metrics", Q, key="claims_paid", **YEAR)).json()
    assert others["rows"][0]["value"] == {"count": 1, "amount": "40.00"}


async def test_the_total_and_one_breakdown_can_be_had_alone(
    client: httpx.AsyncClient, issuer: Issuer, database: Database
) -> None:
    await apply(database, paid("A"))
    for dimension, expected in {"total": [None], "claim_type": [{"claim_type": "AHCIP"}]}.items():
        asked = {"key": "claims_paid", "dimension": dimension, **YEAR}
        found = (await get(client, issuer, "metrics", **asked)).json()
        assert [row["dimensions"] for row in found["rows"]] == expected


async def test_pages_have_every_row_once_and_in_order(
    client: httpx.AsyncClient, issuer: Issuer, database: Database
) -> None:
    codes = ["03.01A", "03.02A", "03.03A", "03.04A", "03.05A"]
    months = ["2024-09-05", "2024-10-05"]
    claims = [(code, day) for day in months for code in codes]
    await apply(database, *(paid(f"{c} {d}", hsc_code=c, date_of_service=d) for c, d in claims))
    seen, cursor = [], None
    while True:
        asked = {"key": "revenue_by_hsc", "limit": 3, **YEAR}
        page = await get(
            client, issuer, "metrics", **asked | ({"cursor": cursor} if cursor else {})
        )
        rows = page.json()["rows"]
        seen += [(row["dimensions"]["hsc_code"], row["period_start"][:7]) for row in rows]
        assert len(rows) <= 3
        if not (cursor := page.json()["next"]):
            break
    assert seen == [(code, day[:7]) for code, day in claims]


async def test_no_month_is_shown_that_is_not_wholly_asked_for_or_not_covered_any_more(
    client: httpx.AsyncClient, issuer: Issuer, database: Database, observer: asyncpg.Connection
) -> None:
    await apply(database, paid("A"))
    asked = {"key": "claims_paid", "from": "2024-10-02", "to": "2024-12-31"}
    assert (await get(client, issuer, "metrics", **asked)).json()["rows"] == []
    await observer.execute("INSERT INTO cache_horizon (first_month) VALUES ('2024-11-01')")
    assert (await get(client, issuer, "metrics", key="claims_paid", **YEAR)).json()["rows"] == []


async def test_what_is_not_filled_yet_says_so_and_shows_nothing(
    client: httpx.AsyncClient, issuer: Issuer, database: Database, observer: asyncpg.Connection
) -> None:
    await apply(database, submitted("A"))
    await observer.execute("UPDATE providers SET metrics_revision = 1")
    new = (await get(client, issuer, "metrics", key="aging_brackets", **YEAR)).json()
    former = (await get(client, issuer, "metrics", key="claims_submitted", **YEAR)).json()
    assert (new["filled"], new["rows"]) == (False, [])
    assert former["filled"]
    assert former["rows"]
    found = (await get(client, issuer, "brackets", key="aging_brackets")).json()
    assert (found["filled"], found["brackets"]) == (False, [])


async def test_old_rows_are_stale_while_nobody_knows_whether_the_service_is_behind(
    client: httpx.AsyncClient, issuer: Issuer, database: Database, observer: asyncpg.Connection
) -> None:
    """Kafka is away here; `test_behind` has one that answers."""
    await apply(database, paid("A"))
    await observer.execute(f"{OLD} WHERE dimensions IS NULL")
    found = (await get(client, issuer, "metrics", key="claims_paid", **YEAR)).json()
    assert (found["behind"], [row["stale"] for row in found["rows"]]) == (None, [True, False])


async def test_figures_of_any_days_come_from_the_claims_and_the_coach(
    client: httpx.AsyncClient, issuer: Issuer, database: Database
) -> None:
    await apply(
        database,
        paid("A", date_of_service="2024-10-14"),
        paid("B", date_of_service="2024-10-15"),
        paid("C", provider="Q"),
    )
    await apply_suggestions(database, suggestion())
    week = {"from": "2024-10-15", "to": "2024-10-21"}
    found = (await get(client, issuer, "figures", key="claims_paid", **week)).json()
    value = {"count": 1, "amount": "40.00"}
    assert [(f["dimensions"], f["value"]) for f in found["figures"]] == [
        (None, value),
        ({"claim_type": "AHCIP"}, value),
    ]
    everything = await get(client, issuer, "figures", **{"from": "2023-12-01", "to": "2025-11-29"})
    assert {f["key"] for f in everything.json()["figures"]} >= {"claims_paid", "top_hsc_codes"}


async def test_the_coachs_figures_are_the_providers_own(
    client: httpx.AsyncClient, issuer: Issuer, database: Database, observer: asyncpg.Connection
) -> None:
    await apply_suggestions(database, suggestion("A"), suggestion("B", provider="Q"))
    day = str(await observer.fetchval("SELECT min(created_day) FROM ai_suggestions"))
    asked = {"key": "ai_coach_acceptance_rate", "from": day, "to": day}
    found = (await get(client, issuer, "figures", **asked)).json()
    assert [f["value"]["accepted"] for f in found["figures"]] == [1]


async def test_brackets_come_ready_made_for_any_day(
    client: httpx.AsyncClient, issuer: Issuer, database: Database
) -> None:
    await apply(database, submitted("A"), saved("B"), submitted("C", provider="Q"))
    asked = {"key": "aging_brackets", "as_of": "2024-12-01"}
    found = (await get(client, issuer, "brackets", **asked)).json()
    assert found["as_of"] == "2024-12-01"
    totals = {b["bracket"]: b for b in found["brackets"] if b["claim_type"] is None}
    assert totals["31-60"] == {
        "claim_type": None, "bracket": "31-60", "count": 2, "amount": "100.00"
    }  # fmt: skip
    assert totals["over 90"]["amount"] == "0.00"
    today = (await get(client, issuer, "brackets", key="aging_brackets")).json()
    assert today["as_of"] >= "2025-01-01"


async def test_what_cannot_be_asked_is_422_and_says_which_parameter(
    client: httpx.AsyncClient, issuer: Issuer
) -> None:
    for path, asked, parameter in WRONG:
        refused = await get(client, issuer, path, **asked)
        assert refused.status_code == 422, asked
        assert refused.headers["content-type"] == "application/problem+json"
        assert parameter in {each["parameter"] for each in refused.json()["errors"]}, asked
        assert str(Q) not in refused.text


async def test_each_other_error_is_a_problem_too(client: httpx.AsyncClient, issuer: Issuer) -> None:
    headers = issuer.bearer(P)
    long = await client.get("/v1/reports", params={"type": "x" * 3_000}, headers=headers)
    posted = await client.post("/v1/reports", headers=headers)
    unknown = await client.get("/v1/..%2fetc/passwd", headers=headers)
    nobody = await client.get("/v1/reports")
    narrow = await client.get("/v1/reports", headers=issuer.bearer(P, permissions=[]))
    answers = (long, posted, unknown, nobody, narrow)
    assert [answer.status_code for answer in answers] == [414, 405, 404, 401, 403]
    for answer in answers:
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["status"] == answer.status_code
        assert answer.headers["cache-control"] == "private, no-store"
    assert posted.headers["allow"] == "GET, HEAD"
    assert nobody.headers["www-authenticate"] == 'Bearer realm="claim-analytics"'
    assert "insufficient_scope" in narrow.headers["www-authenticate"]


async def test_without_an_issuer_nothing_is_there(migrated_url: str, issuer: Issuer) -> None:
    settings = Settings.model_validate({"database_url": migrated_url})
    async with http_client(settings) as client:
        answer = await get(client, issuer, "metrics", key="claims_paid", **YEAR)
    assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (404, "not-set-up")


async def test_a_database_that_is_away_is_503(api_settings: Settings, issuer: Issuer) -> None:
    away = api_settings.model_copy(
        update={"database_url": type(api_settings.database_url)("postgresql://a:b@127.0.0.1:1/c")}
    )
    async with http_client(away) as client:
        answer = await get(client, issuer, "metrics", key="claims_paid", **YEAR)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert "127.0.0.1" not in answer.text
