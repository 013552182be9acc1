"""Whose the report store is: nothing is written or deleted in one that is another installation's.

A second installation, or the same with a wrong database, would find no row for any of the files and
take them all for orphans. So a marker in the store names the one installation and database that
may change it; `claim-analytics store adopt` writes another.
"""

import json
import logging
import time
from dataclasses import asdict, dataclass

from repositories.installation import Identity, identity, known_identity
from repositories.postgres.database import Database
from service.reports.files.file_errors import FileMissing, StoreNotOurs, StoreOfOriginal
from service.reports.files.store import FileStore

log = logging.getLogger(__name__)

MARKER = "installation.json"
REMEDY = (
    "nothing is written or deleted in it. Look at CLAIM_ANALYTICS_DATABASE_URL and"
    " CLAIM_ANALYTICS_REPORT_STORAGE_URL; if the store is this installation's from now on:"
    " claim-analytics store adopt --why TEXT"
)


@dataclass(frozen=True)
class Marker:
    """What `installation.json` holds; `why` is for people."""

    installation: str
    database: str
    why: str

    def names(self, mine: Identity) -> bool:
        return (self.installation, self.database) == (str(mine.installation), mine.database)

    def require(self, mine: Identity | None) -> None:
        """Raises StoreNotOurs; None: this installation has no id yet."""
        if mine is None or self.installation != str(mine.installation):
            raise StoreNotOurs(f"the report store is another installation's: {REMEDY}")
        if not self.names(mine):
            raise StoreOfOriginal(
                f"the report store is that of the database of which this one is a copy: {REMEDY}"
            )


class StoreOwner:
    """Whether the store is this installation's."""

    def __init__(self, database: Database, store: FileStore) -> None:
        self._database = database
        self._store = store
        self._confirmed = float("-inf")

    async def confirm(self, within: float = 0.0) -> None:
        """Call before writing or deleting; marks an empty store. `within`: or so many seconds ago.

        Raises StoreNotOurs, StoreUnavailable, RepositoryErrors.
        """
        if time.monotonic() - self._confirmed < within:
            return
        mine = await identity(self._database)
        marker = await self._marker()
        if marker is None:
            await self._require_empty()
            await self._write(mine, "it was empty")
            log.info("the report store was empty and is this installation's now")
        else:
            marker.require(mine)
        self._confirmed = time.monotonic()

    async def look(self) -> None:
        """Raises what `confirm` would, and marks nothing."""
        marker = await self._marker()
        if marker is None:
            await self._require_empty()
        else:
            marker.require(await known_identity(self._database))

    async def adopt(self, why: str) -> bool:
        """Make the store this installation's, whosever it was; False if it is already."""
        mine = await identity(self._database)
        try:
            marker = await self._marker()
        except StoreNotOurs:  # nobody can read whose it was
            marker = None
        if marker and marker.names(mine):
            return False
        await self._write(mine, why)
        log.warning(
            "the report store was adopted",
            extra={"why": why, "before": asdict(marker) if marker else None},
        )
        return True

    async def _require_empty(self) -> None:
        if not await self._store.is_empty():
            raise StoreNotOurs(
                f"the report store has files and no {MARKER} that says whose they are: {REMEDY}"
            )

    async def _marker(self) -> Marker | None:
        try:
            text = b"".join([piece async for piece in self._store.get(MARKER)])
            return Marker(**{name: str(value) for name, value in json.loads(text).items()})
        except FileMissing:
            return None
        except (ValueError, TypeError, AttributeError):
            raise StoreNotOurs(f"{MARKER} in the report store cannot be read: {REMEDY}") from None

    async def _write(self, mine: Identity, why: str) -> None:
        marker = Marker(str(mine.installation), mine.database, why)
        await self._store.replace(MARKER, json.dumps(asdict(marker), indent=1).encode())
