"""The files for Docker: no engine is needed to see that they fit the project."""

import re
import shutil
import subprocess
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from service.http.server import GRACE_SECONDS
from service.local.stack.java import KAFKA_VERSION
from service.parts import Part
from service.runner import BREAK_OFF_SECONDS, GOODBYE_SECONDS
from service.settings import PREFIX, Settings
from tests.unit.project_files import ROOT, project_files

Compose = dict[str, Any]
PACKAGES = ("repositories", "consumers", "service", "migrations")
SERVICES: Compose = yaml.safe_load(project_files()["docker-compose.yml"])["services"]


@cache
def compose_tool() -> list[str] | None:
    """The command that this machine has for compose files, if any."""
    tools = [["docker", "compose"], ["docker-compose"]]
    return next((tool for tool in tools if shutil.which(tool[0]) and _answers(tool)), None)


def _answers(tool: list[str]) -> bool:
    return subprocess.run([*tool, "version"], capture_output=True).returncode == 0


# It comes with Docker, which not every machine has.
@pytest.mark.skipif(compose_tool() is None, reason="there is no compose tool on this machine")
def test_compose_itself_takes_the_file() -> None:
    tool = compose_tool() or []
    checked = subprocess.run([*tool, "config", "--quiet"], cwd=ROOT, capture_output=True, text=True)
    assert checked.returncode == 0, checked.stderr


OURS = {"migrate", "topics", "claim-analytics", "http"}
RUNNING = {"claim-analytics", "http"}


def test_each_server_says_when_it_is_ready_and_starts_no_jvm_for_it() -> None:
    checks = {n: service["healthcheck"]["test"] for n, service in SERVICES.items() if n not in OURS}
    assert checks.keys() == {"kafka", "postgres"}
    assert [name for name, check in checks.items() if ".sh" in str(check)] == []
    # The service's own check is the image's, wherever it runs.
    assert "HEALTHCHECK" in project_files()["Dockerfile"]
    assert [name for name in OURS if "healthcheck" in SERVICES[name]] == []


def test_what_runs_comes_back_with_the_engine_and_what_ends_does_not() -> None:
    again = {name for name, s in SERVICES.items() if s.get("restart") == "unless-stopped"}
    assert again == SERVICES.keys() - {"migrate", "topics"}
    assert [name for name in ("migrate", "topics") if "restart" in SERVICES[name]] == []


def test_every_part_runs_once_and_what_has_a_port_of_the_host_is_never_scaled() -> None:
    parts = [part for name in RUNNING for part in SERVICES[name]["command"] if part in list(Part)]
    assert sorted(parts) == sorted(Part)
    assert "ports" not in SERVICES["claim-analytics"]
    published = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert len(published) == 3
    assert [port for port in published if not port.startswith("127.0.0.1:")] == []
    inside = SERVICES["http"]["environment"][f"{PREFIX}HTTP_ADDRESS"]
    assert inside == "0.0.0.0:8080"
    assert f"{PREFIX}HTTP_ADDRESS={inside}" in project_files()["Dockerfile"]


def test_the_service_starts_after_schema_and_topics_and_those_after_their_servers() -> None:
    conditions = {
        (name, other): wait["condition"]
        for name, service in SERVICES.items()
        for other, wait in service.get("depends_on", {}).items()
    }
    assert conditions == {
        ("migrate", "postgres"): "service_healthy",
        ("topics", "kafka"): "service_healthy",
    } | {
        (running, once): "service_completed_successfully"
        for running in RUNNING
        for once in ("migrate", "topics")
    }


def test_no_container_has_more_rights_than_it_needs() -> None:
    for name, service in SERVICES.items():
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service.get("read_only", False) == (name != "kafka"), name
        assert name in {"kafka", "postgres"} or "cap_add" not in service, name
    heartbeat = SERVICES["claim-analytics"]["environment"][f"{PREFIX}HEARTBEAT_FILE"]
    assert str(Path(heartbeat).parent) in SERVICES["claim-analytics"]["tmpfs"]


def test_one_image_that_is_built_once_serves_every_command() -> None:
    ours = {name: s for name, s in SERVICES.items() if s["image"] == "claim-analytics"}
    assert set(ours) == OURS
    assert [name for name, service in SERVICES.items() if "build" in service] == ["claim-analytics"]


def test_data_outlives_the_containers() -> None:
    volumes = {v.split(":")[0] for s in SERVICES.values() for v in s.get("volumes", [])}
    assert volumes == set(yaml.safe_load(project_files()["docker-compose.yml"])["volumes"])


def test_docker_waits_longer_than_the_service_takes_to_stop() -> None:
    batch = Settings.model_fields["shutdown_seconds"].default
    for name in RUNNING:
        patience = float(SERVICES[name]["stop_grace_period"].removesuffix("s"))
        assert patience > batch + BREAK_OFF_SECONDS + 4 * GOODBYE_SECONDS + GRACE_SECONDS


def test_every_setting_can_be_made_but_for_the_security_of_the_broker() -> None:
    settings = {PREFIX + name.upper() for name in Settings.model_fields}
    given = set(SERVICES["claim-analytics"]["environment"])
    security = (f"{PREFIX}KAFKA_S", f"{PREFIX}KAFKA_OAUTH")
    assert {name for name in settings - given if not name.startswith(security)} == set()
    assert {name for name in given - settings if not name.startswith("AWS_")} == set()


def test_all_of_the_env_file_is_handed_on_so_that_misspelt_names_are_seen() -> None:
    for name in OURS:
        assert SERVICES[name]["env_file"] == [{"path": ".env", "required": False}]


def test_compose_runs_the_kafka_of_the_stack() -> None:
    assert SERVICES["kafka"]["image"] == f"apache/kafka:{KAFKA_VERSION}"


def test_the_image_holds_every_package_and_its_context_lets_them_in() -> None:
    dockerfile = project_files()["Dockerfile"]
    copied = {
        source
        for sources in re.findall(r"^COPY (?!--)(.+) \S+$", dockerfile, re.MULTILINE)
        for source in sources.split()
    }
    packages = tomllib.loads(project_files()["pyproject.toml"])["tool"]["setuptools"]["packages"]
    assert {name.rstrip("*") for name in packages["find"]["include"]} <= copied
    assert [source for source in copied if not (ROOT / source).exists()] == []
    let_in = set(re.findall(r"^!(.+)$", project_files()[".dockerignore"], re.MULTILINE))
    assert copied == let_in


def test_the_wheel_holds_every_file_of_its_packages() -> None:
    """Templates, fonts, styles: what is not Python is in the image only if it is declared."""
    tools = tomllib.loads(project_files()["pyproject.toml"])["tool"]["setuptools"]
    listed = {
        str(file.relative_to(ROOT))
        for package, patterns in tools["package-data"].items()
        for pattern in patterns
        for file in (ROOT / package).glob(pattern)
    }
    tracked = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", *PACKAGES],
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
    ).stdout.split()
    assert [name for name in tracked if not name.endswith(".py") and name not in listed] == []


def test_the_image_installs_by_hash_and_runs_the_service_without_root() -> None:
    dockerfile = project_files()["Dockerfile"]
    installs = re.findall(r"pip install [^\n&]*", dockerfile)
    assert all("--require-hashes" in line or "--no-deps" in line for line in installs)
    assert len(installs) == 3
    assert re.findall(r"^(USER|ENTRYPOINT|CMD) (.+)$", dockerfile, re.MULTILINE) == [
        ("USER", "10001"),
        ("ENTRYPOINT", '["claim-analytics"]'),
        ("CMD", '["run"]'),
    ]
