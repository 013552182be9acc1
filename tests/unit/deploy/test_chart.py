"""The Helm chart: helm takes it, Kubernetes would take what it makes, and it fits the service."""

import json
import math
import re
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from service.http.health import health
from service.http.server import GRACE_SECONDS
from service.parts import Part
from service.runner import BREAK_OFF_SECONDS, GOODBYE_SECONDS
from service.settings import PREFIX, Settings
from service.settings.sources import names
from tests.unit.deploy.chart import (
    CHART,
    VALUES,
    container,
    environment,
    helm,
    needs_helm,
    of_kind,
    pods,
    refusal,
    rendered,
    values_file,
)
from tests.unit.test_project import PROJECT

pytestmark = needs_helm

SCHEMAS = {
    file.stem: json.loads(file.read_text("utf-8"))
    for file in Path(__file__).parent.glob("kubernetes/*.json")
}
OF_OPERATORS = {"ScaledObject", "ServiceMonitor", "PrometheusRule"}
PARTS = {part.value for part in Part}
# A secret is what can stand in a file.
SECRETS = [
    name.upper()
    for name in Settings.model_fields
    if f"{PREFIX}{name.upper()}_FILE" in names(Settings)
]
every_values = pytest.mark.parametrize("values", VALUES)


@every_values
def test_helm_has_nothing_to_say_against_it(values: str) -> None:
    linted = helm("lint", "--strict", str(CHART), "--values", values_file(values))
    assert linted.returncode == 0, linted.stdout
    assert "WARNING" not in linted.stdout


@every_values
@pytest.mark.parametrize("version", SCHEMAS)
def test_each_resource_is_as_kubernetes_wants_it(values: str, version: str) -> None:
    for resource in rendered(values):
        if resource["kind"] not in OF_OPERATORS:
            schema = {**SCHEMAS[version], "$ref": f"#/$defs/{resource['kind']}"}
            faults = Draft202012Validator(schema).iter_errors(resource)
            assert [f"{resource['kind']} {each.json_path}: {each.message}" for each in faults] == []


def test_the_schemas_would_notice() -> None:
    [deployment] = [
        d for d in of_kind("smallest", "Deployment") if d["metadata"]["name"].endswith("http")
    ]
    validator = Draft202012Validator({**SCHEMAS["1.27"], "$ref": "#/$defs/Deployment"})
    assert validator.is_valid(deployment)
    deployment = json.loads(json.dumps(deployment))
    container(deployment["spec"]["template"])["readinesProbe"] = {}
    assert not validator.is_valid(deployment)


@every_values
def test_every_part_runs_and_each_but_once(values: str) -> None:
    started = {name: container(pod)["args"] for name, pod in pods(values).items()}
    jobs = {"migrate", "topics"} & started.keys()
    assert started == {part: ["run", "--only", part] for part in PARTS} | {
        job: [job] for job in jobs
    }
    assert jobs == (set() if values == "folder" else {"migrate", "topics"})


@every_values
def test_each_variable_is_a_setting(values: str) -> None:
    for pod in pods(values).values():
        told = {name for name in environment(pod) if name.startswith(PREFIX)}
        assert told - set(names(Settings)) == set()


def test_values_arrive_as_they_were_written() -> None:
    given = yaml.safe_load((CHART / "ci" / "production-values.yaml").read_text("utf-8"))["settings"]
    told = environment(pods("production")["claims"])
    assert {name: told[PREFIX + name] for name in given} == {
        name: str(value) for name, value in given.items()
    }


@every_values
def test_secrets_are_files_and_only_where_they_are_used(values: str) -> None:
    for component, pod in pods(values).items():
        told = environment(pod)
        assert [name for name in SECRETS if PREFIX + name in told] == []
        [volume] = [each for each in pod["spec"]["volumes"] if each["name"] == "secrets"]
        mounted = {
            item["path"]
            for source in volume["projected"]["sources"]
            for item in source["secret"]["items"]
        }
        [mount] = [m for m in container(pod)["volumeMounts"] if m["name"] == "secrets"]
        assert {name: file for name, file in told.items() if name.endswith("_FILE")} == {
            f"{PREFIX}{name}_FILE": f"{mount['mountPath']}/{name}" for name in mounted
        }
        if component in ("claims", "migrate", "topics"):
            assert not any(name.startswith(("REPORT_", "CONSOLE_", "API_")) for name in mounted)
        assert ("DATABASE_URL" in mounted) == (component != "topics")


def test_topics_may_be_made_by_another_user_of_kafka() -> None:
    usual, deployer = pods("production")["migrate"], pods("production")["topics"]
    user = f"{PREFIX}KAFKA_SASL_USERNAME"
    assert environment(usual)[user] == "claim-analytics"
    assert environment(deployer)[user] == "deployer"
    assert "kafka-deployer" in str(deployer["spec"]["volumes"])
    assert "kafka-deployer" not in str(usual["spec"]["volumes"])


@pytest.mark.parametrize("secret", SECRETS)
def test_a_secret_in_the_clear_is_refused(secret: str) -> None:
    complaint = refusal(**{f"settings__{secret}": "x"})
    assert f"settings.{secret} is a secret" in complaint


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"settings__KAFKA_BOOTSTRAP_SERVERS": ""}, "settings.KAFKA_BOOTSTRAP_SERVERS is missing"),
        ({"setings": {}}, "setings"),
        ({"claims__replicas": "two"}, "replicas"),
        ({"ingress__enabled": True}, "ingress.host is missing"),
        ({"secrets__REPORT_MASTER_KEYS": {"name": "a", "key": "b"}}, "nowhere to put their files"),
        ({"files": {"ca.pem": {"key": "ca.crt"}}}, "ca.pem"),
        ({"keda": {"enabled": True, "minReplicas": 0}}, "minReplicas"),
    ],
)
def test_what_cannot_work_is_refused_by_its_name(values: dict[str, object], said: str) -> None:
    assert said in refusal(**values)


@every_values
def test_no_pod_has_more_rights_than_it_needs(values: str) -> None:
    for pod in pods(values).values():
        spec, only = pod["spec"], container(pod)
        assert spec["automountServiceAccountToken"] is False
        security = spec["securityContext"]
        assert security["runAsNonRoot"]
        assert security["runAsUser"] == 10001
        assert security["seccompProfile"] == {"type": "RuntimeDefault"}
        assert only["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert only["resources"]["limits"]["memory"]
        writable = {m["mountPath"] for m in only["volumeMounts"] if not m.get("readOnly")}
        assert writable <= {"/tmp", "/var/lib/claim-analytics"}


@every_values
def test_kubernetes_waits_longer_than_the_service_takes_to_stop(values: str) -> None:
    for part in PARTS:
        pod = pods(values)[part]
        batch = float(environment(pod).get(f"{PREFIX}SHUTDOWN_SECONDS", 20.0))
        most = batch + BREAK_OFF_SECONDS + 4 * GOODBYE_SECONDS + GRACE_SECONDS
        stops = container(pod).get("lifecycle", {}).get("preStop", {"exec": {"command": ["", 0]}})
        patience = pod["spec"]["terminationGracePeriodSeconds"]
        assert patience > most + float(stops["exec"]["command"][1])
        assert patience < math.ceil(most) + 30


@every_values
def test_probes_ask_what_the_service_answers(values: str) -> None:
    answered = {getattr(route, "path", None) for route in health.routes}
    for part in PARTS:
        only = container(pods(values)[part])
        probes = {
            name: only[f"{name}Probe"]["httpGet"] for name in ("startup", "liveness", "readiness")
        }
        assert {name: probe["path"] for name, probe in probes.items()} == {
            "startup": "/healthz/live",
            "liveness": "/healthz/live",
            "readiness": "/healthz/ready",
        }
        assert {probe["path"] for probe in probes.values()} <= answered
        [port] = only["ports"]
        address = environment(pods(values)[part])[f"{PREFIX}HTTP_ADDRESS"]
        assert address.endswith(f":{port['containerPort']}")
        assert not address.startswith("127.")


@every_values
def test_what_selects_pods_selects_the_right_ones(values: str) -> None:
    labels = {name: pod["metadata"]["labels"] for name, pod in pods(values).items()}

    def selected(selector: dict[str, str]) -> set[str]:
        return {name for name, own in labels.items() if selector.items() <= own.items()}

    for deployment in of_kind(values, "Deployment"):
        component = deployment["metadata"]["labels"]["app.kubernetes.io/component"]
        assert selected(deployment["spec"]["selector"]["matchLabels"]) == {component}
    budgets = [
        selected(b["spec"]["selector"]["matchLabels"])
        for b in of_kind(values, "PodDisruptionBudget")
    ]
    assert sorted(map(sorted, budgets)) == [[part] for part in sorted(PARTS)]
    services = {
        s["metadata"]["name"]: selected(s["spec"]["selector"]) for s in of_kind(values, "Service")
    }
    assert services == {
        "billing-claim-analytics": {"http"},
        "billing-claim-analytics-metrics": PARTS,
    }
    for policy in of_kind(values, "NetworkPolicy"):
        assert selected(policy["spec"]["podSelector"]["matchLabels"]) == labels.keys()


def test_hooks_migrate_before_they_make_topics_and_need_nothing_of_the_release() -> None:
    jobs = {job["metadata"]["name"]: job for job in of_kind("smallest", "Job")}
    weights = {
        name: int(job["metadata"]["annotations"]["helm.sh/hook-weight"])
        for name, job in jobs.items()
    }
    assert sorted(weights, key=weights.__getitem__) == [
        "billing-claim-analytics-migrate",
        "billing-claim-analytics-topics",
    ]
    for job in jobs.values():
        assert job["metadata"]["annotations"]["helm.sh/hook"] == "pre-install,pre-upgrade"
        assert "serviceAccountName" not in job["spec"]["template"]["spec"]
        assert "configMap" not in str(job)


def test_the_chart_installs_this_version() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text("utf-8"))
    assert chart["appVersion"] == PROJECT["version"]
    assert container(pods("smallest")["claims"])["image"] == f"claim-analytics:{PROJECT['version']}"
    assert re.search(r"@sha256:[0-9a-f]{64}$", container(pods("production")["claims"])["image"])
