"""Tombstones: what was erased does not come back, whatever reads topics or backups again.

A tombstone is a hash of an id under a random key, both in this database: it tells who has an id
that it was erased, and nobody else anything. Ids have at least 122 random bits, so none is found
by trying. A patient's number could be (there are 10^9), so no number is hashed: an erased patient
leaves a tombstone for each claim that named the number. A claim that is removed whole because it
is old leaves one of another kind.

Whoever takes something in looks tombstones up in the transaction that stores it, at a moment after
which no erasure can pass by: batches once they hold their providers' rows, the others once they
share `ERASURE_LOCK`, which the erasure of a provider takes alone. Each look-up is a statement of
its own, so its snapshot has what the erasure committed that was waited for.
"""

import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Select,
    Uuid,
    delete,
    func,
    literal,
    literal_column,
    select,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from repositories.tables import erasure_keys, erasures
from repositories.vocabulary import ErasedKind

ERASURE_LOCK = 0x657261736564  # the number spells "erased"
KEY_BYTES = HASH_BYTES = 32
IS_REMOVED = erasures.c.kind == literal_column(f"'{ErasedKind.REMOVED}'")  # as its index says it


@dataclass(frozen=True)
class Tombstone:
    """An erasure without what was erased: `id_hash` is SHA-256 of a key, the id's 16 bytes and, of
    a removed claim, that word: it may have lost a patient's number before."""

    id_hash: bytes
    kind: ErasedKind
    why: str
    erased_at: datetime


@dataclass(frozen=True)
class ErasureList:
    """All tombstones of a database, and the keys that it takes to recognize an id by them."""

    keys: Sequence[bytes]
    tombstones: Sequence[Tombstone]


def anything_erased() -> Select[bool, bool]:
    """Whether there may be a tombstone at all, and one of a removed claim; to be asked before each
    batch, so it is cheap."""
    return select(select(erasures).exists(), select(erasures).where(IS_REMOVED).exists())


def has_tombstone(kind: ErasedKind, erased_id: ColumnElement[UUID]) -> ColumnElement[bool]:
    return _tombstones(kind, erased_id).exists()


async def erased_since(
    connection: AsyncConnection, kind: ErasedKind, erased_id: UUID
) -> datetime | None:
    """When it was erased; None if it has no tombstone. Several lists may have brought one each."""
    found = _tombstones(kind, literal(erased_id)).with_only_columns(func.min(erasures.c.erased_at))
    since: datetime | None = await connection.scalar(found)
    return since


async def erased_providers(
    connection: AsyncConnection, provider_ids: Collection[UUID]
) -> set[UUID]:
    """Which of them are erased. No other is before the caller's transaction has ended."""
    if not provider_ids:
        return set()
    await connection.execute(select(func.pg_advisory_xact_lock_shared(ERASURE_LOCK)))
    its_id = _each(provider_ids)
    erased = select(its_id).where(has_tombstone(ErasedKind.PROVIDER, its_id))
    return set(await connection.scalars(erased))


async def leave_tombstones(
    connection: AsyncConnection, kind: ErasedKind, ids: Collection[UUID], why: str
) -> None:
    """One for each id that has none."""
    if not ids:
        return
    key = await connection.scalar(select(erasure_keys.c.hash_key).limit(1))
    if key is None:
        key = secrets.token_bytes(KEY_BYTES)
        await connection.execute(insert(erasure_keys).values(hash_key=key))
    its_id = _each(ids)
    new = (
        select(_hash(literal(key), its_id, kind), literal(kind, erasures.c.kind.type), literal(why))
        .where(~has_tombstone(kind, its_id))
        .distinct()
    )
    marked = insert(erasures).from_select(["id_hash", "kind", "why"], new)
    await connection.execute(marked.on_conflict_do_nothing())


async def remove_tombstone(connection: AsyncConnection, kind: ErasedKind, erased_id: UUID) -> bool:
    """Whether there was one."""
    hashes = select(_hash(erasure_keys.c.hash_key, literal(erased_id), kind))
    gone = delete(erasures).where(erasures.c.kind == kind, erasures.c.id_hash.in_(hashes))
    return bool((await connection.execute(gone)).rowcount)


async def all_tombstones(connection: AsyncConnection) -> ErasureList:
    """In order of their hashes, so that equal tables give equal lists."""
    keys = await connection.scalars(select(erasure_keys.c.hash_key).order_by("hash_key"))
    columns = (erasures.c[name] for name in Tombstone.__dataclass_fields__)
    rows = await connection.execute(select(*columns).order_by(erasures.c.id_hash))
    return ErasureList(keys.all(), [Tombstone(*row) for row in rows])


async def add_tombstones(connection: AsyncConnection, erased: ErasureList) -> int:
    """Add those that are not there; returns how many."""
    if erased.keys:
        keys = [{"hash_key": key} for key in erased.keys]
        await connection.execute(insert(erasure_keys).on_conflict_do_nothing(), keys)
    if not erased.tombstones:
        return 0
    added = insert(erasures).on_conflict_do_nothing().returning(erasures.c.id_hash)
    rows = [vars(tombstone) for tombstone in erased.tombstones]
    return len((await connection.execute(added, rows)).all())


def _tombstones(kind: ErasedKind, erased_id: ColumnElement[UUID]) -> Select[Any]:
    hashed = _hash(erasure_keys.c.hash_key, erased_id, kind)
    keys = select(erasures).join(erasure_keys, erasures.c.id_hash == hashed)
    return keys.where(erasures.c.kind == kind)


def _hash(
    key: ColumnElement[Any], hashed_id: ColumnElement[UUID], kind: ErasedKind
) -> ColumnElement[bytes]:
    """All are of a fixed length, so no other key, id and kind give the same bytes."""
    hashed = key.op("||")(func.uuid_send(hashed_id))
    if kind is ErasedKind.REMOVED:
        hashed = hashed.op("||")(literal_column(f"'{kind}'::bytea"))
    return func.sha256(hashed)


def _each(ids: Collection[UUID]) -> ColumnElement[UUID]:
    """The ids as the rows of a FROM clause."""
    return func.unnest(literal(list(ids), ARRAY(Uuid))).column_valued("each_id")
