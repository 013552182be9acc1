"""Where the HTTP side listens."""

import socket

from service.http.errors import AddressNotFree

DEFAULT_ADDRESS = "127.0.0.1:8080"


def listen(address: str) -> socket.socket:
    """A socket that listens there; port 0 takes any. Raises AddressNotFree."""
    host, _, port = address.rpartition(":")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host.strip("[]"), int(port)), family=family, backlog=1024)
    except OSError as error:
        raise AddressNotFree(
            f"CLAIM_ANALYTICS_HTTP_ADDRESS: {address} cannot be listened on ({error.strerror})."
            " Stop what has the port, or name another."
        ) from None
