"""The issuer's keys, from a real server that changes, fails and lies."""

import asyncio
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from service.http.api import jwks
from service.http.api.jwks import IssuerKeys, KeysUnavailable, read_keys
from tests.harness.issuer import Issuer

OLD, NEW = Issuer(kid="old"), Issuer(kid="new")


class Server(ThreadingHTTPServer):
    """It says `answer`, and counts how often."""

    daemon_threads = True
    answer = b""
    status = 200
    asked = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/jwks.json"

    def publish(self, *issuers: Issuer) -> None:
        self.answer = json.dumps({"keys": [issuer.jwk for issuer in issuers]}).encode()


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:  # the base class finds it by this name
        assert isinstance(self.server, Server)
        self.server.asked += 1
        self.send_response(self.server.status)
        if self.server.status == 302:
            self.send_header("Location", self.server.url + "/elsewhere")
        self.end_headers()
        self.wfile.write(self.server.answer)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def serving() -> Iterator[Server]:
    server = Server(("127.0.0.1", 0), _Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as server:
        server.publish(OLD)
        yield server


async def test_a_new_key_is_fetched_when_a_token_names_it(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jwks, "PAUSE_SECONDS", 0.0)
    keys = IssuerKeys(server.url)
    assert await keys.find("old", "ES256")
    server.publish(NEW)
    assert await keys.find("new", "ES256")
    assert await keys.find("old", "ES256") is None  # withdrawn


async def test_ids_that_are_unknown_do_not_make_it_ask_more_often(server: Server) -> None:
    keys = IssuerKeys(server.url)
    found = await asyncio.gather(*(keys.find(f"id-{n}", "ES256") for n in range(200)))
    assert found == [None] * 200
    assert server.asked == 1


async def test_keys_are_freshened_beside_the_requests(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = IssuerKeys(server.url)
    await keys.find("old", "ES256")
    monkeypatch.setattr(jwks, "PAUSE_SECONDS", 0.0)
    monkeypatch.setattr(jwks, "FRESH_SECONDS", 0.0)
    server.publish(OLD, NEW)
    assert await keys.find("old", "ES256")
    await keys._beside  # type: ignore[misc]  # there is one
    assert {each.kid for each in keys._keys} == {"old", "new"}
    await keys.close()


async def test_the_last_keys_count_while_the_issuer_is_away_and_not_for_ever(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jwks, "PAUSE_SECONDS", 0.0)
    keys = IssuerKeys(server.url)
    await keys.find("old", "ES256")
    server.status = 500
    assert await keys.find("old", "ES256")
    assert await keys.find("other", "ES256") is None
    monkeypatch.setattr(jwks, "MOST_SECONDS", 0.0)
    with pytest.raises(KeysUnavailable):
        await keys.find("old", "ES256")


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        (302, b""),
        (404, b"{}"),
        (200, b""),
        (200, b"[]"),
        (200, b'{"keys": 1}'),
        (200, b'{"keys": []}'),
        (200, b"[" * 10_000),
        (200, b" " * (jwks.MOST_BYTES + 1)),
    ],
    ids=["redirected", "absent", "empty", "no_set", "no_list", "no_key", "deep", "large"],
)
def test_what_is_no_key_set_is_none(server: Server, status: int, answer: bytes) -> None:
    server.status, server.answer = status, answer
    with pytest.raises(KeysUnavailable):
        read_keys(server.url)
    assert server.asked == 1


def test_a_server_that_sends_drop_by_drop_is_given_up(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jwks, "FETCH_SECONDS", 0.3)

    def drip(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        for _ in range(100):
            handler.wfile.write(b" ")
            time.sleep(0.05)  # slower than it may be, and never silent for long

    monkeypatch.setattr(_Handler, "do_GET", drip)
    monkeypatch.setattr(Server, "handle_error", lambda *_: None)  # it is hung up on
    with pytest.raises(KeysUnavailable):
        read_keys(server.url)


def test_keys_for_something_else_are_passed_over(tmp_path: Path) -> None:
    others = [
        {"kty": "oct", "k": "c2VjcmV0", "kid": "shared"},
        {**NEW.jwk, "use": "enc"},
        {**NEW.jwk, "alg": "ES384"},
        {**NEW.jwk, "x": "AAAA"},
        {"kty": "RSA", "n": "AQAB", "e": "AQAB", "kid": "short"},
        {"kty": "AKP", "alg": "ML-DSA-44"},
        "no key",
        {},
    ]
    file = tmp_path / "jwks.json"
    file.write_text(json.dumps({"keys": [*others, OLD.jwk]}))
    assert [key.kid for key in read_keys(str(file))] == ["old"]
    with pytest.raises(KeysUnavailable, match="cannot be read"):
        read_keys(str(tmp_path / "none.json"))
