"""Every setting of the service: environment variables with the prefix CLAIM_ANALYTICS_."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Self

from pydantic import Field, SecretStr, create_model, field_validator, model_validator
from pydantic_settings import SettingsConfigDict

from consumers.kafka.connection import KafkaConnection
from repositories.postgres.database_url import DatabaseUrl
from service.operations.nights import TimeOfDayOrOff, TimeZoneName
from service.settings.addresses import host_and_port
from service.settings.api import ApiSettings
from service.settings.http import HttpSettings
from service.settings.telemetry import TelemetrySettings
from service.settings.topics import TOPICS, setting_of, settings_of_one_topic, topic_fields

PREFIX = "CLAIM_ANALYTICS_"

Positive = Annotated[int, Field(gt=0)]
Seconds = Annotated[float, Field(gt=0)]


class SecurityProtocol(StrEnum):
    """How clients talk to the brokers."""

    PLAINTEXT = "PLAINTEXT"
    SSL = "SSL"
    SASL_PLAINTEXT = "SASL_PLAINTEXT"
    SASL_SSL = "SASL_SSL"


class SaslMechanism(StrEnum):
    """How clients prove who they are, with SASL_PLAINTEXT and SASL_SSL."""

    PLAIN = "PLAIN"
    SCRAM_SHA_256 = "SCRAM-SHA-256"
    SCRAM_SHA_512 = "SCRAM-SHA-512"
    OAUTHBEARER = "OAUTHBEARER"


class LogFormat(StrEnum):
    """`auto`: text on a terminal, JSON elsewhere."""

    AUTO = "auto"
    JSON = "json"
    TEXT = "text"


class LogLevel(StrEnum):
    """`debug` has a line for each batch."""

    INFO = "info"
    DEBUG = "debug"


class DeclaredSettings(HttpSettings, ApiSettings, TelemetrySettings):
    """All but the names of the topics, which follow from the contracts: see `Settings`."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,  # it can be a password
    )

    database_url: SecretStr = Field(
        SecretStr("postgresql://claim_analytics@localhost:5432/claim_analytics"),
        description="PostgreSQL, as postgresql://user:password@host:port/name; several host:port"
        " may stand with commas between",
    )
    database_direct_url: SecretStr | None = Field(
        None,
        description="The same database past a pooler in transaction mode, for what needs a session"
        " (migrations, notifications)",
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
        SecurityProtocol.PLAINTEXT, description="PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL"
    )
    kafka_sasl_mechanism: SaslMechanism | None = Field(
        None, description="PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER, with SASL_…"
    )
    kafka_sasl_username: str | None = Field(None, description="User, with SASL_…")
    kafka_sasl_password: SecretStr | None = Field(None, description="Password, with SASL_…")
    kafka_oauth_token: SecretStr | None = Field(
        None,
        description="Token, with OAUTHBEARER in place of user and password; best in a file, which"
        " is read anew for each connection",
    )
    kafka_ssl_cafile: str | None = Field(
        None, description="PEM file of trusted certificates; without it the system's"
    )
    kafka_ssl_certfile: str | None = Field(
        None, description="PEM file of this client's certificate, where the brokers ask for one"
    )
    kafka_ssl_keyfile: str | None = Field(
        None, description="PEM file of its key, not encrypted, unless it is in the same file"
    )

    topic_dlq_suffix: str = Field(".dlq", description="Appended to a topic for its dead letters")
    topic_partitions: Positive = Field(6, description="Partitions of topics that are created")
    topic_replication: Positive = Field(1, description="Replicas of topics that are created")
    topic_retention_days: Positive = Field(
        30, description="Days that created topics, and DLQs at most, keep messages"
    )

    group_prefix: str = Field(
        "claim-analytics",
        description="Consumer groups: <prefix>.claims, and <prefix>.<default name> of other topics",
    )
    group_session_seconds: Seconds = Field(
        10.0, description="A consumer that died is missed after this long"
    )
    group_rebalance_seconds: Seconds = Field(
        60.0, description="Most time to finish a batch when partitions move"
    )

    claim_lanes: Positive = Field(
        2,
        description="Members of a process in the consumer group of claims, and in the AI coach's,"
        " each with its share",
    )
    batch_max_events: Positive = Field(40_000, description="Most events of a transaction")
    batch_max_bytes: Positive = Field(
        16 * 1024 * 1024, description="Most bytes of a transaction's events, as kept in memory"
    )
    kafka_max_inflated_bytes: Positive = Field(
        64 * 1024 * 1024,
        description="Most bytes of a record batch once decompressed; a larger one stops its"
        " partition",
    )
    batch_linger_seconds: Seconds = Field(
        0.02,
        description="Most time that an event which was fetched waits for others to join its"
        " transaction",
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
    nightly_at: TimeOfDayOrOff = Field(
        "03:00",
        description="When the nightly run begins, as HH:MM by the clocks of"
        " CLAIM_ANALYTICS_NIGHTLY_ZONE, or off",
    )
    nightly_zone: TimeZoneName = Field(
        "America/Edmonton", description="Time zone of CLAIM_ANALYTICS_NIGHTLY_AT, by its IANA name"
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
        300.0, description="How often reports expire, and files without a row go to quarantine"
    )
    report_orphan_seconds: Seconds = Field(
        3_600.0, description="How old a file without a row must be to go to quarantine"
    )
    shutdown_seconds: Seconds = Field(
        20.0, description="Most time to finish and commit a batch after SIGTERM"
    )
    heartbeat_file: Path | None = Field(
        None, description="A file to touch every few seconds while the service is alive"
    )
    log_format: LogFormat = Field(LogFormat.AUTO, description="auto, json or text")
    operator: str | None = Field(
        None, description="Who acts, for the record of operators' actions; without it user@host"
    )
    log_level: LogLevel = Field(LogLevel.INFO, description="info, or debug: a line for each batch")

    @field_validator("database_url", "database_direct_url")
    @classmethod
    def _is_postgresql(cls, url: SecretStr | None) -> SecretStr | None:
        if url is not None:
            DatabaseUrl.parse(url.get_secret_value())
        return url

    @field_validator("kafka_bootstrap_servers")
    @classmethod
    def _are_hosts_with_ports(cls, servers: str) -> str:
        for server in servers.split(","):
            host_and_port(server)
        return servers

    @model_validator(mode="after")
    def _sasl_is_whole(self) -> Self:
        protocol, mechanism = self.kafka_security_protocol, self.kafka_sasl_mechanism
        needed = ["kafka_sasl_mechanism", "kafka_sasl_username", "kafka_sasl_password"]
        if mechanism is SaslMechanism.OAUTHBEARER:
            needed = ["kafka_oauth_token"]
        if protocol.startswith("SASL_") and None in [getattr(self, name) for name in needed]:
            names = ", ".join(PREFIX + name.upper() for name in needed)
            raise ValueError(
                f"{PREFIX}KAFKA_SECURITY_PROTOCOL is {protocol}, which needs {names} too."
            )
        return self

    @model_validator(mode="after")
    def _certificates_can_be_read(self) -> Self:
        if self.kafka_security_protocol.endswith("SSL"):
            KafkaConnection(
                self.kafka_bootstrap_servers,
                cafile=self.kafka_ssl_cafile,
                certfile=self.kafka_ssl_certfile,
                keyfile=self.kafka_ssl_keyfile,
            ).tls_context()
        return self

    @model_validator(mode="after")
    def _topics_differ(self) -> Self:
        if same := settings_of_one_topic({name: self.topic(name) for name in TOPICS}):
            names = " and ".join(PREFIX + name.upper() for name in same)
            raise ValueError(f"{names} name one topic; each event has a topic of its own")
        return self

    @property
    def session_url(self) -> str:
        """The way to the database on which a session lasts."""
        return (self.database_direct_url or self.database_url).get_secret_value()

    def topic(self, name: str) -> str:
        """The topic that plays the part of the default name, such as `claim-paid`.

        Raises ValueError for a name that is none of the defaults.
        """
        return str(getattr(self, setting_of(name)))

    def group(self, name: str) -> str:
        """The consumer group of the subscription (`claims`, or a topic's default name)."""
        return f"{self.group_prefix}.{name}"


if TYPE_CHECKING:

    class Settings(DeclaredSettings):
        """The topics' names are no attributes to a type checker: ask `topic`."""

else:
    Settings = create_model(
        "Settings",
        __base__=DeclaredSettings,
        __module__=__name__,
        __doc__="""Read from the environment, then from a file `.env` in the working directory.

        Raises SettingSourceWrong for a file that cannot be read, ValidationError for a wrong value.
        """,
        **topic_fields(),
    )
