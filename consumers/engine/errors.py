"""What stops a consumer, or a topic of it. (A partition that stops alone is no error of either;
Kafka's own faults are in `consumers/kafka/faults.py`.)

ConsumerError
├── ConsumerStopped     the whole consumer must stop; the message says what to do
└── MassDeadLettering   the brake stops one topic: too many bad messages in a row or in share
"""


class ConsumerError(Exception):
    """Any of them. The message is for the operator and quotes nothing of a message."""


class ConsumerStopped(ConsumerError):
    pass


class MassDeadLettering(ConsumerError):
    def __init__(self, topic: str, message: str) -> None:
        super().__init__(message)
        self.topic = topic
