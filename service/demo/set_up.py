"""Schema and topics, as `claim-analytics migrate` and `topics` make them."""

import asyncio

from migrations import commands
from repositories.database import domain_errors
from service.kafka import KafkaAdmin
from service.settings import Settings
from service.topics import ALL_TOPICS, create_missing_topics

POLL_SECONDS = 0.05


async def create_schema(settings: Settings) -> str:
    """Returns the schema's revision. Raises a RepositoryError."""

    def migrate() -> None:
        with domain_errors():
            commands.upgrade(settings.database_url.get_secret_value())

    await asyncio.to_thread(migrate)
    return commands.head()


async def create_topics(admin: KafkaAdmin, settings: Settings) -> None:
    """Returns when they can be used. Raises KafkaFailed."""
    created = set(await create_missing_topics(admin, settings, ALL_TOPICS))
    # The broker itself learns of them a little later.
    while not await admin.existing_topics() >= created:  # noqa: ASYNC110  # nobody tells
        await asyncio.sleep(POLL_SECONDS)
