"""The web application: which routes there are, and what they share."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from service import wiring
from service.http.api.app import build_api, mounted, reading_opened
from service.http.console.site import add_console
from service.http.health import health
from service.http.limits import BoundedBodies
from service.http.metrics import collecting, metrics
from service.http.process import ServedProcess
from service.http.readiness import Readiness


def build_app(process: ServedProcess) -> FastAPI:
    """`app.state` has `process`, and while it is served `database`, a pool of its own loop, and
    `readiness`."""

    api = build_api()

    @asynccontextmanager
    async def opened(app: FastAPI) -> AsyncIterator[None]:
        app.state.database = wiring.database(process.settings)
        # A connection of its own: readers who have taken all of the pool make nobody unready.
        looking = wiring.database(process.settings, pool_size=1)
        app.state.readiness = Readiness(process, looking)
        try:
            async with collecting(app), reading_opened(api, process.settings, app.state.database):
                yield
        finally:
            await app.state.database.close()
            await looking.close()

    app = FastAPI(
        title="Claim Analytics", docs_url=None, redoc_url=None, openapi_url=None, lifespan=opened
    )
    app.state.process = process
    app.add_middleware(BoundedBodies)
    for router in (health, metrics):
        app.include_router(router)
    add_console(app, process.settings)
    app.router.routes.append(mounted(api))
    return app
