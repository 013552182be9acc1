"""What stops a consumer, or one of its partitions.

ConsumerError
├── ConsumerStopped     the whole consumer must stop; the message says what to do
│   └── MassDeadLettering   the brake: too many bad messages in a row or in share
└── PartitionStopped    one partition cannot go on; the others do
"""


class ConsumerError(Exception):
    """Any of them. The message is for the operator and quotes nothing of a message."""


class ConsumerStopped(ConsumerError):
    pass


class MassDeadLettering(ConsumerStopped):
    pass


class PartitionStopped(ConsumerError):
    pass
