"""Removing claims that are over their time, provider by provider, beside batches."""

import re
import time
from collections.abc import Callable, Sequence
from datetime import date
from typing import NamedTuple
from uuid import UUID

from repositories.calendar import day_in_alberta
from repositories.errors import LockNotAvailable
from repositories.operations.retention import (
    OldYear,
    Removed,
    horizon,
    old_claims,
    providers_with_old_claims,
    remove_old_claims,
)
from repositories.postgres.clock import database_time
from repositories.postgres.database import Database
from service.operations.errors import CannotBegin
from service.operations.refresh import months_before
from service.operations.steps import PATIENCE_SECONDS

_MONTHS = re.compile(r"[1-9][0-9]{0,3}")


class Removable(NamedTuple):
    """Claims with a day of service before `before`, by year."""

    before: date
    years: Sequence[OldYear]

    @property
    def claims(self) -> int:
        return sum(year.claims for year in self.years)


async def removable_claims(database: Database, older_than: str) -> Removable:
    """What can go; `older_than` is a day of service, or so many months before the present one.

    Raises CannotBegin for what is neither, and for a day in months that the figures cover.
    """
    before = await _parsed(database, older_than)
    first_month = await horizon(database)
    if first_month is None:
        raise CannotBegin(
            "The figures cover all months that there are, so no claim can go. The nightly run, or"
            " `claim-analytics refresh`, lets them begin with the month 24 months back."
        )
    if before > first_month:
        raise CannotBegin(
            f"Claims of service before {before} are asked for, and the figures cover all months"
            f" from {first_month} on: only what is older can go. Give a day up to {first_month}, or"
            " more months."
        )
    return Removable(before, await old_claims(database, before))


async def remove_claims(
    database: Database, before: date, why: str, tell: Callable[[Removed], None]
) -> None:
    """Remove them, in transactions that each take whole claims of one provider; after each, all
    that is gone so far is told.

    It can be broken off at any moment: what is gone stays gone, repeat it for the rest. Raises
    LockNotAvailable if somebody keeps a provider for two minutes, or another RepositoryError.
    """
    after: UUID | None = None
    gone = Removed()
    while provider_ids := await providers_with_old_claims(database, before, after):
        for provider_id in provider_ids:
            while (removed := await _patiently(database, provider_id, before, why)).claims:
                gone = gone.plus(removed)
                tell(gone)
        after = provider_ids[-1]


async def _patiently(database: Database, provider_id: UUID, before: date, why: str) -> Removed:
    """Each try waits a second for the provider, which batches have for less than that."""
    begun = time.monotonic()
    while True:
        try:
            return await remove_old_claims(database, provider_id, before, why)
        except LockNotAvailable:
            if time.monotonic() - begun > PATIENCE_SECONDS:
                raise


async def _parsed(database: Database, older_than: str) -> date:
    if _MONTHS.fullmatch(older_than):
        return months_before(day_in_alberta(await database_time(database)), int(older_than))
    try:
        return date.fromisoformat(older_than)
    except ValueError:
        raise CannotBegin(
            "--older-than is a number of months, such as 84, or a day, such as 2019-01-01."
        ) from None
