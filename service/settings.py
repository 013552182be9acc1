"""Every setting of the service: environment variables with the prefix CLAIM_ANALYTICS_."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

PREFIX = "CLAIM_ANALYTICS_"

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
        env_prefix=PREFIX, env_file=".env", extra="ignore", frozen=True
    )

    database_url: SecretStr = Field(
        SecretStr("postgresql://claim_analytics@localhost:5432/claim_analytics"),
        description="PostgreSQL, as postgresql://user:password@host:port/name",
    )
    database_pool_size: Positive = Field(5, description="Most connections to PostgreSQL at once")
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
    shutdown_seconds: Seconds = Field(
        20.0, description="Most time to finish and commit a batch after SIGTERM"
    )
    log_format: LogFormat = Field(LogFormat.AUTO, description="auto, json or text")

    @field_validator("database_url")
    @classmethod
    def _is_postgresql(cls, url: SecretStr) -> SecretStr:
        if not url.get_secret_value().startswith(("postgresql://", "postgres://")):
            raise ValueError("expected postgresql://user:password@host:port/name")
        return url

    @model_validator(mode="after")
    def _sasl_is_whole(self) -> "Settings":
        sasl = (self.kafka_sasl_mechanism, self.kafka_sasl_username, self.kafka_sasl_password)
        if self.kafka_security_protocol is SecurityProtocol.SASL_SSL and None in sasl:
            raise ValueError(
                "SASL_SSL needs KAFKA_SASL_MECHANISM, KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD"
            )
        return self

    def topic(self, name: str) -> str:
        """The topic that plays the part of the default name, such as `claim-paid`."""
        return str(getattr(self, "topic_" + name.replace("-", "_")))

    def group(self, name: str) -> str:
        """The consumer group of the topic with this default name."""
        return f"{self.group_prefix}.{name}"
