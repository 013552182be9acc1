"""Parsed JSON to a data model, or a refusal that names fields and rules and quotes nothing."""

from collections.abc import Iterable
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from consumers.dead_letters import DeadLetterReason, RefusedError

MAX_FIELDS_NAMED = 5

_Model = TypeVar("_Model", bound=BaseModel)


def validated(model: type[_Model], data: object) -> _Model:
    """The data as `model`; `RefusedError` (`invalid-field`) if a field breaks its own rule."""
    if not isinstance(data, dict):
        raise RefusedError(DeadLetterReason.INVALID_FIELD, "data: must be a JSON object")
    try:
        return model.model_validate(data)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_context=False, include_input=False)
        names = [str(problem["loc"][0]) for problem in problems]
        raise field_refusal(model, names) from None


def field_refusal(model: type[BaseModel], names: Iterable[str]) -> RefusedError:
    """The refusal of data for these fields of `model`, each with the sentence of its rule.

    Pydantic's own messages are of no use here: some of them quote the input.
    """
    broken = dict.fromkeys(names)
    shown = [f"{name}: must be {model.model_fields[name].description}" for name in broken]
    more = len(shown) - MAX_FIELDS_NAMED
    rest = [f"and {more} more"] if more > 0 else []
    return RefusedError(DeadLetterReason.INVALID_FIELD, "; ".join(shown[:MAX_FIELDS_NAMED] + rest))
