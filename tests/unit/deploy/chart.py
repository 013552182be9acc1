"""The Helm chart, as helm renders it."""

import json
import os
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.unit.project_files import ROOT

Resource = dict[str, Any]

CHART = ROOT / "deploy" / "helm" / "claim-analytics"
PLACES = os.pathsep.join((os.environ.get("PATH", ""), str(Path.home() / "go" / "bin")))
HELM = shutil.which("helm", path=PLACES)
VALUES = sorted(file.name.removesuffix("-values.yaml") for file in CHART.glob("ci/*-values.yaml"))
needs_helm = pytest.mark.skipif(  # it is not Python's to install
    HELM is None, reason="there is no helm (go install helm.sh/helm/v3/cmd/helm@latest)"
)


def helm(*arguments: str) -> subprocess.CompletedProcess[str]:
    assert HELM
    # A helm that was built from its source takes the cluster for an old one.
    command = [HELM, *arguments, "--kube-version", "1.34.0"]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def values_file(values: str) -> str:
    return str(CHART / "ci" / f"{values}-values.yaml")


@cache
def rendered(values: str) -> tuple[Resource, ...]:
    """Every resource of a release named `billing`, with one of the files of `ci/`."""
    done = helm("template", "billing", str(CHART), "--values", values_file(values))
    assert done.returncode == 0, done.stderr
    return tuple(resource for resource in yaml.safe_load_all(done.stdout) if resource)


def of_kind(values: str, kind: str) -> list[Resource]:
    return [resource for resource in rendered(values) if resource["kind"] == kind]


def pods(values: str) -> dict[str, Resource]:
    """The pod templates, by component."""
    return {
        owner["metadata"]["labels"]["app.kubernetes.io/component"]: owner["spec"]["template"]
        for kind in ("Deployment", "Job")
        for owner in of_kind(values, kind)
    }


def container(pod: Resource) -> Resource:
    [only] = pod["spec"]["containers"]
    result: Resource = only
    return result


def environment(pod: Resource) -> dict[str, str]:
    """What it is told in the clear."""
    return {each["name"]: each["value"] for each in container(pod)["env"]}


def refusal(**values: object) -> str:
    """Helm's complaint about the smallest installation with these values on top, or nothing."""
    changes = [
        f"--set-json={name.replace('__', '.')}={json.dumps(v)}" for name, v in values.items()
    ]
    return helm(
        "template", "billing", str(CHART), "--values", values_file("smallest"), *changes
    ).stderr
