"""The web application: which routes there are, and what they share."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from fastapi import FastAPI

from consumers.engine.subscription import Progress
from service import wiring
from service.http.console.site import add_console
from service.http.health import health
from service.settings import Settings


@dataclass(frozen=True)
class ServedProcess:
    """What routes may know of the process that serves them. `progress` is by subscription.

    It belongs to another thread's event loop: read it, and await nothing of it.
    """

    settings: Settings
    progress: Mapping[str, Progress] = field(default_factory=dict)


def build_app(process: ServedProcess) -> FastAPI:
    """`app.state` has `process`, and while it is served `database`: a pool of its own loop."""

    @asynccontextmanager
    async def opened(app: FastAPI) -> AsyncIterator[None]:
        app.state.database = wiring.database(process.settings)
        try:
            yield
        finally:
            await app.state.database.close()

    app = FastAPI(
        title="Claim Analytics", docs_url=None, redoc_url=None, openapi_url=None, lifespan=opened
    )
    app.state.process = process
    for router in (health,):
        app.include_router(router)
    add_console(app, process.settings)
    return app
