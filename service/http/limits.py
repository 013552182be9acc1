"""What one client may take of the HTTP side: connections, bytes and time.

The process's other work has the same files and the same memory, and must not miss them.
"""

import asyncio
from typing import Any

import h11
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

MOST_CONNECTIONS = 500
MOST_HEAD_BYTES = 32 * 1024  # of a request's line and headers together
MOST_BODY_BYTES = 1024 * 1024
REQUEST_SECONDS = 20.0  # for a request to arrive, its body included
STALLED_SECONDS = 60.0  # for a client that takes nothing of its answer

ARRIVING = {h11.IDLE, h11.SEND_BODY}  # what h11 says of a client whose request is not complete


class BoundedProtocol(H11Protocol):
    """Breaks off with clients that are too many, or too slow. h11 itself bounds heads."""

    _arriving: asyncio.TimerHandle | None = None
    _stalled: asyncio.TimerHandle | None = None

    # A narrower type: TCP's.
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > MOST_CONNECTIONS:
            transport.abort()
        self._time_the_request()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._time_the_request()

    def connection_lost(self, exc: Exception | None) -> None:
        for timer in (self._arriving, self._stalled):
            if timer:
                timer.cancel()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._stalled = self.loop.call_later(STALLED_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._stalled:
            self._stalled.cancel()

    def _time_the_request(self) -> None:
        arriving = self.conn.their_state in ARRIVING
        if arriving and self._arriving is None:
            self._arriving = self.loop.call_later(REQUEST_SECONDS, self.transport.abort)
        elif self._arriving and not arriving:
            self._arriving.cancel()
            self._arriving = None


class BoundedBodies:
    """Middleware: a body that is too large is answered with 413, and the rest of it not read."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        received = 0

        async def bounded() -> Message:
            nonlocal received
            message: dict[str, Any] = dict(await receive())
            received += len(message.get("body", b""))
            if received > MOST_BODY_BYTES:
                raise HTTPException(413)
            return message

        await self._app(scope, bounded, send)
