"""Rebuilding claims from the history, and figures from the claims, provider by provider."""

from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from repositories.calendar import day_in_alberta
from repositories.postgres.clock import database_time
from repositories.postgres.database import Database
from repositories.recomputation.figures import RowDifference
from repositories.recomputation.passes import Look, Pass, Step, known_providers
from repositories.recomputation.progress import note_counts, unfinished_action
from repositories.recomputation.recompute import Recomputed, Scope
from repositories.recomputation.strays import Strays, strays_of
from service.operations.errors import CannotBegin, UnknownProviders
from service.operations.recorded import recorded
from service.operations.steps import steps
from service.settings import Settings

COMMAND = "rebuild"


@dataclass(frozen=True)
class Order:
    """What is to be rebuilt: all providers, or some; from a month (its first day) on, or all.

    `after` is where an earlier rebuild was broken off, `resumes` its action.
    """

    providers: tuple[UUID, ...] | None = None
    from_month: date | None = None
    after: UUID | None = None
    resumes: UUID | None = None
    begun_at: datetime | None = None  # the one that this resumes

    @property
    def scope(self) -> Scope:
        return Scope(self.from_month, history=True, found_by=COMMAND)

    def arguments(self) -> dict[str, Any]:
        """For the row of `operator_actions`."""
        return {
            "providers": [str(each) for each in self.providers] if self.providers else None,
            "from_month": self.from_month and f"{self.from_month:%Y-%m}",
            "resumes": self.resumes and str(self.resumes),
            "after": self.after and str(self.after),
        }


@dataclass
class Rebuilt:
    """How far a rebuild is. `position`: all providers up to this id are done."""

    providers: int = 0
    of: int = 0
    counts: Recomputed = field(default_factory=Recomputed)
    position: UUID | None = None

    def after(self, step: Step, position: UUID | None) -> None:
        """With what one more transaction did."""
        self.providers += step.providers
        self.counts = self.counts.plus(step.counts)
        self.position = position

    def plain(self) -> dict[str, Any]:
        """As JSON; a rebuild confirms no rows."""
        counts = {name: n for name, n in self.counts._asdict().items() if name != "confirmed_rows"}
        position = self.position and str(self.position)
        return {"providers": self.providers, "of": self.of, **counts, "position": position}


@dataclass
class Forecast:
    """What a rebuild would do. Of `claims` and `rows`, which differ, the first are listed."""

    providers: int = 0
    of: int = 0
    claims: int = 0
    rows: int = 0
    listed_claims: list[UUID] = field(default_factory=list)
    listed_rows: list[RowDifference] = field(default_factory=list)

    def after(self, look: Look, limit: int) -> None:
        """With what one more transaction would do."""
        self.providers += look.providers
        claims, rows = look.found
        self.claims += len(claims)
        self.rows += len(rows)
        self.listed_claims += claims[: limit - len(self.listed_claims)]
        self.listed_rows += rows[: limit - len(self.listed_rows)]


async def order_for(
    database: Database, providers: Sequence[UUID], from_month: date | None
) -> Order:
    """Raises UnknownProviders, or CannotBegin for a month that is to come."""
    if unknown := set(providers) - await known_providers(database, providers):
        raise UnknownProviders(unknown)
    this_month = day_in_alberta(await database_time(database)).replace(day=1)
    if from_month and from_month > this_month:
        raise CannotBegin(f"--from-month {from_month:%Y-%m} is to come: it is {this_month:%Y-%m}.")
    return Order(tuple(sorted(set(providers))) or None, from_month)


async def order_to_resume(database: Database) -> Order:
    """What is left of the rebuild that was broken off last; raises CannotBegin if none was."""
    unfinished = await unfinished_action(database, COMMAND)
    if unfinished is None:
        raise CannotBegin("There is no rebuild to go on with: all that began have ended.")
    arguments = unfinished.arguments
    position = (unfinished.counts or {}).get("position") or arguments.get("after")
    providers = arguments.get("providers")
    from_month = arguments.get("from_month")
    try:
        return Order(
            tuple(map(UUID, providers)) if providers else None,
            date.fromisoformat(f"{from_month}-01") if from_month else None,
            UUID(position) if position else None,
            unfinished.action_id,
            unfinished.started_at,
        )
    except ValueError:  # an erasure has taken an id out
        raise CannotBegin(
            "The rebuild to go on with named a provider that was erased since: begin a new one."
        ) from None


async def rebuild(
    settings: Settings,
    database: Database,
    order: Order,
    why: str,
    rebuilt: Rebuilt,
    tell: Callable[[], None],
) -> None:
    """Carry the order out, beside batches, and count in `rebuilt` what is done by now; `tell` is
    called after each transaction.

    It can be broken off at any moment: by a cancellation, an error, a SIGKILL. The transaction at
    hand is rolled back then, and the row of `operator_actions` says how far it was: every second
    while it runs, exactly once it is closed. Raises LockNotAvailable if somebody keeps a provider
    for long, or another RepositoryError.
    """
    async with (
        recorded(settings, database, COMMAND, order.arguments(), why) as action,
        strays_of(database, order.providers, order.after) as strays,
    ):
        way = await _pass(database, order, strays, rebuilt)
        async with aclosing(steps(way, database)) as taken:
            async for step in taken:
                rebuilt.after(step, way.position)
                action.counts.update(rebuilt.plain())
                tell()
                await note_counts(database, action.action_id, action.counts)


async def forecast(
    database: Database, order: Order, limit: int, found: Forecast, tell: Callable[[], None]
) -> None:
    """What `rebuild` would do, each few providers as of a moment of their own; nothing is changed
    or locked. `found` lists `limit` claims and rows at most, and counts all."""
    async with strays_of(database, order.providers, order.after) as strays:
        way = await _pass(database, order, strays, found)
        while look := await way.look(database):
            found.after(look, limit)
            tell()


async def _pass(
    database: Database, order: Order, strays: Strays, counted: Rebuilt | Forecast
) -> Pass:
    way = Pass(order.scope, order.providers, order.after, strays)
    async with database.snapshot() as connection:
        counted.of = await way.left(connection)
    return way
