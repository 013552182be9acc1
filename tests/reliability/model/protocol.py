"""The steps of the protocol, and the same with one thing wrong.

`docs/reliability.md` says which step is which function of the service.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from consumers.engine.offsets import start_offset
from tests.reliability.model.states import (
    Database,
    Message,
    Place,
    State,
    Step,
    Worker,
    fold,
    with_item,
)

Next = tuple[str, State]  # what happened, and what is then


class Bug(StrEnum):
    """Ways to get it wrong; the model must find each."""

    COMMIT_FIRST = "the offset is committed to Kafka before the transaction"
    STORE_APART = "the offset is stored in a transaction of its own, before the effect"
    NO_KEY = "the history has no key: what is known is applied again"
    UNGUARDED = "a lower version overwrites a higher one"
    HIGHER_START = "reading starts at the higher of the two offsets"
    BY_OFFSET = "the stored offset alone tells what is new, and a zombie sets it back"
    LETTERS_LAST = "dead letters are sent after the offset is committed"
    UNCHECKED = "nobody looks whether the database stands where the batch begins"
    FIRST_UNCHECKED = "nobody looks so at the first batch after an assignment"
    LETTERS_FORGOTTEN = "reading starts beyond a dead letter that was recorded and never sent"


ORDER = (Step.APPLY, Step.SEND, Step.COMMIT)
ORDERS = {
    Bug.COMMIT_FIRST: (Step.COMMIT, Step.APPLY, Step.SEND),
    Bug.STORE_APART: (Step.STORE, *ORDER),
    Bug.LETTERS_LAST: (Step.APPLY, Step.COMMIT, Step.SEND),
}


class Fault(StrEnum):
    """What happens to the servers, as often as it likes. Workers die in every scenario."""

    RESTORE = "backups are made and restored"
    RETENTION = "the broker removes its oldest messages"
    RESET = "an operator resets the group's offsets, or the broker forgets them"
    LOST_ANSWER = "a transaction is committed, and its answer is lost"


@dataclass(frozen=True)
class Protocol:
    """What was published to each partition, and what may happen."""

    logs: tuple[tuple[Message, ...], ...]
    faults: frozenset[Fault] = frozenset(Fault)
    workers: int = 2
    batch: int = 2  # messages, at most
    bug: Bug | None = None

    @property
    def order(self) -> tuple[Step, ...]:
        return ORDERS.get(self.bug, ORDER) if self.bug else ORDER

    def start(self) -> State:
        nothing = (None,) * len(self.logs)
        empty = Database(nothing, nothing)
        return State(empty, empty, nothing, (0,) * len(self.logs))

    def steps(self, state: State) -> Iterator[Next]:
        """All that can happen next."""
        for partition in range(len(self.logs)):
            if len(state.workers) < self.workers:
                yield (
                    f"the group gives partition {partition} to a worker",
                    _assigned(state, partition),
                )
        for worker in set(state.workers):
            yield f"{worker.name} dies, or gives up", _without(state, worker)
            yield from self.work(state, worker)
        yield from self._faults(state)

    def work(self, state: State, worker: Worker) -> Iterator[Next]:
        """What the worker can do next; of several batches that it can read the largest is last."""
        match worker.next:
            case Step.FIND_START:
                yield self._find_start(state, worker)
            case Step.READ:
                yield from self._read(state, worker)
            case Step.STORE:
                database = _stored(state.database, worker)
                yield self._on(state._replace(database=database), worker)
            case Step.APPLY:
                yield from self._apply(state, worker)
            case Step.SEND:
                yield self._send(state, worker)
            case Step.COMMIT:
                if worker.member:  # else the group refuses it, and the worker goes on
                    committed = with_item(state.committed, worker.partition, worker.end)
                    state = state._replace(committed=committed)
                yield self._on(state, worker)

    def _find_start(self, state: State, worker: Worker) -> Next:
        at = worker.partition
        committed, stored, earliest = (
            state.committed[at], state.database.stored[at], state.earliest[at],
        )  # fmt: skip
        unsent = [offset for _, offset in _unsent(state, at)]
        if self.bug is Bug.LETTERS_FORGOTTEN:
            unsent = []
        start = start_offset(committed, stored, earliest, unsent)
        if self.bug is Bug.HIGHER_START and committed is not None and stored is not None:
            start = max(committed, stored)
        if start < earliest:
            return _becomes(state, worker, _stopped(worker), "stops: what comes next is gone")
        begun = worker._replace(
            next=Step.READ, begin=start, end=start, after=start, is_new=stored is None
        )
        return _becomes(state, worker, begun, f"starts at offset {start}")

    def _read(self, state: State, worker: Worker) -> Iterator[Next]:
        begin, log = worker.end, self.logs[worker.partition]
        for end in range(begin + (not worker.is_first), min(begin + self.batch, len(log)) + 1):
            if end > begin and begin < state.earliest[worker.partition]:
                yield _becomes(state, worker, _stopped(worker), "stops: what comes next is gone")
                return
            read = worker._replace(next=self.order[0], begin=begin, end=end)
            yield _becomes(state, worker, read, f"reads from offset {begin} up to {end}")

    def _apply(self, state: State, worker: Worker) -> Iterator[Next]:
        if self._is_behind(state.database, worker):
            yield (
                f"{worker.name} finds the database behind, and joins anew",
                _without(state, worker),
            )
            return
        database, unsent = self._applied(state.database, worker)
        if self.bug is not Bug.STORE_APART:
            database = _stored(database, worker)
        state = state._replace(database=database)
        applied = worker._replace(unsent=unsent)
        yield self._on(_with(state, worker, applied), applied)
        if Fault.LOST_ANSWER in self.faults:
            yield f"{worker.name} {Step.APPLY}, and does not hear that it is done", state

    def _is_behind(self, database: Database, worker: Worker) -> bool:
        """As `repositories/offsets.py:store_offsets` looks at it."""
        if self.bug is Bug.UNCHECKED or (self.bug is Bug.FIRST_UNCHECKED and worker.is_first):
            return False
        stored = database.stored[worker.partition]
        return not worker.is_new if stored is None else stored < worker.after

    def _applied(self, database: Database, worker: Worker) -> tuple[Database, frozenset[int]]:
        """Merged, and the offsets of what becomes dead letters."""
        history, claims = list(database.history), fold(database.claims)
        figure, dead = database.figure, set()
        for offset in range(worker.begin, worker.end):
            message = self.logs[worker.partition][offset]
            known = {event for event in history if event[:2] == message[:2]}
            if not message.claim or (known and message not in known):
                dead.add(offset)
            elif self._is_new(message, history, offset, database.stored[worker.partition]):
                history.append(message)
                before = claims.get(message.claim, Message())
                if message.version > before.version or self.bug is Bug.UNGUARDED:
                    claims[message.claim] = message
                    figure += message.fee - before.fee
        letters = database.letters | {(worker.partition, offset) for offset in dead}
        merged = database._replace(
            history=tuple(sorted(history)), claims=frozenset(claims.values()), figure=figure,
            letters=letters,
        )  # fmt: skip
        return merged, frozenset(dead)

    def _is_new(
        self, message: Message, history: list[Message], offset: int, stored: int | None
    ) -> bool:
        if self.bug is Bug.BY_OFFSET:
            return offset >= (stored or 0)
        return message not in history or self.bug is Bug.NO_KEY

    def _send(self, state: State, worker: Worker) -> Next:
        if not worker.unsent:
            _, state = self._on(state, worker)
            return f"{worker.name} has no dead letter to send", state
        offset = min(worker.unsent)
        place = (worker.partition, offset)
        # Garbage is kept by the worker; what the transaction refuses is read again, if it is there.
        is_garbage = not self.logs[worker.partition][offset].claim
        if is_garbage or offset >= state.earliest[worker.partition]:
            state = state._replace(sent=state.sent | {place})
        left = worker._replace(unsent=worker.unsent - {offset})
        return _becomes(state, worker, left, f"{Step.SEND}, of offset {offset}")

    def _on(self, state: State, worker: Worker) -> Next:
        """The worker has done this step of its batch, and comes to the one after it."""
        done = self.order.index(worker.next) + 1
        if done < len(self.order):
            then = worker._replace(next=self.order[done])
        else:
            then = worker._replace(next=Step.READ, begin=worker.end, after=worker.end)
            then = then._replace(is_new=False, is_first=False)
        return _becomes(state, worker, then, worker.next)

    def _faults(self, state: State) -> Iterator[Next]:
        if Fault.RESTORE in self.faults:
            yield "a backup is made", state._replace(backup=state.database)
            yield "the database is restored from the backup", state._replace(database=state.backup)
        for at, log in enumerate(self.logs):
            earliest = state.earliest[at]
            if Fault.RETENTION in self.faults and earliest < len(log):
                kept = (*state.earliest[:at], earliest + 1, *state.earliest[at + 1 :])
                yield f"the broker removes offset {earliest} of {at}", state._replace(earliest=kept)
            if Fault.RESET in self.faults and not state.workers:
                for to in (None, *range(len(log) + 1)):
                    moved = with_item(state.committed, at, to)
                    yield f"the group is reset to {to} in {at}", state._replace(committed=moved)


def _assigned(state: State, partition: int) -> State:
    """A former owner is not asked: it may be frozen, and does not know."""
    others = [w._replace(member=w.member and w.partition != partition) for w in state.workers]
    return state._replace(workers=tuple(sorted([*others, Worker(partition)])))


def _without(state: State, worker: Worker) -> State:
    left = list(state.workers)
    left.remove(worker)
    return state._replace(workers=tuple(left))


def _with(state: State, worker: Worker, then: Worker) -> State:
    left = _without(state, worker).workers
    return state._replace(workers=tuple(sorted((*left, then))))


def _becomes(state: State, worker: Worker, then: Worker, what: str) -> Next:
    return f"{worker.name} {what}", _with(state, worker, then)


def _stopped(worker: Worker) -> Worker:
    return Worker(worker.partition, worker.member, Step.STOPPED)


def _stored(database: Database, worker: Worker) -> Database:
    at = worker.partition
    first = database.begun[at]
    if first is None and not worker.is_new:
        first = 0  # it takes what came before for stored
    first = worker.begin if first is None else min(first, worker.begin)
    return database._replace(
        stored=with_item(database.stored, at, worker.end),
        begun=with_item(database.begun, at, first),
    )


def _unsent(state: State, partition: int) -> set[Place]:
    """Rows of dead letters that do not say yet where on the dead letter topic they lie."""
    return {place for place in state.database.letters - state.sent if place[0] == partition}
