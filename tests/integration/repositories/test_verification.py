"""`verify` finds every kind of damage, and changes nothing."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from asyncpg import Connection

from repositories.claims.verification import CacheDifference, verify
from repositories.postgres.database import Database
from tests.integration.repositories.database_state import dump
from tests.integration.repositories.examples import apply, paid, settled, submitted, uuid_of
from tests.integration.repositories.waiting import transaction_of_another

SITE = str(uuid_of("location L"))
EVENTS = (submitted(location_id=SITE), paid(location_id=SITE), submitted("B"), paid("C", 1, "Q"))
CLAIM = uuid_of("claim A")
PROVIDER = uuid_of("provider P")
PENDING = CacheDifference(
    provider_id=PROVIDER,
    metric_key="pending_pipeline",
    period_start=date(2024, 10, 1),
    dimensions=None,
    expected={"count": 1, "amount": "50.00"},
    found={"count": 1, "amount": "50.00"},
)
IS_PENDING = "provider_id = $1 AND metric_key = 'pending_pipeline' AND dimensions IS NULL"


@pytest.fixture(autouse=True)
async def sound(database: Database, observer: Connection) -> None:
    """Tables as a few events leave them."""
    await apply(database, *EVENTS)
    await settled(database, observer)


async def test_sound_tables_are_clean_and_counted(database: Database, observer: Connection) -> None:
    found = await verify(database)
    assert found.clean
    rows = await observer.fetchval("SELECT count(*) FROM analytics_cache")
    assert (found.events, found.claims, found.cache_rows) == (4, 3, rows)


async def test_empty_tables_are_clean(database: Database, observer: Connection) -> None:
    await observer.execute("TRUNCATE claims, claim_events, analytics_cache")
    assert (await verify(database)).clean


async def test_a_changed_value_is_shown_beside_the_right_one(
    database: Database, observer: Connection
) -> None:
    await observer.execute(
        f"""UPDATE analytics_cache SET value = '{{"count": 1, "amount": "50.01"}}'
            WHERE {IS_PENDING}""",
        PROVIDER,
    )
    wrong = replace(PENDING, found={"count": 1, "amount": "50.01"})
    assert (await verify(database)).wrong_rows == [wrong]


async def test_a_missing_row_is_found(database: Database, observer: Connection) -> None:
    await observer.execute(f"DELETE FROM analytics_cache WHERE {IS_PENDING}", PROVIDER)
    assert (await verify(database)).wrong_rows == [replace(PENDING, found=None)]


@pytest.mark.parametrize("metric_key", ["revenue_by_hsc", "top_hsc_codes"])
async def test_every_missing_row_of_a_metric_is_found(
    database: Database, observer: Connection, metric_key: str
) -> None:
    deleted = await observer.fetch(
        "DELETE FROM analytics_cache WHERE metric_key = $1 RETURNING provider_id", metric_key
    )
    wrong = (await verify(database)).wrong_rows
    assert [row.metric_key for row in wrong] == [metric_key] * len(deleted)
    assert {row.provider_id for row in wrong} == {row["provider_id"] for row in deleted}


async def test_top_codes_in_another_order_are_found(
    database: Database, observer: Connection
) -> None:
    await apply(database, paid("D", hsc_code="z"))
    await settled(database, observer)
    await observer.execute(
        """UPDATE analytics_cache
           SET value = jsonb_build_object('codes', jsonb_build_array(value->'codes'->1,
                                                                     value->'codes'->0))
           WHERE metric_key = 'top_hsc_codes' AND provider_id = $1""",
        PROVIDER,
    )
    assert [row.metric_key for row in (await verify(database)).wrong_rows] == ["top_hsc_codes"]


ADD_ROW = """
    INSERT INTO analytics_cache
        (provider_id, metric_key, period_start, period_end, dimensions, value, computed_at)
    VALUES ($1, $2, $3, $4, $5, $6, now())
"""
NEXT_MONTH = (date(2024, 11, 1), date(2024, 11, 30))
THIS_MONTH = (date(2024, 10, 1), date(2024, 10, 31))
ONE, NONE = '{"count": 1, "amount": "0.00"}', '{"count": 0, "amount": "0.00"}'


@pytest.mark.parametrize(
    "row",
    [
        ("claims_paid", *NEXT_MONTH, None, ONE),
        ("claims_paid", *THIS_MONTH, '{"claim_type": "WCB"}', ONE),
        ("pending_pipeline", date(2024, 10, 1), date(2024, 10, 30), None, ONE),
        ("pending_pipeline", *THIS_MONTH, "null", ONE),
        ("pending_pipeline", *THIS_MONTH, "{}", '{"count": 1, "amount": "50.00"}'),
        ("no_such_key", *THIS_MONTH, None, ONE),
        ("top_hsc_codes", *NEXT_MONTH, None, '{"codes": [{}]}'),
        ("claims_paid", *NEXT_MONTH, None, '{"count": null, "amount": null}'),
        ("claims_paid", *NEXT_MONTH, None, "{}"),
        ("claims_paid", *NEXT_MONTH, None, "7"),
    ],
    ids=[
        "month", "dimension", "period_end", "json_null", "empty_dimensions", "key", "codes",
        "nulls", "empty", "scalar",
    ],
)  # fmt: skip
async def test_a_row_that_should_not_be_there_is_found(
    database: Database, observer: Connection, row: tuple[Any, ...]
) -> None:
    await observer.execute(ADD_ROW, PROVIDER, *row)
    [wrong] = (await verify(database)).wrong_rows
    assert (wrong.metric_key, wrong.period_start) == row[:2]
    assert wrong.expected is None


@pytest.mark.parametrize(
    "row",
    [
        ("claims_paid", *NEXT_MONTH, None, NONE),
        ("claims_paid", *NEXT_MONTH, '{"claim_type": "WCB"}', NONE),
        ("top_hsc_codes", *NEXT_MONTH, None, '{"codes": []}'),
        ("multisite_claims", *NEXT_MONTH, f'{{"location_id": "{SITE}"}}',
         '{"submitted": 0, "paid": 0, "rejected": 0, "decided": 0, "rejection_rate": "0.00"}'),
        ("avg_fee_per_claim", *NEXT_MONTH, None,
         '{"count": 0, "amount": "0.00", "average": "0.00"}'),
    ],
    ids=["total", "dimension", "codes", "site", "average"],
)  # fmt: skip
async def test_a_row_that_has_fallen_back_to_nothing_may_be_there(
    database: Database, observer: Connection, row: tuple[Any, ...]
) -> None:
    await observer.execute(ADD_ROW, PROVIDER, *row)
    assert (await verify(database)).clean


@pytest.mark.parametrize(
    "change",
    ["state = 'SUBMITTED'", "patient_phn = NULL", "assessed_fee = 0", "modifiers = '{TEV}'",
     "claim_version = 1"],
)  # fmt: skip
async def test_a_changed_claim_is_found(
    database: Database, observer: Connection, change: str
) -> None:
    await observer.execute(f"UPDATE claims SET {change} WHERE claim_id = $1", CLAIM)
    assert (await verify(database)).wrong_claims == [CLAIM]


@pytest.mark.parametrize(
    "damage",
    [
        "DELETE FROM claims WHERE claim_id = $1",
        "DELETE FROM claim_events WHERE claim_id = $1",
        "DELETE FROM claim_events WHERE claim_id = $1 AND claim_version = 2",
    ],
    ids=["no_claim", "no_history", "newest_event_missing"],
)
async def test_a_claim_that_its_history_does_not_bear_out_is_found(
    database: Database, observer: Connection, damage: str
) -> None:
    await observer.execute(damage, CLAIM)
    assert (await verify(database)).wrong_claims == [CLAIM]


async def test_figures_are_compared_with_the_claims_as_they_stand(
    database: Database, observer: Connection
) -> None:
    await observer.execute("UPDATE claims SET submitted_fee = 51 WHERE claim_id = $1", CLAIM)
    wrong = (await verify(database)).wrong_rows
    assert {row.metric_key for row in wrong} == {"claims_submitted"}


async def test_top_codes_that_are_due_are_not_called_wrong(
    database: Database, observer: Connection
) -> None:
    await apply(database, paid("D", hsc_code="z"))
    assert (await verify(database)).clean
    await observer.execute("DELETE FROM lists_due")
    assert [row.metric_key for row in (await verify(database)).wrong_rows] == ["top_hsc_codes"]


async def test_no_more_is_listed_than_was_asked_for(
    database: Database, observer: Connection
) -> None:
    await observer.execute("UPDATE claims SET submitted_fee = 51")
    found = await verify(database, limit=2)
    assert (len(found.wrong_claims), len(found.wrong_rows)) == (2, 2)


async def test_nothing_is_changed_and_nothing_repaired(
    database: Database, observer: Connection
) -> None:
    await observer.execute("DELETE FROM claims WHERE claim_id = $1", CLAIM)
    await observer.execute("UPDATE analytics_cache SET value = '{}'")
    before = await dump(observer)
    assert not (await verify(database)).clean
    assert await dump(observer) == before


async def test_it_waits_for_nobodys_row_locks(migrated_url: str, database: Database) -> None:
    async with transaction_of_another(migrated_url, "DELETE FROM claims"):
        assert (await verify(database)).clean
