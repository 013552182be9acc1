"""How large batches are, and how long each step of them takes."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum

from consumers.telemetry.histogram import SIZES, Histogram
from consumers.telemetry.spans import span


class Step(StrEnum):
    """What a batch goes through, in this order."""

    COLLECT = "collect"  # its messages wait for one another
    TRANSACTION = "transaction"  # all that it changes in PostgreSQL, retries included
    DEAD_LETTERS = "dead letters"  # until the broker has acknowledged them; not every batch has any
    COMMIT = "commit"  # its offsets, to Kafka


@dataclass
class BatchNumbers:
    """Of the batches of a subscription: messages, seconds of each step, and `visible`, the seconds
    from the timestamp of a batch's oldest message to its commit."""

    sizes: Histogram = field(default_factory=lambda: Histogram(SIZES))
    seconds: dict[Step, Histogram] = field(
        default_factory=lambda: {step: Histogram() for step in Step}
    )
    visible: Histogram = field(default_factory=Histogram)

    @contextmanager
    def step(self, step: Step) -> Iterator[None]:
        """Around the step; what fails is timed too."""
        began = time.monotonic()
        try:
            with span(step):
                yield
        finally:
            self.seconds[step].observe(time.monotonic() - began)

    def note_batch(self, messages: int, collected: float, oldest_ms: int | None) -> None:
        """A batch that is committed: its messages collected for so many seconds, and the oldest has
        this timestamp, in milliseconds since 1970."""
        self.sizes.observe(messages)
        self.seconds[Step.COLLECT].observe(collected)
        if oldest_ms is not None:
            self.visible.observe(max(0.0, time.time() - oldest_ms / 1000))
