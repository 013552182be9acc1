"""What the model is explored with, and where each seeded bug must show."""

from collections.abc import Mapping

from tests.reliability.model.protocol import Bug, Fault, Protocol
from tests.reliability.model.states import Message

A1, A2 = Message("A", 1), Message("A", 2)  # of one claim, the second a correction
A1_OTHERWISE = Message("A", 1, content=1)  # against the contract: refused, whichever comes second
GARBAGE = Message()

NONE: frozenset[Fault] = frozenset()
RESTORE, LOST_ANSWER = frozenset({Fault.RESTORE}), frozenset({Fault.LOST_ANSWER})
OFFSETS = frozenset({Fault.RETENTION, Fault.RESET})
EVERYTHING = frozenset(Fault)

# Each with any number of deaths, and of rebalances that leave a zombie behind.
SHORT: Mapping[str, Protocol] = {
    "an event, a broken one: lost answers": Protocol(((A1, GARBAGE),), LOST_ANSWER),
    "a correction that comes first, and repetitions": Protocol(((A2, A1, A2),), NONE),
    "a claim's events in two partitions": Protocol(((A2,), (A1,)), NONE),
    "an event, and all faults but a lost answer": Protocol(((A1,),), OFFSETS | RESTORE),
    "a broken event, and all faults": Protocol(((GARBAGE,),), EVERYTHING),
}
LARGE: Mapping[str, Protocol] = {
    "an event, a broken one, and all faults": Protocol(((A1, GARBAGE),), EVERYTHING),
    "three events, restored": Protocol(((A2, GARBAGE, A1),), RESTORE),
    "a refused event among four, lost answers": Protocol(
        ((A2, GARBAGE, A1_OTHERWISE, A1),), LOST_ANSWER
    ),
    "a claim's events in two partitions, restored": Protocol(((A2,), (A1,)), RESTORE),
    "two contents in two partitions": Protocol(((A1,), (A1_OTHERWISE,)), LOST_ANSWER),
    "three workers": Protocol(((A1, GARBAGE),), LOST_ANSWER, workers=3),
}
LARGEST: Mapping[str, Protocol] = {  # some gigabytes
    "two contents in two partitions, restored": Protocol(((A1,), (A1_OTHERWISE,)), RESTORE),
}

WHERE: Mapping[Bug, Protocol] = {
    Bug.COMMIT_FIRST: Protocol(((GARBAGE,),), NONE, bug=Bug.COMMIT_FIRST),
    Bug.STORE_APART: Protocol(((A1,),), NONE, bug=Bug.STORE_APART),
    Bug.NO_KEY: Protocol(((A1,),), NONE, bug=Bug.NO_KEY),
    Bug.UNGUARDED: Protocol(((A2, A1),), NONE, bug=Bug.UNGUARDED),
    Bug.HIGHER_START: Protocol(((A1,),), RESTORE, bug=Bug.HIGHER_START),
    Bug.BY_OFFSET: Protocol(((A1, A2),), NONE, bug=Bug.BY_OFFSET),
    Bug.LETTERS_LAST: Protocol(((GARBAGE,),), NONE, bug=Bug.LETTERS_LAST),
    Bug.UNCHECKED: Protocol(((A1, A2),), RESTORE, batch=1, bug=Bug.UNCHECKED),
    Bug.FIRST_UNCHECKED: Protocol(((A1,),), RESTORE, bug=Bug.FIRST_UNCHECKED),
    Bug.LETTERS_FORGOTTEN: Protocol(((GARBAGE,),), OFFSETS, bug=Bug.LETTERS_FORGOTTEN),
}
