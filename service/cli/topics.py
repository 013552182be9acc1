"""`claim-analytics topics`: the topics in Kafka."""

import typer

from consumers.topics.claims import CLAIMS
from service import wiring
from service.cli.common import load_settings, run_async
from service.kafka import kafka_admin
from service.settings import Settings
from service.topics import WHY, amiss, create_missing_topics


def topics() -> None:
    """Create the topics and dead letter topics that are missing.

    Topics that exist are left as they are. It says where one is set otherwise than it should be,
    with the command that changes it, and where claim topics differ in their number of partitions:
    figures are right all the same, but one provider's events may be in the hands of several
    consumers, which then wait for each other. Partitions, replicas and retention of new ones are
    settings (CLAIM_ANALYTICS_TOPIC_…).
    """
    settings = load_settings()
    created, wrong, counts = run_async(_create(settings))
    for name in created:
        typer.echo(f"created {name}")
    if not created:
        typer.echo("All topics exist.")
    for name, configs in wrong.items():
        changes = ",".join(f"{key}={value}" for key, value in configs.items())
        typer.echo(
            f"{name} was left as it is, but {'; '.join(WHY[key] for key in configs)}."
            f" kafka-configs.sh --alter --entity-type topics --entity-name {name}"
            f" --add-config {changes} changes it."
        )
    if len(set(counts.values())) > 1:
        listed = ", ".join(f"{name} has {count}" for name, count in sorted(counts.items()))
        typer.echo(
            "The claim topics differ in their number of partitions, which slows consumption down:"
            f" {listed}. kafka-topics.sh --alter --partitions N --topic NAME adds some."
        )


async def _create(
    settings: Settings,
) -> tuple[list[str], dict[str, dict[str, str]], dict[str, int]]:
    """What was created, what is amiss with the others, and the claim topics' partitions."""
    async with kafka_admin(wiring.kafka_connection(settings)) as admin:
        created = await create_missing_topics(admin, settings)
        wrong = await amiss(admin, settings)
        return created, wrong, await admin.partition_counts(map(settings.topic, CLAIMS.decoders))
