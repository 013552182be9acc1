"""Every command of docs/runbook.md does what the page says, with the output that it shows."""

from service.local.stack.kafka import KafkaBroker
from tests.runbook.page import PAGE, SOURCE, comparable
from tests.runbook.story import told


async def test_the_commands_of_the_runbook_print_what_it_shows(
    own_kafka: KafkaBroker, postgres: str
) -> None:
    """A difference is mended by `python -m tests.runbook`, and a look at what has changed."""
    page = await told(SOURCE.read_text("utf-8"), own_kafka.bootstrap_servers, postgres)
    assert comparable(page) == comparable(PAGE.read_text("utf-8"))
