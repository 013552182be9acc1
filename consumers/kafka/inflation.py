"""A bound on what a compressed record batch may inflate to.

The client inflates a batch whole, in one call: a megabyte on the wire can become a gigabyte in
memory. It has no setting for that, so its codecs are replaced by ones that stop at a limit.
"""

import logging
import struct
import zlib
from collections.abc import Callable
from typing import Any

import cramjam
from aiokafka.record import default_records, legacy_records
from aiokafka.record._crecords import default_records as fast_default_records
from aiokafka.record._crecords import legacy_records as fast_legacy_records

log = logging.getLogger(__name__)

# Each has the codecs under names of its own.
CLIENT_MODULES = (default_records, legacy_records, fast_default_records, fast_legacy_records)
LARGE_BYTES = 8 * 1024 * 1024  # worth a line in the log
XERIAL = b"\x82SNAPPY\x00"  # what the Java client puts before its snappy blocks
XERIAL_HEADER_BYTES = 16
GZIP = 31  # zlib's word for it


class InflatesTooFar(Exception):
    """A record batch is larger than the limit, or is broken: its codec does not say which."""


def bound_inflation(most_bytes: int) -> None:
    """From now on no record batch in this process may inflate to more than this."""
    codecs = {
        "gzip_decode": lambda data: _gunzipped(data, most_bytes),
        "snappy_decode": lambda data: _unsnapped(data, most_bytes),
        "lz4_decode": lambda data: _within(cramjam.lz4.decompress_into, data, most_bytes),
        "zstd_decode": lambda data: _within(cramjam.zstd.decompress_into, data, most_bytes),
    }
    for module in CLIENT_MODULES:
        for name, decode in codecs.items():
            if hasattr(module, name):
                setattr(module, name, _watched(decode))


def _watched(decode: Callable[[Any], bytes]) -> Callable[[Any], bytes]:
    def decoded(data: Any) -> bytes:
        inflated = decode(data)
        if len(inflated) > LARGE_BYTES:
            log.warning("a record batch inflated to %d bytes", len(inflated))
        return inflated

    return decoded


def _gunzipped(data: Any, most: int) -> bytes:
    inflater = zlib.decompressobj(GZIP)
    inflated = inflater.decompress(bytes(data), most)
    if not inflater.eof:
        raise InflatesTooFar
    return inflated


def _within(decompress_into: Callable[[Any, Any], int], data: Any, most: int) -> bytes:
    room = bytearray(most)  # zeroed by the system page by page, as it is written to
    try:
        length = decompress_into(bytes(data), room)
    except cramjam.DecompressionError:
        raise InflatesTooFar from None
    return bytes(memoryview(room)[:length])


def _unsnapped(data: Any, most: int) -> bytes:
    payload = bytes(data)
    if not payload.startswith(XERIAL):
        blocks = [payload]
    else:
        blocks, at = [], XERIAL_HEADER_BYTES
        while at < len(payload):
            (size,) = struct.unpack_from("!i", payload, at)
            blocks.append(payload[at + 4 : at + 4 + size])
            at += 4 + size
    if sum(cramjam.snappy.decompress_raw_len(block) for block in blocks) > most:
        raise InflatesTooFar
    return b"".join(bytes(cramjam.snappy.decompress_raw(block)) for block in blocks)
