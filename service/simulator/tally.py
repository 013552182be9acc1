"""What a simulator has handed out, so that what arrives can be compared with it."""

from collections import Counter
from dataclasses import dataclass, field

from service.simulator.messages import TOPIC_KEY_PAID, TOPIC_KEY_SUBMITTED, Change


@dataclass(slots=True)
class Tally:
    """Counts of messages handed out so far.

    When all of them have been consumed, `claim_events` holds `submitted + paid` rows, `claims`
    holds `claims`, and the dead letters number `garbage` by their reason.
    """

    submitted: int = 0  # distinct events that say a claim was submitted
    paid: int = 0  # distinct events that say a claim was paid
    claims: int = 0  # distinct claims among these events
    duplicates: int = 0  # further copies of events
    garbage: Counter[str] = field(default_factory=Counter)  # by the reason of the dead letter
    late: int = 0  # events published long after they happened
    shuffled: int = 0  # events published a little after their neighbours
    paid_first: int = 0  # submissions published only after their payment

    @property
    def events(self) -> int:
        """Distinct claim events."""
        return self.submitted + self.paid

    @property
    def messages(self) -> int:
        """All that was handed out."""
        return self.events + self.duplicates + self.garbage.total()

    def add_event(self, change: Change) -> None:
        if change.topic_key == TOPIC_KEY_SUBMITTED:
            self.submitted += 1
        elif change.topic_key == TOPIC_KEY_PAID:
            self.paid += 1
        if not change.claim.published:
            change.claim.published = True
            self.claims += 1
