"""Rules of the project as a whole."""

import os
import re
import subprocess
import tomllib
from importlib.metadata import entry_points

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from service.__main__ import main
from service.settings import PREFIX, Settings
from service.settings.sources import names
from tests.unit.project_files import ROOT, files_like, project_files

# In pieces, so that this file does not name them either.
REGISTRIES = [
    ".".join(parts)
    for parts in [
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("npmjs", "org"),
        ("repo1", "maven", "org"),
        ("repo", "maven", "apache", "org"),
        ("crates", "io"),
        ("proxy", "golang", "org"),
        ("deb", "debian", "org"),
    ]
]
FOLDER_OF_A_MACHINE = re.compile(r"(?<![\w./<>{}])/(?:root|home|work|Users)/\w+")
LOCKED = re.compile(
    r"^(\S+)==(\S+)(?: ; [^\\]+)? \\\n((?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)", re.MULTILINE
)
TARGETS = ("setup", "demo", "test", "torture", "soak", "bench", "check", "lock", "clean")
PROJECT = tomllib.loads(project_files()["pyproject.toml"])["project"]


def test_no_file_names_a_package_registry() -> None:
    naming = [name for name, text in project_files().items() if any(r in text for r in REGISTRIES)]
    assert naming == []


def test_no_file_names_a_folder_of_one_machine() -> None:
    naming = {
        name: found.group()
        for name, text in project_files().items()
        if (found := FOLDER_OF_A_MACHINE.search(text))
    }
    assert naming == {}


def test_no_module_is_longer_than_300_lines() -> None:
    lengths = {name: len(text.splitlines()) for name, text in files_like(".py").items()}
    assert {name: lines for name, lines in lengths.items() if lines > 300} == {}


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_each_line_of_a_lock_file_is_a_version_with_hashes(lock: str) -> None:
    text = project_files()[lock]
    assert LOCKED.sub("", text) == ""
    assert len(_locked(lock)) > 10


@pytest.mark.parametrize(
    ("lock", "extras"),
    [("requirements.lock", []), ("requirements-dev.lock", ["stack", "dev"])],
)
def test_the_lock_files_fit_the_project(lock: str, extras: list[str]) -> None:
    asked = [
        *PROJECT["dependencies"],
        *(r for e in extras for r in PROJECT["optional-dependencies"][e]),
    ]
    locked = _locked(lock)
    for requirement in map(Requirement, asked):
        name = canonicalize_name(requirement.name)
        if name != PROJECT["name"]:
            assert requirement.specifier.contains(locked[name]), requirement


def test_users_get_what_the_tests_ran_with() -> None:
    assert _locked("requirements.lock").items() <= _locked("requirements-dev.lock").items()


def _locked(lock: str) -> dict[str, str]:
    return {name: version for name, version, _ in LOCKED.findall(project_files()[lock])}


def test_the_console_script_is_the_command_line() -> None:
    [script] = entry_points(group="console_scripts", name=PROJECT["name"])
    assert script.load() is main


def test_every_setting_says_what_it_means() -> None:
    meanings = {name: field.description or "" for name, field in Settings.model_fields.items()}
    # They end without a full stop: they are part of a table, and of the sentence of a complaint.
    assert [name for name, said in meanings.items() if len(said) < 15 or said.endswith(".")] == []


def test_only_settings_that_exist_are_named() -> None:
    settings = names(Settings)
    places = files_like(".md", ".yml", ".py", ".env.example", "Dockerfile", "Makefile")
    unknown = {
        (place, name)
        for place, text in places.items()
        for name in re.findall(rf"{PREFIX}[A-Z0-9_]+", text)
        if not name.startswith(f"{PREFIX}TEST_") and not _names_some(name, settings)
    }
    assert unknown == set()


def _names_some(name: str, settings: list[str]) -> bool:
    """`CLAIM_ANALYTICS_TOPIC_…` stands for all that begin so."""
    return any(
        known.startswith(name) if name.endswith("_") else known == name for known in settings
    )


@pytest.mark.parametrize("target", TARGETS)
def test_make_knows_its_targets(target: str) -> None:
    assert _make(target)


def test_ci_ends_with_the_command_that_make_test_ends_with() -> None:
    ci = ROOT / ".ci" / "run"
    assert os.access(ci, os.X_OK)
    *_, last = ci.read_text("utf-8").splitlines()
    assert last == f"exec {_make('test')[-1]}"


def _make(target: str) -> list[str]:
    """The commands that `make target` would run."""
    command = ["make", "--dry-run", "--no-print-directory", target, "ARGS="]
    lines = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True).stdout
    return [line.strip() for line in lines.splitlines()]


def test_the_changelog_begins_with_this_version() -> None:
    versions = re.findall(r"^## \[(.+?)\]", project_files()["CHANGELOG.md"], re.MULTILINE)
    assert versions[0] == PROJECT["version"]
