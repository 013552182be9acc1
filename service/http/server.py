"""The HTTP server: a thread with an event loop of its own.

So a probe is answered while the service's own loop is stuck, which is what it asks about, and
readers do not wait for batches.
"""

import asyncio
import logging
import socket
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import uvicorn
from fastapi import FastAPI

from service.http.errors import HttpServerEnded
from service.http.limits import MOST_HEAD_BYTES, BoundedProtocol
from service.logs import tell_unheard_errors

log = logging.getLogger(__name__)


def _without_text(record: logging.LogRecord) -> bool:
    """Of the traceback that uvicorn writes where the application does not start, the place alone:
    an error's text can quote anything."""
    places = [line.strip() for line in record.getMessage().splitlines() if "  File " in line]
    if places:
        record.msg, record.args = f"the HTTP application did not start: {places[-1]}", ()
    return True


_uvicorn = logging.getLogger("uvicorn.error")
_uvicorn.setLevel(logging.ERROR)  # what clients send that is no HTTP is no warning of ours
_uvicorn.addFilter(_without_text)

ENDED = "The HTTP server has ended by itself: its error is in the log."
GRACE_SECONDS = 5  # for requests in flight, at the end
GOODBYE_SECONDS = 15  # for all of the end; a request that is stuck keeps no process from ending


class _Server(uvicorn.Server):
    """One that tells when it has started, or never will, and when it ends by itself."""

    def __init__(self, config: uvicorn.Config, if_it_ends: Callable[[], object]) -> None:
        super().__init__(config)
        self.begun = threading.Event()
        self.ended_by_itself = False
        self._if_it_ends = if_it_ends

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        tell_unheard_errors(asyncio.get_running_loop())
        await super().startup(sockets)
        self.begun.set()

    async def _serve_on(self, listening: socket.socket) -> None:
        try:
            await self.serve(sockets=[listening])
        finally:  # however it ended: clients that are left learn of it at once
            for connection in list(self.server_state.connections):
                connection.transport.abort()
            await asyncio.sleep(0)  # each connection closes in a turn of the loop

    def run_on(self, listening: socket.socket) -> None:
        try:
            asyncio.run(self._serve_on(listening))
        except BaseException as error:  # noqa: BLE001  # whatever it is, who waits must learn of it
            log.error("the HTTP server failed", extra={"error": type(error).__name__})
        finally:
            self.ended_by_itself = not self.should_exit
            self.begun.set()
            if self.ended_by_itself:
                self._if_it_ends()


@asynccontextmanager
async def served(
    app: FastAPI, listening: socket.socket, if_it_ends: Callable[[], object] = lambda: None
) -> AsyncIterator[str]:
    """Serve the application until the block ends; gives its base URL. Takes the socket over.

    If the server ends before that, `if_it_ends` is called in this loop, and HttpServerEnded raised
    at the end of the block; at once if it does not start.
    """
    loop = asyncio.get_running_loop()
    server = _Server(
        uvicorn.Config(
            app,
            http=BoundedProtocol,
            ws="none",
            lifespan="on",
            h11_max_incomplete_event_size=MOST_HEAD_BYTES,
            proxy_headers=False,  # who asks is who has connected, whatever a header says
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=GRACE_SECONDS,
        ),
        lambda: loop.call_soon_threadsafe(if_it_ends),
    )
    thread = threading.Thread(target=server.run_on, args=[listening], name="http", daemon=True)
    thread.start()
    try:
        await asyncio.to_thread(server.begun.wait)
        if server.ended_by_itself:
            raise HttpServerEnded(ENDED)
        host, port = listening.getsockname()[:2]
        yield f"http://{f'[{host}]' if ':' in host else host}:{port}"
    finally:
        server.should_exit = True
        await asyncio.to_thread(thread.join, GOODBYE_SECONDS)
        listening.close()
    if server.ended_by_itself:
        raise HttpServerEnded(ENDED)
