"""Kafka's jars, which Maven fetches once and a cache folder keeps."""

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path

from service.stack.errors import StackError
from service.stack.java import find_maven
from service.stack.server import Progress, run
from service.stack.workspace import Workspace

KAFKA_VERSION = "4.1.1"  # as in pom.xml; a test compares them

CONTENTS = "contents.txt"
"""Lists the size and name of every jar; written last, so a folder without it is not whole."""


def kafka_jars(workspace: Workspace, progress: Progress) -> Path:
    """The folder with the jars, filled first when it is missing or not whole."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "claim-analytics")
    jars = cache.absolute() / f"kafka-{KAFKA_VERSION}"
    if _is_whole(jars):
        return jars
    _make_writable(jars.parent)
    with _lock(jars.with_name(f"{jars.name}.lock"), workspace):
        if not _is_whole(jars):
            progress("Fetching Kafka's jars through Maven (the first time only, about 45 MB) …")
            _fetch(jars, workspace)
    return jars


def _make_writable(cache: Path) -> None:
    try:
        cache.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=cache).close()
    except OSError as error:
        raise StackError(
            f"The folder {cache}, which is to keep Kafka's jars, cannot be written "
            f"({error.strerror}): set XDG_CACHE_HOME to a folder of yours."
        ) from error


def _is_whole(jars: Path) -> bool:
    try:
        expected = (jars / CONTENTS).read_text()
    except OSError:
        return False
    return expected == _contents(jars)


def _contents(jars: Path) -> str:
    return "".join(f"{jar.stat().st_size} {jar.name}\n" for jar in sorted(jars.glob("*.jar")))


def _fetch(jars: Path, workspace: Workspace) -> None:
    """Fill a folder beside the final one and move it there when it is whole."""
    partial = jars.with_name(f"{jars.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    _run_maven(partial, workspace)
    (partial / CONTENTS).write_text(_contents(partial))
    shutil.rmtree(jars, ignore_errors=True)
    partial.rename(jars)


def _run_maven(target: Path, workspace: Workspace) -> None:
    project = workspace.folder / "pom.xml"
    project.write_text(resources.files("service.stack").joinpath("pom.xml").read_text())
    log = workspace.folder / "maven.log"
    maven: list[str | Path] = [find_maven(), "--quiet", "--batch-mode", "--no-transfer-progress"]
    goal = ["dependency:copy-dependencies", "-DincludeScope=runtime", f"-DoutputDirectory={target}"]
    process = workspace.start([*maven, "--file", project, *goal], log=log)
    run(process, log, "Maven could not fetch Kafka's jars; check the network and try again")


@contextmanager
def _lock(path: Path, workspace: Workspace) -> Iterator[None]:
    """Held by one process at a time; the system frees it when that process ends."""
    with path.open("w") as file:
        while not _try_lock(file.fileno()):
            if workspace.closed:
                raise StackError("The stack was stopped while it was starting.")
            time.sleep(0.1)  # a lock that blocks would not see the stack being stopped
        yield


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
