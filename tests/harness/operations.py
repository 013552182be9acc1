"""Commands of operators on a deployment, and the rows that they leave."""

import json
from typing import Any

from tests.harness.deployment import Deployment
from tests.harness.process import ServiceProcess, command
from tests.harness.rows import connected

YES = ("--yes", "--why", "a test")


async def offsets_shown(deployment: Deployment, topic: str) -> dict[int, dict[str, Any]]:
    """What `offsets show --json` says of a topic, by partition."""
    [group] = json.loads(await command(deployment, "offsets", "show", "--topic", topic, "--json"))
    return {one["partition"]: one for one in group["partitions"]}


async def rows(deployment: Deployment, query: str) -> list[dict[str, Any]]:
    async with connected(deployment) as connection:
        return [dict(row) for row in await connection.fetch(query)]


async def refused(deployment: Deployment, code: int, *arguments: str) -> str:
    """Run a command that must end with this code; its output."""
    with ServiceProcess(deployment, *arguments) as process:
        assert await process.ended() == code, process.output()
        return process.output()
