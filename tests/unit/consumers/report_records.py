"""Good report requests and profiles, as data and as records."""

import json
from typing import Any

from consumers.contracts.refusal import DeadLetter
from consumers.contracts.registry import PROVIDER_UPDATED, REPORT_REQUEST
from consumers.topics.providers import decode_provider_update
from consumers.topics.report_requests import decode_report_request
from repositories.reports.profiles import ProviderUpdate
from repositories.reports.requests import ReportRequest
from tests.unit.consumers.records import EVENT_TIME, KafkaRecord

JWE = "eyJhbGciOiJFQ0RILUVTK0EyNTZLVyJ9.a2V5.aXY.dGV4dA.dGFn"
REQUEST: dict[str, Any] = {
    "report_id": "4e904e57-0000-4000-8000-000000000001",
    "provider_id": "7d1c0b52-6a0e-4f6e-9c55-1f0d1b7a2c01",
    "report_type": "ACCOUNTANT_SUMMARY",
    "format": "PDF",
    "period_start": "2025-01-01",
    "period_end": "2025-12-31",
    "scheduled": True,
    "archive_password": None,
}
EXPORT: dict[str, Any] = {
    **REQUEST,
    "report_type": "DATA_PORTABILITY",
    "format": "ZIP",
    "period_start": None,
    "period_end": None,
    "archive_password": JWE,
}
PROFILE: dict[str, Any] = {
    "provider_id": "7d1c0b52-6a0e-4f6e-9c55-1f0d1b7a2c01",
    "provider_version": 3,
    "first_name": "Łukasz",
    "last_name": "Nguyễn",
    "billing_number": "0123-45678",
    "locations": [
        {
            "location_id": "0f4e2d1c-9b8a-4765-8321-0fedcba98703",
            "name": "Đặng Clinic",
            "rrnp_rate": "12.50",
        }
    ],
}


def record(value: bytes, event_type: str) -> KafkaRecord:
    headers = {"specversion": "1.0", "id": "1", "source": "/x", "type": event_type,
               "time": EVENT_TIME}  # fmt: skip
    return KafkaRecord(value, [(f"ce_{name}", text.encode()) for name, text in headers.items()])


def decoded_request(data: object) -> ReportRequest | DeadLetter:
    return decode_report_request(record(_json(data), REPORT_REQUEST.event.name))


def decoded_profile(data: object) -> ProviderUpdate | DeadLetter:
    return decode_provider_update(record(_json(data), PROVIDER_UPDATED.event.name))


def _json(data: object) -> bytes:
    return data if isinstance(data, bytes) else json.dumps(data).encode()


def request_of(data: object) -> ReportRequest:
    outcome = decoded_request(data)
    assert isinstance(outcome, ReportRequest), outcome
    return outcome


def profile_of(data: object) -> ProviderUpdate:
    outcome = decoded_profile(data)
    assert isinstance(outcome, ProviderUpdate), outcome
    return outcome
