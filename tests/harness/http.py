"""The HTTP side of the service, served for a test; and that of a process."""

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from service.http.address import listen
from service.http.app import build_app
from service.http.process import ServedProcess
from service.http.server import served
from service.settings import Settings
from tests.harness.waiting import LONG, until_async


@asynccontextmanager
async def http_client(
    settings: Settings, process: ServedProcess | None = None
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a real server on a free port, with these settings."""
    app = build_app(process or ServedProcess(settings))
    async with (
        served(app, listen("127.0.0.1:0")) as url,
        httpx.AsyncClient(base_url=url, trust_env=False, timeout=LONG) as client,
    ):
        yield client


def free_address() -> str:
    """A loopback address on which nothing listens at the moment."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return f"127.0.0.1:{listening.getsockname()[1]}"


@dataclass(frozen=True)
class Probe:
    """What a probe of a process was answered: 0 where nothing listens."""

    code: int
    said: dict[str, Any]


async def probe(address: str, which: str) -> Probe:
    """Ask `live`, `ready` or `status` of who listens there, as an orchestrator does."""
    # A connection of its own, as an orchestrator's probe has; without the time for certificates.
    async with httpx.AsyncClient(
        base_url=f"http://{address}", trust_env=False, verify=False
    ) as client:
        try:
            answer = await client.get(f"/healthz/{which}", timeout=LONG)
        except httpx.TransportError:
            return Probe(0, {})
    return Probe(answer.status_code, answer.json())


async def answers(address: str, which: str, code: int, within: float = LONG) -> Probe:
    """The first answer with this code."""

    async def asked() -> Probe | None:
        found = await probe(address, which)
        return found if found.code == code else None

    found = await until_async(asked, f"{code} from /healthz/{which}", within)
    assert found is not None
    return found
