"""Kafka and PostgreSQL together, for as long as a `with` block lasts."""

from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Self

from service.local.stack.kafka import KafkaBroker
from service.local.stack.postgres import PostgresServer
from service.local.stack.server import Progress, silent
from service.local.stack.workspace import Workspace


class Stack:
    """A context manager: both servers answer inside the block, nothing of them is left after it.

    `progress` gets a sentence about what takes time, from other threads than the caller's.
    Entering raises StackError when something is missing or does not start.
    """

    kafka: KafkaBroker
    postgres: PostgresServer

    def __init__(self, progress: Progress = silent) -> None:
        self._progress = progress

    @property
    def folder(self) -> Path:
        """Where data and logs are while the stack runs."""
        return self._workspace.folder

    def environment(self) -> dict[str, str]:
        """The settings that point the service at this stack."""
        return {
            "CLAIM_ANALYTICS_DATABASE_URL": self.postgres.url,
            "CLAIM_ANALYTICS_KAFKA_BOOTSTRAP_SERVERS": self.kafka.bootstrap_servers,
        }

    def check(self) -> None:
        """Raise StackError when a server has ended that should be running."""
        for server in (self.kafka, self.postgres):
            if not server.running:
                raise server.failure("ended unexpectedly")

    def __enter__(self) -> Self:
        self._workspace = Workspace()
        threads = ThreadPoolExecutor(max_workers=2)
        try:
            starts = (self._start_kafka, self._start_postgres)
            for started in as_completed([threads.submit(start) for start in starts]):
                started.result()
        except BaseException:  # Ctrl-C too
            self._workspace.close()  # which also ends what the other thread is waiting for
            raise
        finally:
            threads.shutdown()
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.kafka.stop()
            self.postgres.stop()
        finally:
            self._workspace.close()

    def _start_kafka(self) -> None:
        self.kafka = KafkaBroker(self._workspace, self._progress)
        self._progress(f"Starting {self.kafka.name} …")
        self.kafka.start()

    def _start_postgres(self) -> None:
        self.postgres = PostgresServer(self._workspace)
        self._progress(f"Starting {self.postgres.name} …")
        self.postgres.start()
