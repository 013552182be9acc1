"""Brackets over day rows: `claim_analytics.aging` and its kin, edge by edge."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from asyncpg import Connection

from repositories.calendar import day_in_alberta
from tests.integration.migrations.day_rows import KEYS, add_day, add_provider, brackets, filled

# How many days the row's day lies before `as_of`, and the bracket that it falls into.
EDGES: dict[str, dict[int, str | None]] = {
    "aging": {
        -400: "0-30",
        -1: "0-30",
        0: "0-30",
        30: "0-30",
        31: "31-60",
        60: "31-60",
        61: "61-90",
        90: "61-90",
        91: "over 90",
        9000: "over 90",
    },
    "approaching_deadline": {-8: None, -7: "0-7", -1: "0-7", 0: "0-7", 1: None},
    "stale_claims": {-1: None, 0: None, 14: None, 15: "over 14", 9000: "over 14"},
}
# The first and the last day of summer time; days about leap days.
DAYS = ("2026-03-08", "2026-11-01", "2024-02-29", "2024-03-31", "2025-02-28")


@pytest.mark.parametrize("as_of", [date.fromisoformat(day) for day in DAYS], ids=DAYS)
@pytest.mark.parametrize("function", EDGES)
async def test_a_day_falls_into_its_bracket_on_both_sides_of_each_edge(
    undone: Connection, function: str, as_of: date
) -> None:
    provider = await add_provider(undone)
    expected: dict[str, int] = {}
    for place, (before, bracket) in enumerate(EDGES[function].items()):
        day = as_of - timedelta(days=before)
        await add_day(undone, provider, KEYS[function], day, count=2**place)
        if bracket:
            expected[bracket] = expected.get(bracket, 0) + 2**place
    found = await brackets(undone, function, provider, as_of)
    assert {row.bracket: row.claims for row in found if row.claim_type is None} == expected


async def test_totals_and_payers_stand_apart_and_money_adds_up_to_the_cent(
    undone: Connection,
) -> None:
    provider = await add_provider(undone)
    day = date(2026, 3, 1)
    for claim_type, amount in {None: "30.30", "AHCIP": "10.10", "WCB": "20.20"}.items():
        for later in range(3):
            await add_day(
                undone,
                provider,
                "stale_claims",
                day + timedelta(days=later),
                count=2,
                amount=amount,
                claim_type=claim_type,
            )
    assert await brackets(undone, "stale_claims", provider, date(2026, 4, 1)) == [
        (None, "over 14", 6, Decimal("90.90")),
        ("AHCIP", "over 14", 6, Decimal("30.30")),
        ("WCB", "over 14", 6, Decimal("60.60")),
    ]


@pytest.mark.parametrize("function", KEYS)
async def test_a_provider_without_day_rows_has_every_bracket_at_nothing(
    undone: Connection, function: str
) -> None:
    names = sorted({bracket for bracket in EDGES[function].values() if bracket})
    found = await brackets(undone, function, await add_provider(undone))
    assert found == [
        (claim_type, name, 0, Decimal(0)) for claim_type in (None, "AHCIP", "WCB") for name in names
    ]
    assert {str(row.amount) for row in found} == {"0.00"}


@pytest.mark.parametrize("function", KEYS)
async def test_a_provider_whose_day_rows_are_not_filled_yet_has_no_brackets(
    undone: Connection, function: str
) -> None:
    provider = await add_provider(undone, revision=1)
    assert await brackets(undone, function, provider) == []


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Etc/GMT+12"])
async def test_without_a_day_it_is_today_in_alberta_whatever_the_sessions_zone(
    undone: Connection, zone: str
) -> None:
    """The two zones never have the same date, so one of them has another than Alberta."""
    now: datetime = await undone.fetchval("SELECT now()")  # the transaction's, as in there
    await undone.execute(f"SET LOCAL TimeZone = '{zone}'")
    provider = await add_provider(undone)
    await add_day(undone, provider, "approaching_deadline", day_in_alberta(now.astimezone(UTC)))
    rows = await brackets(undone, "approaching_deadline", provider)
    assert filled(rows) == [(None, "0-7", 1, Decimal("0.10"))]
    earlier = "UPDATE analytics_cache SET period_start = period_start - 1 WHERE provider_id = $1"
    await undone.execute(earlier, provider)
    assert filled(await brackets(undone, "approaching_deadline", provider)) == []


@pytest.mark.parametrize(
    ("as_of", "bracket"), [("infinity", "over 90"), ("-infinity", "0-30")], ids=["end", "start"]
)
async def test_a_day_without_end_is_after_or_before_all(
    undone: Connection, as_of: str, bracket: str
) -> None:
    provider = await add_provider(undone)
    await add_day(undone, provider, "aging_brackets", date(2026, 3, 1))
    found = await brackets(
        undone, "aging", provider, await undone.fetchval("SELECT $1::text::date", as_of)
    )
    assert [row.bracket for row in filled(found)] == [bracket]


async def test_no_day_gives_no_rows(undone: Connection) -> None:
    await add_provider(undone)
    assert await undone.fetch("SELECT * FROM claim_analytics.aging(NULL)") == []
