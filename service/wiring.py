"""The one place that builds engines, clients and consumers out of settings."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from consumers.batch_applier import BatchApplier
from consumers.batches import BatchPolicy, Event
from consumers.brake import Brake, BrakePolicy
from consumers.connection import KafkaConnection
from consumers.dead_letter_queue import DeadLetterQueue
from consumers.handler import Subscription
from consumers.membership import GroupPolicy
from consumers.progress import Progress
from consumers.retry import RetryPolicy
from consumers.topic_consumer import ConsumerParts, TopicConsumer
from repositories.database import Database
from service.settings import Settings


def database(settings: Settings) -> Database:
    return Database(settings.database_url.get_secret_value(), pool_size=settings.database_pool_size)


def impatient_database(settings: Settings) -> Database:
    """For the running service: a statement that waits for long is broken off, and tried again."""
    return Database(
        settings.database_url.get_secret_value(),
        pool_size=settings.database_pool_size,
        statement_timeout_ms=int(settings.database_statement_seconds * 1000),
    )


@asynccontextmanager
async def open_database(settings: Settings) -> AsyncIterator[Database]:
    """The database for one command, closed at the end."""
    opened = database(settings)
    try:
        yield opened
    finally:
        await opened.close()


def kafka_connection(settings: Settings) -> KafkaConnection:
    password = settings.kafka_sasl_password
    return KafkaConnection(
        bootstrap_servers=settings.kafka_bootstrap_servers,
        security_protocol=settings.kafka_security_protocol,
        sasl_mechanism=settings.kafka_sasl_mechanism,
        sasl_username=settings.kafka_sasl_username,
        sasl_password=password.get_secret_value() if password else None,
        cafile=settings.kafka_ssl_cafile,
    )


def dead_letter_queue(settings: Settings) -> DeadLetterQueue:
    return DeadLetterQueue(kafka_connection(settings), settings.topic_dlq_suffix)


def topic_consumer(
    settings: Settings,
    subscription: Subscription[Event],
    database: Database,
    letters: DeadLetterQueue,
    progress: Progress,
) -> TopicConsumer[Event]:
    """The consumer of one topic; nothing is connected before it runs."""
    group = settings.group(subscription.name)
    retry = RetryPolicy(longest=settings.retry_longest_pause_seconds)
    brake = Brake(BrakePolicy(settings.brake_ratio, settings.brake_window, settings.brake_run))
    applier = BatchApplier(subscription, group, database, letters, brake, retry, progress)
    return TopicConsumer(
        ConsumerParts(
            subscription=subscription,
            topic=settings.topic(subscription.name),
            group=group,
            connection=kafka_connection(settings),
            database=database,
            applier=applier,
            progress=progress,
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
        )
    )
