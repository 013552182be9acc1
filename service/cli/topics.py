"""`claim-analytics topics`: the topics in Kafka."""

import typer

from service import wiring
from service.cli.common import load_settings, run_async
from service.kafka import kafka_admin
from service.settings import Settings
from service.topics import create_missing_topics


def topics() -> None:
    """Create the topics that are missing, each with its dead letter topic.

    Topics that exist are left as they are. Partitions, replicas and retention of new ones are
    settings (CLAIM_ANALYTICS_TOPIC_…).
    """
    settings = load_settings()
    created = run_async(_create(settings))
    for name in created:
        typer.echo(f"created {name}")
    if not created:
        typer.echo("All topics exist.")


async def _create(settings: Settings) -> list[str]:
    async with kafka_admin(wiring.kafka_connection(settings)) as admin:
        return await create_missing_topics(admin, settings)
