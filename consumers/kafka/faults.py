"""What is known of Kafka's faults in our own words.

KafkaFault              a KafkaError of ours, whose text may be logged; it can be tried again
├── KafkaUnreachable    no broker can be used, for the reason that it says
└── TopicCreatedAnew    another topic of the same name is there: this member joins anew
"""

from aiokafka.errors import KafkaError


class KafkaFault(KafkaError):  # type: ignore[misc]  # untyped base
    """The text names addresses, topics and settings only."""

    retriable = True

    def __str__(self) -> str:
        return str(self.args[0])  # the client's errors put their class before it


class KafkaUnreachable(KafkaFault):
    """`permanent`: waiting does not help, a person must change something."""

    def __init__(self, why: str, *, permanent: bool = False) -> None:
        super().__init__(why)
        self.permanent = permanent


class TopicCreatedAnew(KafkaFault):
    pass
