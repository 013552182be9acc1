"""The cache of Kafka's jars, filled by a stand-in for Maven."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib import resources
from pathlib import Path

import pytest

from service.local.stack import StackError
from service.local.stack.java import KAFKA_VERSION, kafka_jars
from service.local.stack.server import silent
from service.local.stack.workspace import Workspace
from tests.unit.service.local.stack.test_java import make_program

# Counts its runs, and takes a moment, so that two at once would meet.
MAVEN = """
for argument in "$@"; do
  case "$argument" in -DoutputDirectory=*) target="${argument#*=}" ;; esac
done
echo run >> "$MAVEN_RUNS"
/bin/mkdir -p "$target" && echo a > "$target/a.jar" && /bin/sleep 0.2 && echo bb > "$target/b.jar"
"""


@pytest.fixture
def workspace() -> Iterator[Workspace]:
    with Workspace() as workspace:
        yield workspace


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache and a Maven that writes two jars; the file has a line for each of its runs."""
    make_program(tmp_path / "maven" / "bin", "mvn", MAVEN)
    monkeypatch.setenv("MAVEN_HOME", str(tmp_path / "maven"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("MAVEN_RUNS", str(tmp_path / "runs"))
    return tmp_path / "runs"


def test_the_jars_are_fetched_once(workspace: Workspace, runs: Path) -> None:
    first = kafka_jars(workspace, silent)
    second = kafka_jars(workspace, silent)
    assert first == second
    assert {jar.name for jar in first.glob("*.jar")} == {"a.jar", "b.jar"}
    assert runs.read_text() == "run\n"


def test_two_stacks_at_once_fetch_them_once(workspace: Workspace, runs: Path) -> None:
    with ThreadPoolExecutor() as threads, Workspace() as other:
        futures = [threads.submit(kafka_jars, each, silent) for each in (workspace, other)]
        [first, second] = [future.result() for future in futures]
    assert first == second
    assert runs.read_text() == "run\n"


def test_the_user_is_told_only_when_something_is_fetched(workspace: Workspace, runs: Path) -> None:
    said: list[str] = []
    kafka_jars(workspace, said.append)
    kafka_jars(workspace, said.append)
    assert [line.split(" (")[0] for line in said] == ["Fetching Kafka's jars through Maven"]


@pytest.mark.parametrize("missing", ["a.jar", "contents.txt"])
def test_a_folder_that_is_not_whole_is_filled_again(
    workspace: Workspace, runs: Path, missing: str
) -> None:
    jars = kafka_jars(workspace, silent)
    (jars / missing).unlink()
    kafka_jars(workspace, silent)
    assert (jars / missing).exists()
    assert runs.read_text() == "run\nrun\n"


def test_what_an_interrupted_fetch_left_is_not_used(
    workspace: Workspace, runs: Path, tmp_path: Path
) -> None:
    partial = tmp_path / "cache" / "claim-analytics" / f"kafka-{KAFKA_VERSION}.partial"
    partial.mkdir(parents=True)
    (partial / "torn.jar").write_text("half")
    jars = kafka_jars(workspace, silent)
    assert not (jars / "torn.jar").exists()
    assert not partial.exists()


def test_a_maven_that_fails_is_quoted_and_leaves_no_jars(
    workspace: Workspace, runs: Path, tmp_path: Path
) -> None:
    make_program(tmp_path / "maven" / "bin", "mvn", "echo 'Could not transfer artifact'; exit 1")
    with pytest.raises(StackError, match=r"check the network(?s:.*)Could not transfer artifact"):
        kafka_jars(workspace, silent)
    assert not list(tmp_path.glob("cache/**/*.jar"))


def test_a_cache_folder_that_cannot_be_written_is_named_with_the_remedy(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(StackError, match=rf"{tmp_path}/file/claim-analytics.*set XDG_CACHE_HOME"):
        kafka_jars(workspace, silent)


def test_the_pom_asks_for_the_version_that_the_cache_folder_is_named_for() -> None:
    pom = resources.files("service.local.stack").joinpath("pom.xml").read_text()
    assert re.findall(r"<kafka.version>(.*)</kafka.version>", pom) == [KAFKA_VERSION]
