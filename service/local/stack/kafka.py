"""A real Apache Kafka broker, in KRaft mode, on free loopback ports."""

import secrets
import socket
import struct
import subprocess
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from signal import SIGTERM

from service.local.stack.java import KAFKA_VERSION, find_java, kafka_jars
from service.local.stack.server import LOOPBACK, Progress, Server, free_ports, silent
from service.local.stack.workspace import Workspace

JVM_OPTIONS = (
    "-Xms256m",
    "-Xmx512m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",  # starts sooner; one small broker has no use for more
    "-XX:-UsePerfData",  # keeps the JVM from leaving files in /tmp when it is killed
    "-XX:+ExitOnOutOfMemoryError",
)

# What one small broker needs to be a whole cluster, wherever it runs.
LONE_BROKER: dict[str, str | int] = {
    "auto.create.topics.enable": "false",
    "offsets.topic.replication.factor": 1,
    "offsets.topic.num.partitions": 4,
    "transaction.state.log.replication.factor": 1,
    "transaction.state.log.min.isr": 1,
    "transaction.state.log.num.partitions": 4,
    "share.coordinator.state.topic.replication.factor": 1,
    "share.coordinator.state.topic.min.isr": 1,
    # A lone consumer gets its partitions at once, and one that was killed is noticed soon.
    "group.initial.rebalance.delay.ms": 0,
    "group.min.session.timeout.ms": 1000,
    # After a crash the broker must wait for its former self to be given up.
    "broker.session.timeout.ms": 3000,
    "broker.heartbeat.interval.ms": 500,
    # The default, 128 MiB, would be a quarter of the heap.
    "log.cleaner.dedupe.buffer.size": 8 * 1024 * 1024,
}

# The broker writes it when it is registered and unfenced: from then on topics can be created.
STARTED = b"Kafka Server started"


class KafkaBroker(Server):
    """One broker that is its own controller, without security, reachable on loopback only."""

    name = f"Kafka {KAFKA_VERSION}"
    stop_signal = SIGTERM
    format_options: Sequence[str] = ()  # of `kafka-storage.sh format`, beside the cluster's id

    def __init__(self, workspace: Workspace, progress: Progress = silent) -> None:
        self.port, self._controller_port = free_ports(2)
        super().__init__(workspace, f"kafka-{self.port}")
        self._java = find_java()
        self._jars = kafka_jars(workspace, progress)
        self._settings = self.folder / "server.properties"
        self._log_settings = self.folder / "log4j2.properties"

    @property
    def bootstrap_servers(self) -> str:
        return f"{LOOPBACK}:{self.port}"

    def _prepare(self) -> None:
        self.folder.mkdir()
        lines = (f"{name}={value}\n" for name, value in self._properties().items())
        self._settings.write_text("".join(lines))
        logging = resources.files("service.local.stack").joinpath("log4j2.properties").read_text()
        self._log_settings.write_text(logging)
        cluster = urlsafe_b64encode(secrets.token_bytes(16)).decode().rstrip("=")
        format_storage = ("kafka.tools.StorageTool", "format", f"--cluster-id={cluster}")
        configured = [*self._java_command(), *format_storage, "--config", self._settings]
        self._run([*configured, *self.format_options])

    def _command(self) -> Sequence[str | Path]:
        return [*self._java_command(), "kafka.Kafka", self._settings]

    def _java_command(self) -> list[str | Path]:
        return [
            self._java,
            *JVM_OPTIONS,
            f"-Djava.io.tmpdir={self.folder}",  # the codecs unpack native libraries there
            f"-Dlog4j2.configurationFile={self._log_settings.as_uri()}",
            "-cp",
            f"{self._jars}/*",
        ]

    def _properties(self) -> dict[str, str | int]:
        broker, controller = (f"{LOOPBACK}:{port}" for port in (self.port, self._controller_port))
        return {
            "process.roles": "broker,controller",
            "node.id": 1,
            "controller.quorum.voters": f"1@{controller}",
            "controller.listener.names": "CONTROLLER",
            "listeners": f"PLAINTEXT://{broker},CONTROLLER://{controller}",
            "advertised.listeners": f"PLAINTEXT://{broker}",
            "log.dirs": str(self.folder / "data"),
            **LONE_BROKER,
        }

    def _is_ready(self, process: subprocess.Popen[bytes], log_start: int) -> bool:
        with self.log.open("rb") as log:
            log.seek(log_start)
            started = STARTED in log.read()
        return started and answers_kafka(self.port)


def answers_kafka(port: int) -> bool:
    """Whether a Kafka broker answers an ApiVersions request (key 18, version 0) on loopback."""
    correlation = 1
    header = struct.pack(">hhih", 18, 0, correlation, -1)  # -1: no client id
    try:
        with socket.create_connection((LOOPBACK, port), timeout=5) as connection:
            connection.sendall(struct.pack(">i", len(header)) + header)
            answer = connection.recv(10, socket.MSG_WAITALL)
    except OSError:
        return False
    return len(answer) == 10 and struct.unpack(">iih", answer)[1:] == (correlation, 0)
