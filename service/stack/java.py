"""Finds Java and Maven on this machine."""

import os
import re
import shutil
import subprocess
from pathlib import Path

from service.stack.errors import StackError

OLDEST_JAVA = 17  # Kafka 4's broker runs on nothing older

JAVA_REMEDY = (
    "install one (Debian, Ubuntu: `apt install openjdk-17-jre-headless`; "
    "macOS: `brew install openjdk@17`) or set JAVA_HOME to it"
)
MAVEN_REMEDY = (
    "install it (Debian, Ubuntu: `apt install maven`; macOS: `brew install maven`) "
    "or set MAVEN_HOME to it"
)


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
