"""Where the HTTP side listens."""

import socket

# A client that takes nothing of what was sent to it is hung up on, by the kernel (Linux): nothing
# above it would ever see an end.
STALLED_SECONDS = 60

DEFAULT_ADDRESS = "127.0.0.1:8080"


class AddressNotFree(Exception):
    """The HTTP address cannot be listened on; the text says why and what to do."""


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
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        milliseconds = STALLED_SECONDS * 1000
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, milliseconds)
    return listening
