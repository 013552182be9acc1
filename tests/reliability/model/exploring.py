"""Every state that can be reached, breadth first, and what must hold in each."""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tests.reliability.model.protocol import Fault, Protocol
from tests.reliability.model.states import Message, State, Step, fold


@dataclass(frozen=True)
class Explored:
    """`problem` is None if every state is as it must be; else `trace` is a shortest way to it."""

    states: int
    steps: int
    problem: str | None = None
    trace: Sequence[str] = ()


def explore(protocol: Protocol) -> Explored:
    """All states, or those up to the first that is wrong."""
    start = protocol.start()
    came_by: dict[State, tuple[str, State] | None] = {start: None}
    waiting, steps = deque([start]), 0
    judged: dict[tuple[object, ...], tuple[str, Sequence[str]] | None] = {}
    while waiting:
        state = waiting.popleft()
        if wrong := next(problems(protocol, state), None):
            return Explored(len(came_by), steps, wrong, _trace(came_by, state))
        lasting = state[:1] + state[2:5]  # all that is left when everybody dies
        if lasting not in judged:
            judged[lasting] = _rest(protocol, state)
        if end := judged[lasting]:
            wrong, more = end
            return Explored(len(came_by), steps, wrong, [*_trace(came_by, state), *more])
        for what, then in protocol.steps(state):
            steps += 1
            if then not in came_by:
                came_by[then] = (what, state)
                waiting.append(then)
    return Explored(len(came_by), steps)


def problems(protocol: Protocol, state: State) -> Iterator[str]:
    """What is wrong with a state, whatever may follow."""
    database = state.database
    if len(set(database.history)) < len(database.history):
        yield "an event counts twice"
    latest = fold(database.history)
    if database.claims != set(latest.values()):
        yield "a claim is not what its highest version says"
    if database.figure != sum(event.fee for event in latest.values()):
        yield "the figure is not what the claims add up to"
    known = {event[:2] for event in database.history}
    by_workers = protocol.faults.isdisjoint({Fault.RESTORE, Fault.RESET})  # Kafka's offset is
    for at, log in enumerate(protocol.logs):
        begun, stored, committed = database.begun[at], database.stored[at], state.committed[at]
        for offset in range(begun or 0, stored or 0):
            has_letter = (at, offset) in database.letters
            event = log[offset]
            if not (has_letter or (event.claim and event[:2] in known)):
                yield f"offset {offset} of partition {at} is passed over, and has no effect"
            unsent = has_letter and (at, offset) not in state.sent
            if unsent and by_workers and state.earliest[at] <= offset < (committed or 0):
                yield f"offset {offset} of {at} is committed, and its dead letter is not sent"


def _rest(protocol: Protocol, state: State) -> tuple[str, Sequence[str]] | None:
    """What is wrong after everybody died and was started anew, and all is read in peace."""
    state = state._replace(workers=())
    trace = ["everybody dies; then all is started anew and comes to rest"]
    for at in range(len(protocol.logs)):
        _, state = next(protocol.steps(state._replace(workers=())))  # partition 0
        state = state._replace(workers=(state.workers[0]._replace(partition=at),))
        while moves := [*protocol.work(state, state.workers[0])]:
            wanted = [move for move in moves if "does not hear" not in move[0]]
            what, state = wanted[-1]
            trace.append(what)
            if not state.workers:
                return "the database is behind, with nobody else about", trace
            worker = state.workers[0]
            if worker.next is Step.STOPPED or (
                worker.next is Step.READ
                and not worker.is_first
                and worker.end == len(protocol.logs[at])
            ):
                break
    wrong = next(problems(protocol, state), None) or next(_unsettled(protocol, state), None)
    return (wrong, trace) if wrong else None


def _unsettled(protocol: Protocol, state: State) -> Iterator[str]:
    database, stopped = state.database, False
    for at, log in enumerate(protocol.logs):
        begun = database.begun[at]
        if state.committed[at] == database.stored[at] == len(log):
            for offset in range(max(begun or 0, state.earliest[at]), len(log)):
                if (at, offset) in database.letters - state.sent:
                    yield f"the dead letter of offset {offset} of {at} is never sent"
        elif state.earliest[at] > min(database.stored[at] or 0, state.committed[at] or 0):
            stopped = True
        else:
            yield f"partition {at} is not read to its end"
    published = [message for log in protocol.logs for message in log]
    whole = not stopped and not any(database.begun) and not _contradict(published)
    if whole and database.figure != sum(event.fee for event in fold(published).values()):
        yield "the figure is not what was published"


def _contradict(messages: Sequence[Message]) -> bool:
    """Whether two have one version and different content, so that the first to come counts."""
    events = {message for message in messages if message.claim}
    return len({event[:2] for event in events}) < len(events)


def _trace(came_by: dict[State, tuple[str, State] | None], state: State) -> list[str]:
    trace = []
    while came := came_by[state]:
        what, state = came
        trace.append(what)
    return trace[::-1]
