"""Finding Java and Maven, and saying what is missing."""

from pathlib import Path

import pytest

from service.local.stack import StackError
from service.local.stack.java import find_java, find_maven, parse_java_version


def make_program(folder: Path, name: str, script: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / name
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return program


def make_java(folder: Path, version: str) -> Path:
    return make_program(folder, "java", f"echo 'openjdk version \"{version}\" 2025-01-01' >&2")


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder on PATH; no JAVA_HOME and no MAVEN_HOME."""
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.delenv("MAVEN_HOME", raising=False)
    return tmp_path / "path"


def test_without_java_the_error_names_the_version_needed_and_how_to_get_it(path: Path) -> None:
    with pytest.raises(StackError, match=r"Java 17 or newer.*there is none.*apt install.*brew"):
        find_java()


def test_a_java_that_is_too_old_is_named_with_its_version(path: Path) -> None:
    java = make_java(path, "11.0.2")
    with pytest.raises(StackError, match=rf"{java} is Java 11: install one.*JAVA_HOME"):
        find_java()


def test_the_java_on_the_path_is_found(path: Path) -> None:
    java = make_java(path, "17.0.15")
    assert find_java() == java


def test_java_home_goes_before_the_path(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_java(path, "17.0.15")
    java = make_java(tmp_path / "home" / "bin", "21")
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "home"))
    assert find_java() == java


def test_an_old_java_home_does_not_hide_a_newer_java_on_the_path(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    java = make_java(path, "17.0.15")
    make_java(tmp_path / "home" / "bin", "1.8.0_392")
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "home"))
    assert find_java() == java


def test_a_stub_in_the_place_of_java_counts_as_none(path: Path) -> None:
    make_program(path, "java", "echo 'Unable to locate a Java Runtime.' >&2; exit 1")
    with pytest.raises(StackError, match="there is none"):
        find_java()


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ('openjdk version "17.0.15" 2025-04-15', 17),
        ('openjdk version "21" 2023-09-19', 21),
        ('openjdk version "25-ea" 2025-09-16', 25),
        ('java version "1.8.0_392"', 8),
        ('Picked up JAVA_TOOL_OPTIONS: -Dx=1\nopenjdk version "17.0.1"', 17),
        ("command not found", None),
    ],
)
def test_the_version_is_read_from_what_java_says(text: str, version: int | None) -> None:
    assert parse_java_version(text) == version


def test_without_maven_the_error_says_how_to_get_it(path: Path) -> None:
    with pytest.raises(StackError, match=r"no `mvn`.*apt install maven.*MAVEN_HOME"):
        find_maven()


def test_maven_is_found_in_maven_home(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    maven = make_program(tmp_path / "maven" / "bin", "mvn", "exit 0")
    monkeypatch.setenv("MAVEN_HOME", str(tmp_path / "maven"))
    assert find_maven() == maven
