"""What the platform around the service would publish: physicians' profiles, report requests."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from pydantic import BaseModel

from consumers.contracts.registry import PROVIDER_UPDATED, REPORT_REQUEST, Contract
from service.demo.places import place_name
from service.demo.wishes import Wish
from service.kafka import Message
from service.settings import Settings
from service.simulator import SimulatedProvider

SOURCE = "/claim-analytics/demo"


def profile(settings: Settings, provider: SimulatedProvider, at: datetime) -> Message:
    """The first version of a physician's profile."""
    first_name, last_name = provider.name.removeprefix("Dr. ").split(" ", 1)
    data = {
        "provider_id": provider.provider_id,
        "provider_version": 1,
        "first_name": first_name,
        "last_name": last_name,
        "billing_number": _billing_number(provider.provider_id),
        "locations": [
            {
                "location_id": location.location_id,
                "name": place_name(location.location_id),
                "rrnp_rate": str(int(location.rrnp_rate * 100)),  # in percent
            }
            for location in provider.locations
        ],
    }
    return _event(settings, PROVIDER_UPDATED, provider.key, data, at)


def request(settings: Settings, provider: SimulatedProvider, wish: Wish, at: datetime) -> Message:
    data = {
        "report_id": str(wish.report_id),
        "provider_id": provider.provider_id,
        "report_type": wish.report_type,
        "format": wish.format,
        "period_start": wish.period_start and wish.period_start.isoformat(),
        "period_end": wish.period_end and wish.period_end.isoformat(),
    }
    return _event(settings, REPORT_REQUEST, provider.key, data, at)


def _billing_number(provider_id: str) -> str:
    number = UUID(provider_id).int
    return f"{number % 10**4:04}-{number // 10**4 % 10**5:05}"


def _event(
    settings: Settings,
    contract: Contract[BaseModel],
    key: bytes,
    data: Mapping[str, Any],
    at: datetime,
) -> Message:
    """A CloudEvent in binary mode."""
    headers = {
        "ce_specversion": "1.0",
        "ce_id": str(uuid4()),
        "ce_source": SOURCE,
        "ce_type": contract.event.name,
        "ce_time": at.isoformat(),
        "content-type": "application/json",
    }
    topic = settings.topic(contract.topic)
    encoded = [(name, value.encode()) for name, value in headers.items()]
    return Message(topic, key, json.dumps(data).encode(), encoded)
