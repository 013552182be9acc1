"""The file of `claim-analytics erase --export` and `--import`: one JSON object, hashes in hex.

It names nobody. It holds what recognizes an erased id, and when and why it was erased.
"""

from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from repositories.tombstones import HASH_BYTES, KEY_BYTES, ErasureList, Tombstone
from repositories.vocabulary import ErasedKind

HEX = ConfigDict(ser_json_bytes="hex", val_json_bytes="hex", extra="forbid")


class ErasureListError(Exception):
    """The file cannot be written, or is no list of erasures; the text says which file and why."""


class _Tombstone(BaseModel):
    model_config = HEX
    id_hash: Annotated[bytes, Field(min_length=HASH_BYTES, max_length=HASH_BYTES)]
    kind: ErasedKind
    why: str
    erased_at: AwareDatetime


class _File(BaseModel):
    model_config = HEX
    format: Literal["claim-analytics-erasures-1"] = "claim-analytics-erasures-1"
    keys: list[Annotated[bytes, Field(min_length=KEY_BYTES, max_length=KEY_BYTES)]]
    tombstones: list[_Tombstone]


def write_erasure_list(file: Path, erased: ErasureList) -> None:
    """Private to this user, and whole or not at all. Raises ErasureListError."""
    tombstones = [_Tombstone(**vars(tombstone)) for tombstone in erased.tombstones]
    text = _File(keys=list(erased.keys), tombstones=tombstones).model_dump_json(indent=1)
    try:
        with NamedTemporaryFile("w", dir=file.parent, encoding="utf-8", delete=False) as written:
            written.write(f"{text}\n")
        Path(written.name).replace(file)
    except OSError as error:
        raise ErasureListError(f"{file} cannot be written: {error.strerror}") from None


def read_erasure_list(file: Path) -> ErasureList:
    """Raises ErasureListError."""
    try:
        read = _File.model_validate_json(file.read_bytes())
    except OSError as error:
        raise ErasureListError(f"{file} cannot be read: {error.strerror}") from None
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(map(str, first["loc"])) or "the file"
        raise ErasureListError(
            f"{file} is no list of `claim-analytics erase --export`: {place}: {first['msg']}"
        ) from None
    return ErasureList(read.keys, [Tombstone(**dict(one)) for one in read.tombstones])
