"""What Kafka needs: Java and Maven of this machine, and its jars, which a cache folder keeps."""

import fcntl
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path

from service.local.stack.server import Progress, run
from service.local.stack.workspace import STOPPED, StackError, Workspace

KAFKA_VERSION = "4.1.1"  # as in pom.xml; a test compares them
OLDEST_JAVA = 17  # Kafka 4's broker runs on nothing older

JAVA_REMEDY = (
    "install one (Debian, Ubuntu: `apt install openjdk-17-jre-headless`; "
    "macOS: `brew install openjdk@17`) or set JAVA_HOME to it"
)
MAVEN_REMEDY = (
    "install it (Debian, Ubuntu: `apt install maven`; macOS: `brew install maven`) "
    "or set MAVEN_HOME to it"
)
# Lists the size and name of every jar; written last, so a folder without it is not whole.
CONTENTS = "contents.txt"


def find_java() -> Path:
    """The first of JAVA_HOME's and PATH's `java` that is new enough."""
    versions = {java: java_version(java) for java in _candidates("java", "JAVA_HOME")}
    for java, version in versions.items():
        if version is not None and version >= OLDEST_JAVA:
            return java
    found = ", ".join(f"{java} is Java {version}" for java, version in versions.items() if version)
    raise StackError(
        f"Kafka needs Java {OLDEST_JAVA} or newer, and "
        f"{found or 'there is none on this machine'}: {JAVA_REMEDY}."
    )


def find_maven() -> Path:
    """MAVEN_HOME's or PATH's `mvn`."""
    candidates = _candidates("mvn", "MAVEN_HOME")
    if not candidates:
        raise StackError(
            "Kafka's jars come through Maven (the first time only), "
            f"and there is no `mvn` on this machine: {MAVEN_REMEDY}."
        )
    return candidates[0]


def java_version(java: Path) -> int | None:
    """The major version, or None when the program is no Java (macOS has a stub in its place)."""
    try:
        answer = subprocess.run(  # noqa: S603  # the user's own Java
            [java, "-version"], capture_output=True, text=True, check=False, timeout=30
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return parse_java_version(answer.stderr + answer.stdout)


def parse_java_version(text: str) -> int | None:
    """17 from `openjdk version "17.0.15" …`, 8 from the old style `java version "1.8.0_392"`."""
    match = re.search(r'version "(?:1\.)?(\d+)', text)
    return int(match.group(1)) if match else None


def _candidates(program: str, home_variable: str) -> list[Path]:
    home = os.environ.get(home_variable)
    at_home = shutil.which(program, path=Path(home, "bin")) if home else None
    return [Path(found) for found in (at_home, shutil.which(program)) if found]


def kafka_jars(workspace: Workspace, progress: Progress) -> Path:
    """The folder with the jars, filled first when it is missing or not whole."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "claim-analytics")
    cache = cache.absolute()
    jars = cache / f"kafka-{KAFKA_VERSION}"
    if _is_whole(jars):
        return jars
    try:
        cache.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=cache).close()
    except OSError as error:
        raise StackError(
            f"The folder {cache}, which is to keep Kafka's jars, cannot be written "
            f"({error.strerror}): set XDG_CACHE_HOME to a folder of yours."
        ) from error
    with _lock(jars.with_name(f"{jars.name}.lock"), workspace):
        if not _is_whole(jars):
            progress("Fetching Kafka's jars through Maven (the first time only, about 45 MB) …")
            _fetch(jars, workspace)
    return jars


def _is_whole(jars: Path) -> bool:
    try:
        return (jars / CONTENTS).read_text() == _contents(jars)
    except OSError:
        return False


def _contents(jars: Path) -> str:
    return "".join(f"{jar.stat().st_size} {jar.name}\n" for jar in sorted(jars.glob("*.jar")))


def _fetch(jars: Path, workspace: Workspace) -> None:
    """Fill a folder beside the final one and move it there when it is whole."""
    partial = jars.with_name(f"{jars.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    project, log = workspace.folder / "pom.xml", workspace.folder / "maven.log"
    project.write_text(resources.files("service.local.stack").joinpath("pom.xml").read_text())
    command: list[str | Path] = [find_maven(), "--quiet", "--batch-mode", "--no-transfer-progress"]
    command += ["--file", project, "dependency:copy-dependencies", "-DincludeScope=runtime"]
    command += [f"-DoutputDirectory={partial}"]
    process = workspace.start(command, log=log)
    run(process, log, "Maven could not fetch Kafka's jars; check the network and try again")
    (partial / CONTENTS).write_text(_contents(partial))
    shutil.rmtree(jars, ignore_errors=True)
    partial.rename(jars)


@contextmanager
def _lock(path: Path, workspace: Workspace) -> Iterator[None]:
    """Held by one process at a time; the system frees it when that process ends."""
    with path.open("w") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if workspace.closed:
                    raise StackError(STOPPED) from None
            time.sleep(0.1)  # a lock that blocks would not see the stack being stopped
        yield
