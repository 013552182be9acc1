"""A Kafka record to a row for the database, or to a dead letter. Pure: no I/O, no clock."""

from typing import TypeVar

from pydantic import BaseModel

from consumers.cloudevents import CloudEvent, read_cloudevent
from consumers.contracts.claim_data import ClaimData
from consumers.contracts.registry import ClaimContract, Contract
from consumers.contracts.validation import field_refusal, validated
from consumers.dead_letters import DeadLetter, Record, RefusedError
from repositories.claim_rows import ClaimEventRow

Data = TypeVar("Data", bound=BaseModel)


def read_event(record: Record, contract: Contract[Data]) -> tuple[CloudEvent, Data]:
    """The record as the event of `contract`; RefusedError if it is none, or breaks a rule."""
    event = read_cloudevent(record, contract.event)
    return event, validated(contract.data, event.data)


def decode(record: Record, contract: ClaimContract) -> ClaimEventRow | DeadLetter:
    """The record as the event of `contract`, whose default topic name does not matter here.

    Whatever a record holds, this raises nothing: it is a row or a dead letter. The same record
    gives the same answer at any time and in any process.
    """
    try:
        event, data = read_event(record, contract)
        _check_cross_rules(data, event)
    except RefusedError as refusal:
        return DeadLetter(refusal.reason, refusal.detail, record)
    return _row(record, contract, event, data)


def _check_cross_rules(data: ClaimData, event: CloudEvent) -> None:
    rules = data.cross_rules(event.time)
    if not all(rules.values()):
        broken = [field for field, holds in rules.items() if not holds]
        raise field_refusal(type(data), broken)


def _row(
    record: Record, contract: ClaimContract, event: CloudEvent, data: ClaimData
) -> ClaimEventRow:
    """Fields go to the columns of their names; columns that the event does not have are None."""
    columns = {
        **data.__dict__,
        "state": contract.state,
        "occurred_at": event.time,
        "source_topic": record.topic,
        "source_partition": record.partition,
        "source_offset": record.offset,
    }
    return ClaimEventRow._make(map(columns.get, ClaimEventRow._fields))
