"""Nothing of a claim gets out through an error: not through its text, its traceback, a log."""

import asyncio
import logging
import traceback
from decimal import Decimal

import pytest
from asyncpg import Connection

from repositories.claims.batch import apply_claim_batch
from repositories.claims.rows import ClaimEventRow, copy_line
from repositories.errors import DatabaseRefused, DatabaseUnavailable
from repositories.postgres.database import Database
from tests.integration.repositories.examples import TOPIC, apply, next_offset, paid
from tests.integration.repositories.waiting import transaction_of_another, until_waiting
from tests.strategies import to_row

PHN, CODE = "987654321", "77.77Q"
ROW = to_row(paid(patient_phn=PHN, hsc_code=CODE), TOPIC, 0, 0)

REFUSED = {
    "too long": ROW._replace(patient_phn=PHN * 2),
    "zero byte": ROW._replace(patient_phn=f"{PHN}\0"),
    "check": ROW._replace(claim_version=0),
    "too much money": ROW._replace(submitted_fee=Decimal(PHN * 2)),
    "missing": ROW._replace(date_of_service=None),  # type: ignore[arg-type]  # what types forbid
}


def printed(error: BaseException) -> str:
    return "".join(traceback.format_exception(error)) + repr(error)


def assert_private(text: str) -> None:
    found = [value for value in (PHN, CODE) if value in text]
    assert not found, text


@pytest.mark.parametrize("row", REFUSED.values(), ids=REFUSED)
async def test_a_row_that_postgresql_refuses_is_not_quoted(
    database: Database, caplog: pytest.LogCaptureFixture, row: ClaimEventRow
) -> None:
    caplog.set_level(logging.DEBUG)
    with pytest.raises(DatabaseRefused) as caught:
        await apply_claim_batch(database, [copy_line(ROW), copy_line(row)], [next_offset(1)])
    assert_private(printed(caught.value))
    assert_private(caplog.text)


@pytest.mark.parametrize("function", ["pg_terminate_backend", "pg_cancel_backend"])
async def test_a_statement_that_was_cut_off_is_not_quoted(
    migrated_url: str,
    database: Database,
    observer: Connection,
    caplog: pytest.LogCaptureFixture,
    function: str,
) -> None:
    caplog.set_level(logging.DEBUG)
    async with transaction_of_another(migrated_url, "LOCK TABLE claims IN EXCLUSIVE MODE"):
        batch = asyncio.create_task(apply_claim_batch(database, [copy_line(ROW)], []))
        [pid] = await until_waiting(observer, 1)
        await observer.execute(f"SELECT {function}($1)", pid)
        with pytest.raises(DatabaseUnavailable) as caught:
            await batch
    assert_private(printed(caught.value))
    assert_private(caplog.text)


async def test_a_figure_that_cannot_be_read_is_not_quoted(
    database: Database, observer: Connection
) -> None:
    """Damage in the cache: PostgreSQL names the text that is no number."""
    await apply(database, paid())
    await observer.execute(f"""UPDATE analytics_cache SET value = '{{"count": "{PHN}x"}}'""")
    with pytest.raises(DatabaseRefused) as caught:
        await apply_claim_batch(database, [copy_line(ROW._replace(claim_version=3))], [])
    assert_private(printed(caught.value))
