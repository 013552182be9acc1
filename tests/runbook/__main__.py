"""`python -m tests.runbook`: run the runbook's commands, and write docs/runbook.md anew."""

import asyncio

from tests import servers
from tests.runbook.page import PAGE, SOURCE
from tests.runbook.story import told


async def main() -> None:
    with servers.own_kafka() as broker, servers.own_postgres() as server:
        page = await told(SOURCE.read_text("utf-8"), broker.bootstrap_servers, server.url)
    PAGE.write_text(page, "utf-8")


if __name__ == "__main__":
    asyncio.run(main())
