"""The HTTP side on a real port: clients that ask too much of it, and its death."""

import asyncio
import socket
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from fastapi import FastAPI, Request, Response
from fastapi.responses import StreamingResponse

from service.http import limits
from service.http.address import listen
from service.http.app import build_app
from service.http.errors import AddressNotFree, HttpServerEnded
from service.http.process import ServedProcess
from service.http.server import served
from service.settings import Settings
from tests.harness.waiting import LONG

SECRET = "what an error quotes"
PIECE = b"a" * 64 * 1024


@pytest.fixture
async def served_app() -> AsyncIterator[tuple[FastAPI, int]]:
    """The app of a process whose database is never asked, with two routes for the tests."""
    app = build_app(ServedProcess(Settings()))
    app.state.ended = asyncio.Event()
    loop = asyncio.get_running_loop()

    async def endless() -> AsyncIterator[bytes]:
        try:
            while True:
                yield PIECE
                await asyncio.sleep(0)  # as whatever reads what it gives does
        finally:
            loop.call_soon_threadsafe(app.state.ended.set)

    @app.post("/length")
    async def length(request: Request) -> Response:
        return Response(str(len(await request.body())))

    @app.get("/endless")
    async def answer() -> Response:
        return StreamingResponse(endless())

    async with served(app, listen("127.0.0.1:0")) as url:
        yield app, int(url.rpartition(":")[2])


@asynccontextmanager
async def _connected(port: int) -> AsyncIterator[tuple[StreamReader, StreamWriter]]:
    """A client that takes no more than it is told to read."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()
        await asyncio.sleep(0)  # for the socket to be closed


async def _said(port: int, *pieces: bytes) -> bytes:
    """What is answered to these bytes until the server closes the connection."""
    async with _connected(port) as (reader, writer):
        try:
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
            return await asyncio.wait_for(reader.read(), LONG)
        except ConnectionError:
            return b""


def test_no_part_of_an_answer_waits_until_the_part_before_it_is_acknowledged() -> None:
    with (
        listen("127.0.0.1:0") as listening,
        socket.create_connection(listening.getsockname()) as _,
        listening.accept()[0] as accepted,
    ):
        assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


async def test_a_request_that_does_not_come_to_its_end_is_broken_off(
    served_app: tuple[FastAPI, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "REQUEST_SECONDS", 0.3)
    _, port = served_app
    head = b"POST /length HTTP/1.1\r\nHost: here\r\n"
    whole = head + b"Content-Length: 2\r\nConnection: close\r\n\r\nab"
    for slow in (b"", head, head + b"Content-Length: 9\r\n\r\nabc"):
        assert await _said(port, slow) == b""
    assert (await _said(port, whole)).endswith(b"\r\n\r\n2")


async def test_heads_and_bodies_that_are_too_large_are_refused(
    served_app: tuple[FastAPI, int],
) -> None:
    _, port = served_app
    head = b"POST /length HTTP/1.1\r\nHost: here\r\nConnection: close\r\n"
    assert len(PIECE) > limits.MOST_HEAD_BYTES
    assert b" 400 " in (await _said(port, head + b"X-Long: " + PIECE)).split(b"\r\n")[0]
    chunks = [b"%x\r\n%s\r\n" % (len(PIECE), PIECE)] * (limits.MOST_BODY_BYTES // len(PIECE))
    # One byte more: with much more under way, TCP's reset can overtake the answer.
    answer = await _said(port, head + b"Transfer-Encoding: chunked\r\n\r\n", *chunks, b"1\r\na")
    assert b" 413 " in answer.split(b"\r\n")[0]


async def test_a_client_that_takes_nothing_of_its_answer_is_given_up(
    served_app: tuple[FastAPI, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "STALLED_SECONDS", 0.3)
    app, port = served_app
    async with _connected(port) as (_, writer):
        writer.write(b"GET /endless HTTP/1.1\r\nHost: here\r\n\r\n")
        await asyncio.wait_for(app.state.ended.wait(), LONG)


async def test_connections_are_bounded_and_those_that_are_there_go_on(
    served_app: tuple[FastAPI, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MOST_CONNECTIONS", 1)
    _, port = served_app
    async with _connected(port) as (reader, writer):
        writer.write(b"GET /healthz/live HTTP/1.1\r\nHost: here\r\n")
        await asyncio.sleep(0.2)  # the server takes connections in turn: it has this one
        assert await _said(port, b"GET /healthz/live HTTP/1.1\r\nHost: here\r\n\r\n") == b""
        writer.write(b"\r\n")
        assert b" 200 " in await asyncio.wait_for(reader.read(15), LONG)


async def test_a_server_that_ends_by_itself_is_told_and_raised() -> None:
    app = build_app(ServedProcess(Settings()))
    ended = asyncio.Event()

    @app.get("/end")
    async def end() -> None:
        for task in asyncio.all_tasks():
            task.cancel()  # as a bug in the server's own loop would

    async def until_it_ends() -> None:
        async with (
            served(app, listen("127.0.0.1:0"), ended.set) as url,
            _connected(int(url.rpartition(":")[2])) as (_, writer),
        ):
            writer.write(b"GET /end HTTP/1.1\r\nHost: here\r\n\r\n")
            await asyncio.wait_for(ended.wait(), LONG)

    with pytest.raises(HttpServerEnded):
        await until_it_ends()


def test_an_address_that_is_taken_is_named() -> None:
    with listen("127.0.0.1:0") as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(AddressNotFree, match=f"{address} cannot be listened on"):
            listen(address)


async def test_a_server_that_does_not_start_is_raised_at_once_and_its_place_is_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    @asynccontextmanager
    async def broken(_: FastAPI) -> AsyncIterator[None]:
        raise ValueError(SECRET)
        yield

    with pytest.raises(HttpServerEnded):
        async with served(FastAPI(lifespan=broken), listen("127.0.0.1:0")):
            pass
    assert "the HTTP application did not start: File" in caplog.text
    assert SECRET not in caplog.text
