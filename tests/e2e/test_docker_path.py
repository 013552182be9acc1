"""The Docker path: the commands of the README, one after the other, in a fresh checkout.

It takes an engine with compose, which has the images that the project names or can fetch them.
"""

import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from service.local.stack.server import free_ports
from tests.containers import docker_answers
from tests.unit.project_files import ROOT, project_files
from tests.unit.test_docker import compose_tool

pytestmark = [
    pytest.mark.timeout(900),  # the image is built, and the broker started
    pytest.mark.skipif(  # it needs a real engine
        compose_tool() != ["docker", "compose"] or not docker_answers(),
        reason="no Docker engine with compose answers, or it has not the images",
    ),
]
INSTANCES = 3  # as the README scales it
SECONDS = 120


class Checkout:
    """A copy of the project's files, and a compose project of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in project_files():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name, follow_symlinks=False)
        for font in ROOT.glob("service/reports/documents/fonts/*.ttf"):
            shutil.copy2(font, folder / font.relative_to(ROOT))
        kafka, postgres, self.http = free_ports(3)
        self._environment = os.environ | {
            "COMPOSE_PROJECT_NAME": folder.name.lower(),
            "KAFKA_PORT": str(kafka),
            "POSTGRES_PORT": str(postgres),
            "HTTP_PORT": str(self.http),
        }

    def run(self, command: str) -> str:
        """Its output. Fails the test with all that it said, if it fails."""
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", command],
            cwd=self.folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}\n{self._logs()}"
        return done.stdout

    def _logs(self) -> str:
        command = ["docker", "compose", "logs", "--no-color", "--tail", "20"]
        return subprocess.run(
            command, cwd=self.folder, env=self._environment, capture_output=True, text=True
        ).stdout

    def containers(self, service: str) -> list[dict[str, Any]]:
        ids = self.run(f"docker compose ps --quiet {service}").split()
        found: list[dict[str, Any]] = json.loads(self.run(f"docker inspect {' '.join(ids)}"))
        return found


def _commands() -> list[str]:
    """Those of the README's part on Docker; a backslash joins two lines."""
    readme = project_files()["README.md"]
    part = readme[readme.index("**With Docker**") : readme.index("**In Kubernetes:**")]
    blocks = re.findall(r"^```\n(.*?)^```", part, re.MULTILINE | re.DOTALL)
    return [line for block in blocks for line in block.replace("\\\n", " ").splitlines() if line]


def _until(healthy: str, holds: Any) -> None:
    last = time.monotonic() + SECONDS
    while not holds():
        assert time.monotonic() < last, f"not within {SECONDS} s: {healthy}"
        time.sleep(1)  # a poll


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    """After all that the README tells a stranger to type."""
    made = Checkout(tmp_path_factory.mktemp("claim-analytics"))
    try:
        for command in _commands():
            made.run(_as_typed(command, made))
        yield made
    finally:
        made.run("docker compose down --volumes --timeout 60")


def _as_typed(command: str, checkout: Checkout) -> str:
    # In a terminal one follows the log; here it would never end.
    command = command.replace("--follow ", "").replace(" exec claim", " exec -T claim")
    if "report fetch" in command:
        listed = "docker compose exec -T claim-analytics claim-analytics report list --json"
        _until("a report is ready", lambda: '"ready"' in checkout.run(listed))
        chosen = next(
            one
            for one in json.loads(checkout.run(listed))
            if (one["status"], one["format"]) == ("ready", "PDF")
        )
        command = command.replace("REPORT_ID", chosen["report_id"])
        command = command.replace("PROVIDER_ID", chosen["provider_id"])
    return command


def test_the_commands_of_the_readme_take_a_stranger_to_a_report(checkout: Checkout) -> None:
    assert (checkout.folder / "report.pdf").read_bytes().startswith(b"%PDF-")
    claims = checkout.run(
        'grep -ho \'"claim_id": "[^"]*\' docs/contracts/examples/accepted/claim-submitted.jsonl'
    )
    claim = claims.split('"')[3]
    receipt = checkout.run(
        f"docker compose exec -T claim-analytics claim-analytics receipt {claim}"
    )
    assert "counts" in receipt

    for service, count in (("claim-analytics", INSTANCES), ("http", 1)):
        _until(
            f"{count} of {service} are healthy",
            lambda service=service, count=count: (
                [each["State"]["Health"]["Status"] for each in checkout.containers(service)]
                == ["healthy"] * count
            ),
        )
    with urlopen(f"http://localhost:{checkout.http}/healthz/live") as answer:
        assert answer.status == 200


def test_containers_run_without_root_on_a_root_that_they_cannot_write_to(
    checkout: Checkout,
) -> None:
    inside = "docker compose exec -T http sh -c"
    assert checkout.run(f"{inside} 'id -u'").strip() == "10001"
    assert "cannot" in checkout.run(f"{inside} 'touch /opt/claim-analytics/x 2>&1 || echo cannot'")
    assert checkout.run(f"{inside} 'touch /tmp/x && echo can'").strip() == "can"
    # Nothing of what is not Python was left out of the wheel.
    packages = [name for name in project_files() if name.endswith((".html", ".css", ".js", ".sql"))]
    places = [name for name in packages if name.startswith(("service/", "repositories/"))]
    site = "/opt/claim-analytics/lib/python3*/site-packages"
    assert places
    for name in places:
        checkout.run(f"{inside} 'test -e {site}/{name}'")


def test_a_process_that_dies_is_started_again(checkout: Checkout) -> None:
    [before] = checkout.containers("http")
    checkout.run("docker compose exec -T http sh -c 'kill -KILL -1' || true")
    _until(
        "the container was started again",
        lambda: (
            checkout.containers("http")[0]["RestartCount"] == before["RestartCount"] + 1
            and checkout.containers("http")[0]["State"]["Running"]
        ),
    )
