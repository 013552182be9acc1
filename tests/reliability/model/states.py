"""What a state of the model is made of. All of it is immutable, so that states can be compared.

An offset names the next message, as everywhere. A place is a partition and an offset in it.
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple

Place = tuple[int, int]


class Message(NamedTuple):
    """A claim event: `content` tells apart two that have one version, against the contract.

    Without a claim it is garbage.
    """

    claim: str = ""
    version: int = 0
    content: int = 0

    @property
    def fee(self) -> int:
        return 10 * self.version + self.content


class Database(NamedTuple):
    """What one moment of PostgreSQL holds, and a backup of it.

    `history` is sorted and would hold an event twice if its key were gone. `begun` is the lowest
    offset from which a partition was applied; nobody but the checks looks at it.
    """

    stored: tuple[int | None, ...]  # by partition
    begun: tuple[int | None, ...]
    history: tuple[Message, ...] = ()
    claims: frozenset[Message] = frozenset()  # what each claim is now
    figure: int = 0  # the fees of all claims
    letters: frozenset[Place] = frozenset()  # rows of dead letters


class Step(StrEnum):
    """What a worker does next."""

    FIND_START = "finds where to start"
    READ = "reads"
    STORE = "stores the offset alone"  # a seeded bug
    APPLY = "applies the batch and stores the offset"
    SEND = "sends a dead letter"
    COMMIT = "commits the offset to Kafka"
    STOPPED = "has stopped"


class Worker(NamedTuple):
    """A lane's share of one partition. It knows what it read, and nothing that happened since.

    `member`: the group has it as the owner. One that is not is a zombie, which does not know it.
    `after` and `is_new` are those of `repositories/offsets.py:NextOffset`.
    """

    partition: int
    member: bool = True
    next: Step = Step.FIND_START
    begin: int = 0
    end: int = 0  # the batch at hand is what lies between
    after: int = 0
    is_new: bool = False
    is_first: bool = True  # an empty batch is applied only where reading begins
    unsent: frozenset[int] = frozenset()  # offsets of dead letters

    @property
    def name(self) -> str:
        return f"{'the owner' if self.member else 'a zombie'} of partition {self.partition}"


class State(NamedTuple):
    """Everything. `workers` is sorted: which process has which makes no difference."""

    database: Database
    backup: Database
    committed: tuple[int | None, ...]  # Kafka's, by partition
    earliest: tuple[int, ...]  # what retention has left
    sent: frozenset[Place] = frozenset()  # acknowledged dead letters
    workers: tuple[Worker, ...] = ()


def fold(messages: Iterable[Message]) -> dict[str, Message]:
    """What each claim is, by its highest version."""
    latest: dict[str, Message] = {}
    for message in messages:
        if message.claim and message.version >= latest.get(message.claim, message).version:
            latest[message.claim] = message
    return latest


def with_item(items: tuple[int | None, ...], at: int, item: int | None) -> tuple[int | None, ...]:
    return (*items[:at], item, *items[at + 1 :])
