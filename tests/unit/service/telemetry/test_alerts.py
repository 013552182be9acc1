"""Alert rules and dashboard: what they name is there, and each rule fires where it should."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import yaml

from service.telemetry.metrics import METRICS
from tests.harness.promtool import MINUTES, RULES, assert_alerts, lasting, needs_promtool
from tests.unit.project_files import ROOT

DASHBOARD = ROOT / "deploy" / "grafana" / "claim-analytics.json"
NAME = re.compile(r"\b(?:claim_analytics|process|python)_\w+")
KNOWN = {name for metric in METRICS for name in metric.series} | {
    "process_cpu_seconds_total",
    "process_resident_memory_bytes",
}
GROWING = f"0+1x{MINUTES + 5}"
# Something that makes the alert fire, and no other.
FAULTS = {
    "ClaimAnalyticsPartitionStopped": ('partition_stopped{topic="t", partition="0"}', lasting(1)),
    "ClaimAnalyticsLagging": ('partition_lag_seconds{topic="t", partition="0"}', "0+60x85"),
    "ClaimAnalyticsDatabaseAway": ("database_up", lasting(0)),
    "ClaimAnalyticsTroubleLasts": ('trouble_seconds{doing="d"}', "0+60x85"),
    "ClaimAnalyticsTopicMissing": ('topics_missing{consumer="claims"}', lasting(1)),
    "ClaimAnalyticsPaused": ("pauses", lasting(1)),
    "ClaimAnalyticsDeadLetters": ('dead_letters_open{topic="t", reason="r"}', lasting(2)),
    "ClaimAnalyticsDecodedDifferently": (
        'events_total{consumer="claims", outcome="decoded_differently"}',
        GROWING,
    ),
    "ClaimAnalyticsRepairedRows": ('repaired_rows{found_by="nightly"}', lasting(1)),
    "ClaimAnalyticsReportsWait": ("report_oldest_unfinished_seconds", lasting(700)),
    "ClaimAnalyticsReportsFail": (
        'report_duration_seconds_count{report_type="R", outcome="failed"}',
        GROWING,
    ),
    "ClaimAnalyticsAnnouncementsLate": ("outbox_oldest_seconds", lasting(400)),
    "ClaimAnalyticsAnnouncementsRefused": ("outbox_refused", lasting(1)),
}
INFO = {"claim_analytics_info": lasting(1)}
POOL = {
    "claim_analytics_pool_connections_in_use": lasting(12),
    "claim_analytics_pool_connections_max": lasting(12),
}
# As of a run that ended at 1970, 40 hours before the rules are judged.
MISSED = {"claim_analytics_nightly_last_end_timestamp_seconds": lasting(-40 * 3600)}


def rules() -> list[dict[str, Any]]:
    [group] = yaml.safe_load(RULES.read_text("utf-8"))["groups"]
    return list(group["rules"])


@needs_promtool
def test_promtool_takes_the_rules() -> None:
    done = subprocess.run(["promtool", "check", "rules", str(RULES)], capture_output=True)
    assert done.returncode == 0, done.stderr


@needs_promtool
def test_each_alert_fires_where_its_fault_is_and_no_other_does(tmp_path: Path) -> None:
    cases = [(INFO | {f"claim_analytics_{s}": v}, {name}) for name, (s, v) in FAULTS.items()]
    cases += [
        ({"up": lasting(1)}, {"ClaimAnalyticsAbsent"}),
        (INFO | POOL, {"ClaimAnalyticsConnectionsTaken"}),
        (INFO | MISSED, {"ClaimAnalyticsNightlyMissed"}),
        (INFO, set()),
    ]
    assert {name for _, alerts in cases for name in alerts} == {rule["alert"] for rule in rules()}
    assert_alerts(cases, tmp_path)


def test_each_alert_leads_to_its_line_in_the_runbook() -> None:
    runbook = (ROOT / "docs" / "runbook.md").read_text("utf-8")
    for rule in rules():
        heading = f"### {rule['alert']}\n\n"
        _, found, line = runbook.partition(heading)
        assert found, heading
        assert "claim-analytics " in line.partition("###")[0] or "CLAIM_ANALYTICS_" in line
        assert rule["annotations"]["runbook_url"].endswith(f"#{rule['alert'].lower()}")
        assert rule["labels"]["severity"] in {"warning", "critical"}


def test_rules_and_dashboard_name_metrics_that_are_there() -> None:
    for expression in [rule["expr"] for rule in rules()] + expressions():
        named = set(NAME.findall(re.sub(r'"[^"]*"|by \([^)]*\)', "", expression)))
        assert named, expression
        assert named <= KNOWN, expression


def test_the_dashboard_shows_every_metric_but_few() -> None:
    shown = set(NAME.findall(" ".join(expressions())))
    hidden = {metric.full_name for metric in METRICS if not shown & set(metric.series)}
    assert hidden == set()


def test_every_panel_asks_the_source_that_is_chosen_and_has_a_place_of_its_own() -> None:
    panels = json.loads(DASHBOARD.read_text("utf-8"))["panels"]
    places = [(p["gridPos"]["x"], p["gridPos"]["y"]) for p in panels]
    assert len(set(places)) == len(panels)
    assert len({panel["id"] for panel in panels}) == len(panels)
    for panel in panels:
        if panel["type"] != "row":
            assert panel["datasource"]["uid"] == "${datasource}"
            assert all(
                target["datasource"]["uid"] == "${datasource}" for target in panel["targets"]
            )


def expressions() -> list[str]:
    panels = json.loads(DASHBOARD.read_text("utf-8"))["panels"]
    return [target["expr"] for panel in panels for target in panel.get("targets", [])]
