"""`claim-analytics publish FILE`: events from JSON Lines, for trying things out."""

from pathlib import Path
from typing import Annotated

import typer

from service import wiring
from service.cli.common import Exit, fail, load_settings, run_async
from service.kafka import Message, publisher
from service.message_files import MessageFileError, read_messages
from service.settings import Settings


def publish(
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="JSON Lines; - is not taken.")
    ],
) -> None:
    """Publish the events of a file of JSON Lines.

    A line is a whole CloudEvent (specversion, id, source, type, time, data): its topic follows
    from its type, its key is the provider's id. Or it is a message as it is (topic, key, headers,
    value), to try what a bad one does. docs/contracts/README.md describes both, and
    docs/contracts/examples holds some.
    """
    settings = load_settings()
    try:
        messages = read_messages(file, settings)
    except MessageFileError as error:
        fail(str(error), Exit.USAGE)
    run_async(_publish(settings, messages))
    typer.echo(f"published {len(messages)} messages")


async def _publish(settings: Settings, messages: list[Message]) -> None:
    async with publisher(wiring.kafka_connection(settings)) as publishing:
        for message in messages:
            await publishing.send(message)
