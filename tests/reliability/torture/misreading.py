"""`claim-analytics` with a decoder that takes a good event for garbage now and then.

As a faulty version would: what it has dead-lettered must be applied once it is sent back.
"""

from importlib.metadata import entry_points
from typing import Any
from zlib import crc32

from consumers.contracts.refusal import DeadLetter, DeadLetterReason, Record
from consumers.engine.subscription import Decode
from consumers.topics.claims import CLAIMS
from consumers.topics.suggestions import AI_SUGGESTIONS

ONE_IN = 6


def faulty(decode: Decode[Any]) -> Decode[Any]:
    def decode_or_not(record: Record) -> Any:
        if crc32(record.value or b"") % ONE_IN == 0:
            return DeadLetter(DeadLetterReason.INVALID_FIELD, "value: a fault", record)
        return decode(record)

    return decode_or_not


if __name__ == "__main__":
    for subscription in (CLAIMS, AI_SUGGESTIONS):
        decoders: Any = subscription.decoders
        for topic, decode in [*decoders.items()]:
            decoders[topic] = faulty(decode)
    [program] = entry_points(group="console_scripts", name="claim-analytics")
    program.load()()
