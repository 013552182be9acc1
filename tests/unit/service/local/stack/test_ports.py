"""Ports for servers that must keep them."""

import socket

from service.local.stack.server import LOOPBACK, PORTS, free_ports


def test_ports_are_different_and_free() -> None:
    ports = free_ports(20)
    assert len(set(ports)) == 20
    for port in ports:
        with socket.socket() as server:
            server.bind((LOOPBACK, port))


def test_ports_lie_outside_the_range_of_outgoing_connections() -> None:
    with socket.create_server((LOOPBACK, 0)) as server:
        outgoing = server.getsockname()[1]
    assert outgoing not in PORTS


def test_a_port_that_is_taken_is_not_given() -> None:
    [taken] = free_ports(1)
    with socket.create_server((LOOPBACK, taken)):
        assert taken not in free_ports(500)
