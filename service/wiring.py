"""The one place that builds engines, clients and consumers out of settings."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

from pydantic import SecretStr

from consumers.engine.applier import Applier
from consumers.engine.brake import BrakePolicy, Brakes
from consumers.engine.dead_letters import DeadLetterQueue
from consumers.engine.group import GroupPolicy
from consumers.engine.intake import BatchPolicy
from consumers.engine.lane import Lane, LaneParts
from consumers.engine.offsets import FormerGroups
from consumers.engine.orders import Orders
from consumers.engine.retry import RetryPolicy
from consumers.engine.subscription import AnySubscription, Event, Progress, Subscription
from consumers.kafka.connection import KafkaConnection, SecurityFileUnusable
from consumers.kafka.inflation import bound_inflation
from repositories.errors import DatabaseSettingWrong
from repositories.postgres.database import Database
from repositories.reading.scope import ReadingDatabase
from service.checks.database_check import check_database
from service.logs import INSTANCE
from service.settings import Settings
from service.settings.sources import SettingSourceWrong

READ_SECONDS = 5.0  # whoever reads over HTTP waits no longer
MEMBER_PREFIX = "claim-analytics/"  # of what Kafka calls the members of groups


def database(
    settings: Settings, *, statement_timeout_ms: int = 0, pool_size: int | None = None
) -> Database:
    """`pool_size`: in place of the settings'."""
    direct = settings.database_direct_url
    return Database(
        asked(settings.database_url, DatabaseSettingWrong),
        direct_url=asked(direct, DatabaseSettingWrong) if direct else None,
        pool_size=pool_size or settings.database_pool_size,
        statement_timeout_ms=statement_timeout_ms,
    )


def impatient_database(settings: Settings) -> Database:
    """For the running service: a statement that waits for long is broken off, and tried again."""
    return database(settings, statement_timeout_ms=int(settings.database_statement_seconds * 1000))


def reading_database(settings: Settings) -> ReadingDatabase:
    """For one provider's rows alone, over HTTP."""
    return ReadingDatabase(
        asked(settings.database_url, DatabaseSettingWrong),
        pooled=settings.database_direct_url is not None,
        pool_size=settings.api_pool_size,
        seconds=READ_SECONDS,
    )


@asynccontextmanager
async def open_database(settings: Settings) -> AsyncIterator[Database]:
    """The database for one command, closed at the end. Raises as `check_database`."""
    await check_database(settings)
    opened = database(settings)
    try:
        yield opened
    finally:
        await opened.close()


def kafka_connection(settings: Settings) -> KafkaConnection:
    password, token = settings.kafka_sasl_password, settings.kafka_oauth_token
    return KafkaConnection(
        bootstrap_servers=settings.kafka_bootstrap_servers,
        security_protocol=settings.kafka_security_protocol,
        sasl_mechanism=settings.kafka_sasl_mechanism,
        sasl_username=settings.kafka_sasl_username,
        sasl_password=asked(password, SecurityFileUnusable) if password else None,
        oauth_token=asked(token, SecurityFileUnusable) if token else None,
        cafile=settings.kafka_ssl_cafile,
        certfile=settings.kafka_ssl_certfile,
        keyfile=settings.kafka_ssl_keyfile,
    )


def asked(secret: SecretStr, unusable: type[Exception]) -> Callable[[], str]:
    """What gives the secret as it is then; if it is in a file that cannot be read, an error as
    those raise it who use it."""

    def ask() -> str:
        try:
            return secret.get_secret_value()
        except SettingSourceWrong as error:
            raise unusable(str(error)) from None

    return ask


def dead_letter_queue(settings: Settings) -> DeadLetterQueue:
    return DeadLetterQueue(kafka_connection(settings), settings.topic_dlq_suffix)


def lanes(
    settings: Settings,
    subscription: Subscription[Event],
    database: Database,
    letters: DeadLetterQueue,
    progress: Progress,
    orders: Orders,
) -> Sequence[Lane[Event]]:
    """The members of the subscription's group in this process; nothing is connected yet.

    Kafka knows each by instance and lane (`client_id`).
    """
    bound_inflation(settings.kafka_max_inflated_bytes)
    topics = {settings.topic(name): name for name in subscription.decoders}
    retry = RetryPolicy(longest=settings.retry_longest_pause_seconds)
    connection = kafka_connection(settings)
    former = None
    if subscription.replaces_groups:
        groups = {topic: settings.group(name) for topic, name in topics.items()}
        former = FormerGroups(connection, groups)
    brakes = Brakes(BrakePolicy(settings.brake_ratio, settings.brake_window, settings.brake_run))

    def lane(number: int) -> Lane[Event]:
        applier = Applier(
            subscription,
            settings.group(subscription.name),
            number,
            database,
            letters,
            brakes,
            retry,
            progress,
        )
        return Lane(
            LaneParts(
                decoders={topic: subscription.decoders[name] for topic, name in topics.items()},
                connection=replace(connection, client_id=f"{MEMBER_PREFIX}{INSTANCE}/{number}"),
                applier=applier,
                batch_policy=BatchPolicy(
                    settings.batch_max_events,
                    settings.batch_max_bytes,
                    settings.batch_linger_seconds,
                ),
                group_policy=GroupPolicy(
                    settings.group_session_seconds,
                    settings.group_rebalance_seconds,
                    settings.shutdown_seconds,
                ),
                retry=retry,
                orders=orders,
                former_groups=former,
            )
        )

    return [lane(number) for number in range(number_of_lanes(settings, subscription))]


def number_of_lanes(settings: Settings, subscription: AnySubscription) -> int:
    return settings.claim_lanes if subscription.in_lanes else 1
