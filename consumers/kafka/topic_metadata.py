"""Kafka's Metadata request in the version in which topics have ids, which the client does not know.

Kafka's protocol, MetadataRequest and MetadataResponse, version 12 (brokers from 3.1 on).
"""

from collections.abc import Sequence
from io import BytesIO
from typing import Any

from aiokafka.protocol.abstract import AbstractType
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.metadata import MetadataRequest_v5
from aiokafka.protocol.types import (
    Boolean,
    CompactArray,
    CompactString,
    Int16,
    Int32,
    Schema,
    TaggedFields,
)

WITH_IDS = 12
NO_ID = bytes(16)


class _Uuid(AbstractType[bytes]):  # type: ignore[misc]  # untyped base
    @classmethod
    def encode(cls, value: bytes) -> bytes:
        return value

    @classmethod
    def decode(cls, data: BytesIO) -> bytes:
        return data.read(16)


class _TopicsResponseV12(Response):  # type: ignore[misc]  # untyped base
    API_KEY = 3
    API_VERSION = WITH_IDS
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "brokers",
            CompactArray(
                ("node_id", Int32),
                ("host", CompactString("utf-8")),
                ("port", Int32),
                ("rack", CompactString("utf-8")),
                ("tags", TaggedFields),
            ),
        ),
        ("cluster_id", CompactString("utf-8")),
        ("controller_id", Int32),
        (
            "topics",
            CompactArray(
                ("error_code", Int16),
                ("name", CompactString("utf-8")),
                ("topic_id", _Uuid),
                ("is_internal", Boolean),
                (
                    "partitions",
                    CompactArray(
                        ("error_code", Int16),
                        ("partition", Int32),
                        ("leader", Int32),
                        ("leader_epoch", Int32),
                        ("replicas", CompactArray(Int32)),
                        ("isr", CompactArray(Int32)),
                        ("offline_replicas", CompactArray(Int32)),
                        ("tags", TaggedFields),
                    ),
                ),
                ("authorized_operations", Int32),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class _TopicsRequestV12(RequestStruct):  # type: ignore[misc]  # untyped base
    FLEXIBLE_VERSION = True
    API_KEY = 3
    API_VERSION = WITH_IDS
    RESPONSE_TYPE = _TopicsResponseV12
    SCHEMA = Schema(
        (
            "topics",
            CompactArray(
                ("topic_id", _Uuid), ("name", CompactString("utf-8")), ("tags", TaggedFields)
            ),
        ),
        ("allow_auto_topic_creation", Boolean),
        ("include_topic_authorized_operations", Boolean),
        ("tags", TaggedFields),
    )


class TopicsRequest(Request[MetadataRequest_v5 | _TopicsRequestV12]):  # type: ignore[misc]  # untyped base
    """Topics by name; of an older broker the answer is that of version 5, without ids.

    `permissions`: with what this user may do with each.
    """

    API_KEY = 3

    def __init__(self, names: Sequence[str], *, permissions: bool = False) -> None:
        self._names = names
        self._permissions = permissions

    def build(self, version: type[RequestStruct]) -> Any:
        if version is MetadataRequest_v5:
            return version(self._names, False)
        return version([(NO_ID, name, {}) for name in self._names], False, self._permissions, {})
