"""The HTTP server: a thread with an event loop of its own.

So a probe is answered while the service's own loop is stuck, which is what it asks about, and
readers do not wait for batches.
"""

import asyncio
import socket
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from fastapi import FastAPI

GRACE_SECONDS = 5  # for requests in flight, at the end


class _Server(uvicorn.Server):
    """One that tells when it has started, or never will."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.begun = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.begun.set()

    def run_on(self, listening: socket.socket) -> None:
        try:
            asyncio.run(self.serve(sockets=[listening]))
        finally:
            self.begun.set()


@asynccontextmanager
async def served(app: FastAPI, listening: socket.socket) -> AsyncIterator[str]:
    """Serve the application until the block ends; gives its base URL. Takes the socket over."""
    server = _Server(
        uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=GRACE_SECONDS,
        )
    )
    thread = threading.Thread(target=server.run_on, args=[listening], name="http", daemon=True)
    thread.start()
    try:
        await asyncio.to_thread(server.begun.wait)
        host, port = listening.getsockname()[:2]
        yield f"http://{f'[{host}]' if ':' in host else host}:{port}"
    finally:
        server.should_exit = True
        await asyncio.to_thread(thread.join)
        listening.close()
