"""What becomes of each event, told one event after the other, as `events.md` and `Merged` say."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from repositories.claims.batch import Merged
from repositories.claims.rows import ClaimEventRow
from tests.integration.repositories.examples import refused
from tests.strategies import EventSpec, to_row

SOURCE = ClaimEventRow._fields.index("occurred_at")  # where the claim's content ends

MISMATCH, CONFLICT = BREAKING = ("another provider", "other content")

Content = tuple[object, ...]


class Ledger:
    """The first provider of a claim stands, and so does the first content of a version."""

    def __init__(self) -> None:
        self.accepted: list[EventSpec] = []
        self._owner: dict[str, str] = {}
        self._newest: dict[str, int] = {}
        self._content: dict[tuple[str, int], Content] = {}

    def take(self, batch: Sequence[EventSpec]) -> Merged:
        """What becomes of a batch of `rows`; `changed_rows` is left at 0."""
        outcomes = [self._outcome(event) for event in batch]
        count = Counter(outcomes)
        breaking = {n: word == MISMATCH for n, word in enumerate(outcomes) if word in BREAKING}
        return Merged(count["applied"], count["stale"], count["duplicate"], refused(breaking))

    def _outcome(self, event: EventSpec) -> str:
        claim, provider = event.data["claim_id"], event.data["provider_id"]
        if self._owner.setdefault(claim, provider) != provider:
            return MISMATCH
        content = to_row(event, "", 0, 0)[:SOURCE]
        if event.identity in self._content:
            known = self._content[event.identity]
            return "duplicate" if content == known else CONFLICT
        self._content[event.identity] = content
        self.accepted.append(event)
        return self._applied_or_stale(*event.identity)

    def _applied_or_stale(self, claim: str, version: int) -> str:
        newest = self._newest.get(claim, 0)
        self._newest[claim] = max(newest, version)
        return "stale" if version < newest else "applied"


def counts(merged: Merged) -> Merged:
    """What a ledger can tell of a batch."""
    return replace(merged, changed_rows=0, corrected=0)
