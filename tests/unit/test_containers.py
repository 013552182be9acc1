"""Where the tests' servers come from on a machine whose Docker engine is of no use."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingUnixStreamServer
from typing import ClassVar

import pytest

from tests.containers import docker_answers


class _Engine(BaseHTTPRequestHandler):
    """Docker's API as far as it is asked here: it has no image, and no way to one."""

    pulled: ClassVar[list[str]] = []
    answers_pulls_with: ClassVar[bytes] = b""

    def address_string(self) -> str:
        return "a Unix socket has no addresses"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base's name
        pass

    def do_GET(self) -> None:  # the base's name for it
        body = b"[]" if "/images/" in self.path else b'{"ApiVersion": "1.44"}'
        self.wfile.write(
            b"HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n"
            b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
        )

    def do_POST(self) -> None:  # the base's name for it
        self.pulled.append(self.path)
        self.wfile.write(self.answers_pulls_with)


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[type[_Engine]]:
    socket = tmp_path / "docker.sock"
    monkeypatch.setenv("DOCKER_HOST", f"unix://{socket}")
    monkeypatch.setattr(_Engine, "pulled", [])
    with ThreadingUnixStreamServer(str(socket), _Engine) as server:
        thread = threading.Thread(target=server.serve_forever, args=[0.02])
        thread.start()
        yield _Engine
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    "answer",
    [
        (
            b"HTTP/1.0 500 Error\r\nContent-Type: application/json\r\n\r\n"
            b'{"message": "dial tcp: lookup registry: no such host"}'
        ),
        b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10\r\n{"status"',
    ],
    ids=["refused", "broken off"],
)
def test_an_engine_that_cannot_pull_leaves_the_tests_to_the_stack(
    engine: type[_Engine], monkeypatch: pytest.MonkeyPatch, answer: bytes
) -> None:
    monkeypatch.setattr(engine, "answers_pulls_with", answer)
    assert not docker_answers.__wrapped__()
    assert len(engine.pulled) == 1


def test_without_an_engine_nothing_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/nobody.sock")
    assert not docker_answers.__wrapped__()
