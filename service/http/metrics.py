"""`/metrics`, for Prometheus: text, or OpenMetrics where that is asked for.

It has no token: whoever reaches the port may read it. There is nothing of a patient, a claim or a
provider in it.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import APIRouter, FastAPI, Request, Response
from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector
from prometheus_client.exposition import choose_encoder

from service.telemetry.collector import Numbers

metrics = APIRouter()


@metrics.get("/metrics")
async def read_metrics(request: Request) -> Response:
    state = request.app.state
    await state.numbers.fleet.refresh(state.database)
    try:
        encode, media_type = choose_encoder(request.headers.get("accept", ""))
    except (ValueError, TypeError):  # a version that is no number
        encode, media_type = choose_encoder("")
    return Response(encode(state.registry), headers={"content-type": media_type})


@asynccontextmanager
async def collecting(app: FastAPI) -> AsyncIterator[None]:
    """While the application is served, once it has its database."""
    process, database = app.state.process, app.state.database
    pools = {"service": process.pool_use, "http": lambda: database.pool_use}
    app.state.numbers = Numbers(process.progress, pools)
    app.state.registry = registry = CollectorRegistry()
    registry.register(app.state.numbers)
    for collector in (ProcessCollector, PlatformCollector, GCCollector):
        collector(registry=registry)
    try:
        yield
    finally:
        await app.state.numbers.fleet.close()
