"""`python serve_until.py EVENTS PROGRAM`: run the service until it has stored offsets for so many
messages, then stop it. A drain serves no HTTP, so it cannot be scraped."""

import asyncio
import os
import subprocess
import sys
import time

import asyncpg

LOOK_SECONDS = 0.5
STORED = "SELECT coalesce(sum(next_offset), 0) FROM consumer_offsets"


async def stored() -> int:
    connection = await asyncpg.connect(os.environ["CLAIM_ANALYTICS_DATABASE_URL"])
    try:
        return int(await connection.fetchval(STORED))
    finally:
        await connection.close()


def main(events: int, program: str) -> int:
    service = subprocess.Popen([program, "run", "--only", "claims"])
    while service.poll() is None and asyncio.run(stored()) < events:
        time.sleep(LOOK_SECONDS)  # a poll
    service.terminate()
    return service.wait()


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2]))
