"""What stops a consumer, or a topic of it, and what is known of Kafka's faults in our own words.
(A partition that stops alone is no error of either.)

ConsumerError
├── ConsumerStopped     the whole consumer must stop; the message says what to do
└── MassDeadLettering   the brake stops one topic: too many bad messages in a row or in share

KafkaFault              a KafkaError of ours, whose text may be logged; it can be tried again
├── KafkaUnreachable    no broker can be used, for the reason that it says
└── TopicCreatedAnew    another topic of the same name is there: this member joins anew
"""

from aiokafka.errors import KafkaError


class ConsumerError(Exception):
    """Any of them. The message is for the operator and quotes nothing of a message."""


class ConsumerStopped(ConsumerError):
    pass


class MassDeadLettering(ConsumerError):
    def __init__(self, topic: str, message: str) -> None:
        super().__init__(message)
        self.topic = topic


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
