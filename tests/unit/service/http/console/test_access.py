"""Who is let in without tokens, and which posts are of the console's own pages."""

import pytest
from starlette.datastructures import Headers

from service.http.console.access import Access, Refused, check_origin, host_of, is_loopback
from service.settings import Settings
from tests.unit.service.http.console.test_sessions import ANN_KEPT

OWN = Access(Settings(console_tokens=None))
OTHERS = Access(Settings.model_validate({"console_tokens": ANN_KEPT.line}))


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"])
def test_names_of_this_machine(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host", ["", "10.0.0.1", "localhost.evil.test", "127.0.0.1.evil.test", "0x7f000001", "0.0.0.0"]
)
def test_names_that_are_not(host: str) -> None:
    assert not is_loopback(host)


@pytest.mark.parametrize(
    ("header", "host"),
    [
        ("localhost:8080", "localhost"),
        ("[::1]:8080", "::1"),
        ("[::1", ""),
        ("a b", "a b"),
        ("", ""),
    ],
)
def test_the_host_of_a_header(header: str, host: str) -> None:
    assert host_of(header) == host


@pytest.mark.parametrize(
    ("peer", "headers"),
    [
        ("10.1.2.3", {"host": "localhost:8080"}),  # from another machine, whatever it says
        ("127.0.0.1", {"host": "evil.test:8080"}),  # a name that was made to lead here
        ("127.0.0.1", {"host": "127.0.0.1.evil.test"}),
        ("127.0.0.1", {}),
        ("127.0.0.1", {"host": "localhost", "x-forwarded-for": "127.0.0.1"}),  # by a proxy
        ("127.0.0.1", {"host": "localhost", "forwarded": "for=10.0.0.1"}),
        ("", {"host": "localhost"}),
    ],
)
def test_without_tokens_only_this_machine_is_served(peer: str, headers: dict[str, str]) -> None:
    with pytest.raises(Refused):
        OWN.check_sender(peer, Headers(headers))
    OTHERS.check_sender(peer, Headers(headers))  # tokens decide there


@pytest.mark.parametrize("peer", ["127.0.0.1", "::1"])
@pytest.mark.parametrize("host", ["localhost:8080", "127.0.0.1:1", "[::1]:8080"])
def test_this_machine_is_served_without_tokens(peer: str, host: str) -> None:
    OWN.check_sender(peer, Headers({"host": host}))


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site", "host": "c.test"},
        {"sec-fetch-site": "same-site", "host": "c.test", "origin": "https://c.test"},
        {"sec-fetch-site": "none", "host": "c.test"},
        {"origin": "https://evil.test", "host": "c.test"},
        {"origin": "null", "host": "c.test"},
        {"origin": "https://c.test:444", "host": "c.test"},
    ],
)
def test_posts_of_other_sites_are_refused(headers: dict[str, str]) -> None:
    with pytest.raises(Refused):
        check_origin(Headers(headers))


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "same-origin", "host": "behind-a-proxy", "origin": "https://c.test"},
        {"origin": "https://c.test", "host": "c.test"},
        {"host": "c.test"},  # no browser; cookie and proof are needed all the same
    ],
)
def test_posts_of_its_own_pages_are_not(headers: dict[str, str]) -> None:
    check_origin(Headers(headers))
