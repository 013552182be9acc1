"""The strict way and the fast one, side by side."""

from consumers.contracts.decode import decode, decode_claim
from consumers.contracts.refusal import DeadLetter
from consumers.contracts.registry import ClaimContract
from tests.unit.consumers.copy_lines import row_of
from tests.unit.consumers.records import KafkaRecord


def agree(record: KafkaRecord, contract: ClaimContract) -> bool:
    """Whether the record took the fast way, after both ways were found to agree."""
    strict = decode(record, contract)
    outcome = decode_claim(record, contract)
    if isinstance(outcome, DeadLetter):
        assert outcome == strict
    else:
        assert row_of(outcome) == strict
    line = contract.ordinary.line(record) if contract.ordinary else None
    assert line is None or line == outcome
    return line is not None
