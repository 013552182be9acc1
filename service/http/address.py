"""Where the HTTP side listens."""

import socket

from service.http.errors import AddressNotFree

DEFAULT_ADDRESS = "127.0.0.1:8080"


def listen(address: str) -> socket.socket:
    """A socket that listens there; port 0 takes any. Raises AddressNotFree."""
    host, _, port = address.rpartition(":")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listening = socket.create_server((host.strip("[]"), int(port)), family=family, backlog=1024)
    except OSError as error:
        raise AddressNotFree(
            f"CLAIM_ANALYTICS_HTTP_ADDRESS: {address} cannot be listened on ({error.strerror})."
            " Stop what has the port, or name another."
        ) from None
    # What is accepted here inherits it; asyncio sets it only on sockets that name their protocol.
    # Without it the second half of an answer waits until the client has acknowledged the first,
    # which takes clients 40 ms.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening
