"""The servers as containers, for machines where a Docker engine answers."""

import functools
import gc
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import docker
from testcontainers.community.postgres import PostgresContainer
from testcontainers.core.container import DockerContainer
from testcontainers.core.docker_client import DockerClient
from testcontainers.core.wait_strategies import LogMessageWaitStrategy

from service.stack.jars import KAFKA_VERSION
from service.stack.kafka import LONE_BROKER
from service.stack.ports import free_ports


@functools.cache
def docker_answers() -> bool:
    """Asked once, and for two seconds at most."""
    with warnings.catch_warnings():
        # The client drops its socket unclosed when nobody answers.
        warnings.simplefilter("ignore", ResourceWarning)
        answered = _ping()
        gc.collect()
    return answered


def _ping() -> bool:
    try:
        client = docker.from_env(timeout=2)
        client.ping()
        client.close()
    except (docker.errors.DockerException, OSError):
        return False
    return True


@contextmanager
def kafka_container() -> Iterator[str]:
    """Apache's own image with the settings of the stack's broker; gives its bootstrap servers."""
    host = DockerClient().host()
    [port] = free_ports(1)  # the broker must know its address before it starts
    container = DockerContainer(f"apache/kafka:{KAFKA_VERSION}").with_bind_ports(9092, port)
    settings = LONE_BROKER | {
        "process.roles": "broker,controller",
        "node.id": 1,
        "controller.quorum.voters": "1@localhost:9093",
        "controller.listener.names": "CONTROLLER",
        "listeners": "PLAINTEXT://0.0.0.0:9092,CONTROLLER://localhost:9093",
        "advertised.listeners": f"PLAINTEXT://{host}:{port}",
    }
    for name, value in settings.items():
        container.with_env(f"KAFKA_{name.upper().replace('.', '_')}", str(value))
    with container.waiting_for(LogMessageWaitStrategy("Kafka Server started")):
        yield f"{host}:{port}"


@contextmanager
def postgres_container(version: int) -> Iterator[str]:
    """The official image; gives the URL of a superuser, without a driver."""
    with PostgresContainer(f"postgres:{version}", driver=None) as container:
        yield container.get_connection_url()
