"""A Kafka record to a row for the database, or to a dead letter. Pure: no I/O, no clock.

Whatever a record holds, nothing here raises: it is an event or a dead letter. The same record gives
the same answer at any time and in any process.
"""

from collections.abc import Callable, Iterable
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from consumers.contracts.claims import ClaimData
from consumers.contracts.envelope import CloudEvent, read_cloudevent
from consumers.contracts.refusal import DeadLetter, DeadLetterReason, Record, RefusedError
from consumers.contracts.registry import ClaimContract, Contract
from repositories.claims.rows import ClaimEventRow, copy_line

MAX_FIELDS_NAMED = 5

Data = TypeVar("Data", bound=BaseModel)
Event = TypeVar("Event")


def decode_claim(record: Record, contract: ClaimContract) -> bytes | DeadLetter:
    """As `decode`, with the row as a line for COPY: see `repositories.claims.rows.copy_line`."""
    if contract.ordinary and (line := contract.ordinary.line(record)) is not None:
        return line
    outcome = decode(record, contract)
    return outcome if isinstance(outcome, DeadLetter) else copy_line(outcome)


def decode(record: Record, contract: ClaimContract) -> ClaimEventRow | DeadLetter:
    """The record as the claim event of `contract`, whose default topic name does not matter here.

    Fields go to the columns of their names, and what the model derives to its own; columns that
    the event does not have are None.
    """

    def row(event: CloudEvent, data: ClaimData) -> ClaimEventRow:
        rules = data.cross_rules(event.time)
        if not all(rules.values()):
            raise _field_refusal(type(data), [name for name, holds in rules.items() if not holds])
        columns = {
            "explanatory_codes": [],
            **data.__dict__,
            "state": contract.state,
            "occurred_at": event.time,
            "source_topic": record.topic,
            "source_partition": record.partition,
            "source_offset": record.offset,
            **data.derived(),
        }
        return ClaimEventRow._make(map(columns.get, ClaimEventRow._fields))

    return decode_event(record, contract, row)


def decode_event(
    record: Record, contract: Contract[Data], make: Callable[[CloudEvent, Data], Event]
) -> Event | DeadLetter:
    """What `make` makes of the record as the event of `contract`; it may raise RefusedError."""
    try:
        event = read_cloudevent(record, contract.event)
        return make(event, validated(contract.data, event.data))
    except RefusedError as refusal:
        return DeadLetter(refusal.reason, refusal.detail, record)


def validated(model: type[Data], data: object) -> Data:
    """The data as `model`; `RefusedError` (`invalid-field`) if a field breaks its own rule."""
    if not isinstance(data, dict):
        raise RefusedError(DeadLetterReason.INVALID_FIELD, "data: must be a JSON object")
    try:
        return model.model_validate(data)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_context=False, include_input=False)
        names = [str(problem["loc"][0]) for problem in problems]
        raise _field_refusal(model, names) from None


def _field_refusal(model: type[BaseModel], names: Iterable[str]) -> RefusedError:
    """The refusal of data for these fields of `model`, each with the sentence of its rule.

    Pydantic's own messages are of no use here: some of them quote the input.
    """
    broken = dict.fromkeys(names)
    shown = [f"{name}: must be {model.model_fields[name].description}" for name in broken]
    more = len(shown) - MAX_FIELDS_NAMED
    rest = [f"and {more} more"] if more > 0 else []
    return RefusedError(DeadLetterReason.INVALID_FIELD, "; ".join(shown[:MAX_FIELDS_NAMED] + rest))
