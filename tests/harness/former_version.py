"""A version of the service as it was, out of the repository's history, as processes."""

import io
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from tests.harness.deployment import Deployment
from tests.harness.process import ServiceProcess
from tests.unit.project_files import ROOT

BEFORE_ALL_METRICS = "4e092a8"  # 17 metrics, two claim events, a consumer group for each topic


Program = tuple[str | Path, ...]


def unpacked(commit: str, folder: Path) -> Program | None:
    """What runs that commit; None where the history is not there: a source archive, a shallow
    clone."""
    archive = ("git", "archive", commit, "service", "consumers", "repositories", "migrations")
    packed = subprocess.run(archive, cwd=ROOT, capture_output=True)
    if packed.returncode:
        return None
    with tarfile.open(fileobj=io.BytesIO(packed.stdout)) as files:
        files.extractall(folder, filter="data")
    return "env", f"PYTHONPATH={folder}", sys.executable, "-m", "service"


def first_of_this_schema() -> str:
    """The commit that changed the schema last: whatever came after it runs beside it."""
    asked = ("git", "log", "-1", "--no-merges", "--format=%H", "--", "migrations/versions")
    return subprocess.run(asked, cwd=ROOT, capture_output=True, text=True).stdout.strip()


class FormerVersion:
    """`claim-analytics` of a commit; it runs on what this version has installed."""

    def __init__(self, commit: str, folder: Path) -> None:
        """Skips the test where the history is not there."""
        program = unpacked(commit, folder)
        if program is None:
            # A shallow clone is a good checkout too.
            pytest.skip(f"the history of this clone does not reach back to {commit}")
        self._program = program

    def process(self, deployment: Deployment, *arguments: str) -> ServiceProcess:
        return ServiceProcess(deployment, *arguments, program=self._program)

    async def command(self, deployment: Deployment, *arguments: str) -> None:
        """Run it to its end, which must be a good one."""
        with self.process(deployment, *arguments) as process:
            assert await process.ended() == 0
