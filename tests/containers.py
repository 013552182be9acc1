"""The servers as containers, for machines where a Docker engine answers."""

import functools
import gc
import warnings
from collections.abc import Iterator
from contextlib import closing, contextmanager

import docker
from testcontainers.community.postgres import PostgresContainer
from testcontainers.core.container import DockerContainer
from testcontainers.core.docker_client import DockerClient
from testcontainers.core.wait_strategies import LogMessageWaitStrategy
from urllib3.exceptions import HTTPError

from service.local.stack.java import KAFKA_VERSION
from service.local.stack.kafka import LONE_BROKER
from service.local.stack.server import free_ports

KAFKA_IMAGE = f"apache/kafka:{KAFKA_VERSION}"
POSTGRES_IMAGE = "postgres:{version}"
IMAGES = (KAFKA_IMAGE, *(POSTGRES_IMAGE.format(version=version) for version in (16, 18)))


@functools.cache
def docker_answers() -> bool:
    """Whether an engine answers, within two seconds, and has the images or can fetch them."""
    with warnings.catch_warnings():
        # The client drops its socket unclosed when nobody answers.
        warnings.simplefilter("ignore", ResourceWarning)
        answered = _pings() and _has_images()
        gc.collect()
    return answered


def _pings() -> bool:
    try:
        with closing(docker.from_env(timeout=2)) as client:
            client.ping()
    except (docker.errors.DockerException, OSError):
        return False
    return True


def _has_images() -> bool:
    with closing(docker.from_env()) as client:
        try:
            for image in IMAGES:
                if not client.images.list(image):
                    client.images.pull(image)
        except (docker.errors.DockerException, OSError, HTTPError):
            return False
    return True


@contextmanager
def kafka_container() -> Iterator[str]:
    """Apache's own image with the settings of the stack's broker; gives its bootstrap servers."""
    host = DockerClient().host()
    [port] = free_ports(1)  # the broker must know its address before it starts
    container = DockerContainer(KAFKA_IMAGE).with_bind_ports(9092, port)
    settings = LONE_BROKER | {
        "process.roles": "broker,controller",
        "node.id": 1,
        "controller.quorum.voters": "1@localhost:9093",
        "controller.listener.names": "CONTROLLER",
        # The broker is its own client where transactions are: it cannot reach the host's port.
        "listeners": "INSIDE://localhost:19092,OUTSIDE://0.0.0.0:9092,CONTROLLER://localhost:9093",
        "advertised.listeners": f"INSIDE://localhost:19092,OUTSIDE://{host}:{port}",
        "inter.broker.listener.name": "INSIDE",
        "listener.security.protocol.map": ",".join(
            f"{name}:PLAINTEXT" for name in ("INSIDE", "OUTSIDE", "CONTROLLER")
        ),
    }
    for name, value in settings.items():
        container.with_env(f"KAFKA_{name.upper().replace('.', '_')}", str(value))
    with container.waiting_for(LogMessageWaitStrategy("Kafka Server started")):
        yield f"{host}:{port}"


@contextmanager
def postgres_container(version: int) -> Iterator[str]:
    """The official image; gives the URL of a superuser, without a driver."""
    with PostgresContainer(POSTGRES_IMAGE.format(version=version), driver=None) as container:
        yield container.get_connection_url()
