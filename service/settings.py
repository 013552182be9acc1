"""Every setting of the service: environment variables with the prefix CLAIM_ANALYTICS_."""

import re
from enum import StrEnum
from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from repositories.database import with_driver

PREFIX = "CLAIM_ANALYTICS_"
HOST_AND_PORT = re.compile(r"\S+:[0-9]{1,5}")

Positive = Annotated[int, Field(gt=0)]
Seconds = Annotated[float, Field(gt=0)]


class SecurityProtocol(StrEnum):
    """How clients talk to the brokers."""

    PLAINTEXT = "PLAINTEXT"
    SSL = "SSL"
    SASL_SSL = "SASL_SSL"


class SaslMechanism(StrEnum):
    """How clients prove who they are, with SASL_SSL."""

    PLAIN = "PLAIN"
    SCRAM_SHA_512 = "SCRAM-SHA-512"


class LogFormat(StrEnum):
    """`auto`: text on a terminal, JSON elsewhere."""

    AUTO = "auto"
    JSON = "json"
    TEXT = "text"


class Settings(BaseSettings):
    """Read from the environment, then from a file `.env` in the working directory."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_file=".env",
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,  # it can be a password
    )

    database_url: SecretStr = Field(
        SecretStr("postgresql://claim_analytics@localhost:5432/claim_analytics"),
        description="PostgreSQL, as postgresql://user:password@host:port/name",
    )
    database_pool_size: Positive = Field(
        12, description="Most connections to PostgreSQL at once: one for each thing that goes on"
    )
    database_statement_seconds: Seconds = Field(
        60.0,
        description="A statement of the running service that takes longer is broken off and tried"
        " again, so that no wait for a lock goes unseen",
    )
    kafka_bootstrap_servers: str = Field(
        "localhost:9092", description="Kafka brokers to ask first, as host:port,host:port"
    )
    kafka_security_protocol: SecurityProtocol = Field(
        SecurityProtocol.PLAINTEXT, description="PLAINTEXT, SSL or SASL_SSL"
    )
    kafka_sasl_mechanism: SaslMechanism | None = Field(
        None, description="PLAIN or SCRAM-SHA-512, with SASL_SSL"
    )
    kafka_sasl_username: str | None = Field(None, description="User, with SASL_SSL")
    kafka_sasl_password: SecretStr | None = Field(None, description="Password, with SASL_SSL")
    kafka_ssl_cafile: str | None = Field(
        None, description="File of trusted certificates; without it the system's"
    )

    topic_claim_submitted: str = Field("claim-submitted", description="Topic of submitted claims")
    topic_claim_paid: str = Field("claim-paid", description="Topic of paid claims")
    topic_report_request: str = Field("report-request", description="Topic of report requests")
    topic_provider_updated: str = Field(
        "provider-updated", description="Topic of physicians' profiles"
    )
    topic_report_status: str = Field(
        "report-status", description="Topic on which reports are announced"
    )
    topic_dlq_suffix: str = Field(".dlq", description="Appended to a topic for its dead letters")
    topic_partitions: Positive = Field(6, description="Partitions of topics that are created")
    topic_replication: Positive = Field(1, description="Replicas of topics that are created")
    topic_retention_days: Positive = Field(
        30, description="Days that created topics keep messages; their DLQs keep them twice as long"
    )

    group_prefix: str = Field(
        "claim-analytics", description="Consumer groups are named <prefix>.<topic's default name>"
    )
    group_session_seconds: Seconds = Field(
        10.0, description="A consumer that died is missed after this long"
    )
    group_rebalance_seconds: Seconds = Field(
        60.0, description="Most time to finish a batch when partitions move"
    )

    batch_max_events: Positive = Field(10_000, description="Most events of a transaction")
    batch_max_bytes: Positive = Field(
        16 * 1024 * 1024, description="Most bytes of messages in a transaction"
    )
    batch_linger_seconds: Seconds = Field(
        0.05, description="Most time that an event waits for others to join its transaction"
    )
    retry_longest_pause_seconds: Seconds = Field(
        5.0, description="Longest pause between attempts while the database or Kafka is away"
    )
    brake_ratio: float = Field(
        0.5, gt=0, description="Stop when more than this share of recent messages is bad; 1: never"
    )
    brake_window: int = Field(2_000, ge=200, description="How many messages are recent")
    brake_run: int = Field(
        500, ge=0, description="Stop after this many bad messages in a row; 0: never"
    )
    top_codes_seconds: Seconds = Field(
        2.0, le=5, description="How long top_hsc_codes may follow its month"
    )
    report_storage_url: str = Field(
        "/var/lib/claim-analytics",
        description="Where report files lie: a folder, or s3://bucket/folder?region=…&endpoint=…",
    )
    report_master_keys: SecretStr | None = Field(
        None,
        description="Keys that protect report files, id:base64,…, the primary first"
        " (`keys new`); without them no reports are made",
    )
    report_password_keys: SecretStr | None = Field(
        None, description="Private JWK, or JWK set, for archive passwords (`keys new`)"
    )
    report_workers: int = Field(2, ge=0, description="Reports that are made at the same time")
    report_lease_seconds: Seconds = Field(
        60.0, description="A report whose worker died is taken over after this long"
    )
    report_most_tries: Positive = Field(4, description="Tries before a report is given up")
    report_cleanup_seconds: Seconds = Field(
        300.0, description="How often expired reports and files without a row are removed"
    )
    report_orphan_seconds: Seconds = Field(
        3_600.0, description="How old a file without a row must be to be removed"
    )
    shutdown_seconds: Seconds = Field(
        20.0, description="Most time to finish and commit a batch after SIGTERM"
    )
    heartbeat_file: Path | None = Field(
        None, description="A file to touch every few seconds while the service is alive"
    )
    log_format: LogFormat = Field(LogFormat.AUTO, description="auto, json or text")

    @field_validator("database_url")
    @classmethod
    def _is_postgresql(cls, url: SecretStr) -> SecretStr:
        with_driver(url.get_secret_value())
        return url

    @field_validator("kafka_bootstrap_servers")
    @classmethod
    def _are_hosts_with_ports(cls, servers: str) -> str:
        if not all(HOST_AND_PORT.fullmatch(server.strip()) for server in servers.split(",")):
            raise ValueError("expected host:port, or several of them with commas between")
        return servers

    @model_validator(mode="after")
    def _sasl_is_whole(self) -> "Settings":
        sasl = (self.kafka_sasl_mechanism, self.kafka_sasl_username, self.kafka_sasl_password)
        if self.kafka_security_protocol is SecurityProtocol.SASL_SSL and None in sasl:
            names = ("MECHANISM", "USERNAME", "PASSWORD")
            needed = [f"{PREFIX}KAFKA_SASL_{name}" for name in names]
            raise ValueError(
                f"{PREFIX}KAFKA_SECURITY_PROTOCOL is SASL_SSL, which needs {', '.join(needed)} too."
            )
        return self

    def topic(self, name: str) -> str:
        """The topic that plays the part of the default name, such as `claim-paid`.

        Raises ValueError for a name that is none of the defaults.
        """
        field = "topic_" + name.replace("-", "_")
        if field not in type(self).model_fields:
            raise ValueError(f"there is no topic setting for {name}")
        return str(getattr(self, field))

    def group(self, name: str) -> str:
        """The consumer group of the topic with this default name."""
        return f"{self.group_prefix}.{name}"
