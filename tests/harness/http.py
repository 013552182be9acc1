"""The HTTP side of the service, served for a test."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from service.http.address import listen
from service.http.app import ServedProcess, build_app
from service.http.server import served
from service.settings import Settings


@asynccontextmanager
async def http_client(
    settings: Settings, process: ServedProcess | None = None
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a real server on a free port, with these settings."""
    app = build_app(process or ServedProcess(settings))
    async with (
        served(app, listen("127.0.0.1:0")) as url,
        httpx.AsyncClient(base_url=url, trust_env=False) as client,
    ):
        yield client
