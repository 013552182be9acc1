"""JSON Schema of each event's data, from the models that validate it."""

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaValue

from consumers.contracts.registry import Contract

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def data_schema(contract: Contract[BaseModel]) -> JsonSchemaValue:
    """The schema of the data alone, the same in both content modes, without references."""
    schema = contract.data.model_json_schema()
    return {**schema, "title": contract.event.name}


def schema_file(contract: Contract[BaseModel]) -> JsonSchemaValue:
    return {"$schema": DIALECT, **data_schema(contract)}
