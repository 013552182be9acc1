"""Writes and reads a report and prints the most memory it took: `python -m … FOLDER MEGABYTES`."""

import asyncio
import os
import resource
import sys
from collections.abc import AsyncGenerator
from datetime import date

from service.reports.files.keys import Keyring, new_master_key
from service.reports.files.locations import open_store
from service.reports.files.report_files import read_report, write_report


async def _megabytes(number: int) -> AsyncGenerator[bytes]:
    for _ in range(number):
        yield os.urandom(1024 * 1024)


async def _write_and_read(url: str, megabytes: int) -> None:
    store, keyring = open_store(url), Keyring.parse(new_master_key(date(2026, 7, 29)))
    path = "reports/provider/report.1.csv.enc"
    written = await write_report(store, keyring, path, _megabytes(megabytes))
    size = 0
    async for piece in read_report(store, keyring, path, written.key):
        size += len(piece)
    if size != megabytes * 1024 * 1024:
        raise SystemExit(f"{size} bytes came back")


if __name__ == "__main__":
    asyncio.run(_write_and_read(sys.argv[1], int(sys.argv[2])))
    sys.stdout.write(str(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024))
