"""The bound on what a record batch inflates to, codec by codec."""

import os

import pytest
from aiokafka import codec
from aiokafka.record._crecords import default_records

from consumers.kafka.inflation import CLIENT_MODULES, InflatesTooFar, bound_inflation

MOST = 256 * 1024
CODECS = ("gzip", "snappy", "lz4", "zstd")


@pytest.fixture(autouse=True)
def bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bound, for this test alone."""
    for module in CLIENT_MODULES:
        for name in CODECS:
            if hasattr(module, f"{name}_decode"):
                original = getattr(module, f"{name}_decode")
                monkeypatch.setattr(module, f"{name}_decode", original)
    bound_inflation(MOST)


def packed(name: str, data: bytes) -> bytes:
    return bytes(getattr(codec, f"{name}_encode")(data))


def unpacked(name: str, data: bytes) -> bytes:
    return bytes(getattr(default_records, f"{name}_decode")(memoryview(data)))


@pytest.mark.parametrize("name", CODECS)
@pytest.mark.parametrize("data", [b"", b"x", os.urandom(1000) * 100, bytes(MOST)])
def test_what_stays_below_it_is_what_was_packed(name: str, data: bytes) -> None:
    assert unpacked(name, packed(name, data)) == data


@pytest.mark.parametrize("name", CODECS)
@pytest.mark.parametrize("size", [MOST + 1, 200 * MOST])
def test_what_goes_beyond_it_is_refused(name: str, size: int) -> None:
    with pytest.raises(InflatesTooFar):
        unpacked(name, packed(name, bytes(size)))


@pytest.mark.parametrize("compatible", [True, False])
def test_snappy_is_read_with_and_without_the_java_clients_blocks(compatible: bool) -> None:
    data = os.urandom(100) * 1000
    sent = bytes(codec.snappy_encode(data, xerial_compatible=compatible))
    assert unpacked("snappy", sent) == data


def test_what_is_broken_is_an_error_too() -> None:
    with pytest.raises(InflatesTooFar):
        unpacked("zstd", packed("zstd", os.urandom(1000))[:-7])
