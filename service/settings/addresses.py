"""Host and port, as settings have them."""

import re

HOST_AND_PORT = re.compile(r"\S+:([0-9]{1,9})")
HIGHEST_PORT = 65_535


def host_and_port(server: str) -> str:
    """The address as it was given. Raises ValueError unless it is host:port, with such a port."""
    parts = HOST_AND_PORT.fullmatch(server.strip())
    if not parts:
        raise ValueError("expected host:port, or several of them with commas between")
    if not 0 < int(parts[1]) <= HIGHEST_PORT:
        raise ValueError(f"a port is a number from 1 to {HIGHEST_PORT}")
    return server
