"""What the chart makes for others of the cluster: KEDA, Prometheus, an ingress controller."""

import json

import yaml

from service.settings import PREFIX
from tests.unit.deploy.chart import container, environment, needs_helm, of_kind, pods
from tests.unit.project_files import ROOT

pytestmark = needs_helm


def test_scaling_follows_the_lag_of_the_group_that_the_service_joins() -> None:
    [scaled] = of_kind("production", "ScaledObject")
    [trigger] = scaled["spec"]["triggers"]
    told = environment(pods("production")["claims"])
    assert trigger["type"] == "kafka"
    assert trigger["metadata"] == {
        "bootstrapServers": told[f"{PREFIX}KAFKA_BOOTSTRAP_SERVERS"],
        "consumerGroup": f"{told[f'{PREFIX}GROUP_PREFIX']}.claims",
        "lagThreshold": "100000",
        "excludePersistentLag": "true",
    }
    assert trigger["authenticationRef"] == {"name": "kafka"}
    by_name = {each["metadata"]["name"]: each for each in of_kind("production", "Deployment")}
    target = by_name[scaled["spec"]["scaleTargetRef"]["name"]]
    assert container(target["spec"]["template"])["args"] == ["run", "--only", "claims"]
    # A number of replicas would be put back at each upgrade.
    assert [name for name, each in by_name.items() if "replicas" not in each["spec"]] == [
        target["metadata"]["name"]
    ]
    [other] = of_kind("folder", "ScaledObject")
    assert [each["type"] for each in other["spec"]["triggers"]] == ["prometheus"]


def test_prometheus_finds_the_metrics_of_every_pod() -> None:
    [monitor] = of_kind("production", "ServiceMonitor")
    wanted = monitor["spec"]["selector"]["matchLabels"]
    [service] = [
        each
        for each in of_kind("production", "Service")
        if wanted.items() <= each["metadata"]["labels"].items()
    ]
    assert service["metadata"]["name"] == "billing-claim-analytics-metrics"
    [endpoint], [port] = monitor["spec"]["endpoints"], service["spec"]["ports"]
    assert (endpoint["port"], endpoint["path"]) == (port["name"], "/metrics")
    assert monitor["metadata"]["labels"]["release"] == "prometheus"


def test_the_alerts_are_those_of_the_project() -> None:
    [rule] = of_kind("production", "PrometheusRule")
    alerts = yaml.safe_load((ROOT / "deploy" / "prometheus" / "alerts.yml").read_text("utf-8"))
    assert rule["spec"] == alerts


def test_the_dashboard_is_that_of_the_project_and_bears_what_the_sidecar_looks_for() -> None:
    [dashboard] = [
        each
        for each in of_kind("production", "ConfigMap")
        if "claim-analytics.json" in each["data"]
    ]
    file = ROOT / "deploy" / "grafana" / "claim-analytics.json"
    assert json.loads(dashboard["data"]["claim-analytics.json"]) == json.loads(
        file.read_text("utf-8")
    )
    assert dashboard["metadata"]["labels"]["grafana_dashboard"] == "1"


def test_from_outside_only_the_api_is_reached_unless_more_is_asked_for() -> None:
    [ingress] = of_kind("production", "Ingress")
    [rule] = ingress["spec"]["rules"]
    assert [path["path"] for path in rule["http"]["paths"]] == ["/v1"]
    assert of_kind("smallest", "Ingress") == []
