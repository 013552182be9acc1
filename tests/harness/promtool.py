"""Prometheus' own tool, judging our alert rules over a scrape."""

import json
import shutil
import subprocess
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

RULES = Path(__file__).parents[2] / "deploy" / "prometheus" / "alerts.yml"
MINUTES = 80  # long enough for every rule's `for`
needs_promtool = pytest.mark.skipif(  # it is not Python's to install
    shutil.which("promtool") is None, reason="promtool (Debian: prometheus) is not installed"
)


def series_of(scrape: str) -> dict[str, float]:
    """The samples of a scrape, by their names and labels as Prometheus spells them, the labels in
    the order of their names."""
    return {
        sample.name + _labels(sample.labels): sample.value
        for family in text_string_to_metric_families(scrape)
        for sample in family.samples
    }


def _labels(labels: Mapping[str, str]) -> str:
    spelled = [f"{name}={json.dumps(value)}" for name, value in labels.items()]
    return f"{{{', '.join(spelled)}}}" if spelled else ""


def assert_alerts(cases: Iterable[tuple[Mapping[str, str], Collection[str]]], folder: Path) -> None:
    """Where series have these values, in promtool's notation, these alerts fire and no others."""
    tests = [
        {
            "interval": "1m",
            "input_series": [{"series": name, "values": values} for name, values in series.items()],
            "promql_expr_test": [
                {
                    "expr": 'group by (alertname) (ALERTS{alertstate="firing"})',
                    "eval_time": f"{MINUTES}m",
                    "exp_samples": [_sample(alert) for alert in sorted(alerts)],
                }
            ],
        }
        for series, alerts in cases
    ]
    file = folder / "alerts_test.yml"  # JSON is YAML too
    file.write_text(json.dumps({"rule_files": [str(RULES)], "tests": tests}), "utf-8")
    command = ["promtool", "test", "rules", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr


def lasting(value: float) -> str:
    """This value, all the time."""
    return f"{value}x{MINUTES + 5}"


def _sample(alert: str) -> dict[str, Any]:
    return {"labels": f'{{alertname="{alert}"}}', "value": 1}
