"""What a consumer has done so far: counters for the log, the demo and the tests."""

from collections import Counter
from dataclasses import dataclass, field

from consumers.dead_letters import DeadLetterReason


@dataclass
class Progress:
    """Counts since the start of this process; `stopped` maps partitions to why they stopped."""

    messages: int = 0
    applied: int = 0
    stale: int = 0
    duplicate: int = 0
    batches: int = 0
    dead_letters: Counter[DeadLetterReason] = field(default_factory=Counter)
    lag: dict[int, int] = field(default_factory=dict)  # messages still to read, by partition
    stopped: dict[int, str] = field(default_factory=dict)
