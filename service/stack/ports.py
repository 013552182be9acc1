"""Free ports on the loopback interface."""

import random
import socket
from contextlib import ExitStack

LOOPBACK = "127.0.0.1"

# Below the ranges from which Linux and macOS take the ports of outgoing connections. Otherwise a
# client that keeps trying while a server is down may be given the server's port, connect to
# itself, and so keep the server from coming back.
PORTS = range(20_000, 32_000)


def free_ports(count: int) -> list[int]:
    """Different ports that nobody listens on at this moment."""
    with ExitStack() as held:
        return [_hold_free_port(held) for _ in range(count)]


def _hold_free_port(held: ExitStack) -> int:
    while True:
        port = random.choice(PORTS)  # noqa: S311  # spreads stacks that start together
        candidate = held.enter_context(socket.socket())
        try:
            candidate.bind((LOOPBACK, port))
        except OSError:
            continue
        return port
