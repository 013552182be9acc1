"""The definitions of metrics, their page, and how they are told."""

import re

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.openmetrics.exposition import generate_latest as as_openmetrics

from consumers.engine.subscription import Outcome, Progress
from consumers.supervision.outage import Outage, lasting
from consumers.telemetry.batches import Step
from service.telemetry import metrics
from service.telemetry.collector import Numbers
from service.telemetry.metrics import METRICS, Kind, Metric
from service.telemetry.page import PAGE, with_table
from tests.harness.promtool import series_of

UNITS = ("seconds", "messages", "total", "info")
FORBIDDEN = {"provider", "provider_id", "claim", "claim_id", "report_id", "patient", "phn"}


def test_the_page_has_the_table_of_the_definitions() -> None:
    page = PAGE.read_text("utf-8")
    assert with_table(page) == page, "run `python -m service.telemetry.page`"


def test_each_name_is_there_once() -> None:
    names = [name for metric in METRICS for name in metric.series]
    assert len(set(names)) == len(names) > 30


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_names_and_labels_keep_to_prometheus_conventions(metric: Metric) -> None:
    assert re.fullmatch(r"claim_analytics_[a-z]+(_[a-z]+)*", metric.full_name)
    assert not metric.name.endswith("_total")
    if metric.kind is Kind.HISTOGRAM:
        assert metric.name.endswith(UNITS)
    assert not FORBIDDEN & set(metric.labels)
    assert metric.meaning[-1] not in ".;"


def numbers_of(progress: Progress) -> dict[str, float]:
    registry = CollectorRegistry()
    registry.register(Numbers({"claims": progress}))
    assert as_openmetrics(registry).endswith(b"# EOF\n")  # type: ignore[no-untyped-call]  # the library's
    return series_of(generate_latest(registry).decode())


def test_what_was_counted_is_told() -> None:
    progress = Progress()
    progress.count(10, Outcome(applied=6, stale=1, duplicate=3, corrected=2), [])
    with progress.numbers.step(Step.COMMIT):
        pass
    progress.numbers.note_batch(10, 0.02, None)
    told = numbers_of(progress)
    events = 'claim_analytics_events_total{consumer="claims", outcome='
    assert [told[f'{events}"{each}"}}'] for each in ("applied", "stale", "duplicate")] == [6, 1, 3]
    assert told['claim_analytics_events_corrected_total{consumer="claims"}'] == 2
    sizes = 'claim_analytics_batch_messages_bucket{consumer="claims", le='
    assert [told[f'{sizes}"{bound}"}}'] for bound in ("5.0", "10.0", "+Inf")] == [0, 1, 1]
    steps = 'claim_analytics_batch_step_duration_seconds_count{consumer="claims", step='
    assert [told[f'{steps}"{each}"}}'] for each in ("collect", "commit")] == [1, 1]
    assert 'claim_analytics_visible_after_seconds_sum{consumer="claims"}' in told


def test_trouble_is_told_as_long_as_it_lasts_and_goes_with_who_had_it() -> None:
    outage, cancelled = Outage("test trouble"), Outage("test trouble that nobody ends")
    outage.tell("it fails", "mend it", seconds=90)
    cancelled.tell("it fails", "mend it")
    told = numbers_of(Progress())
    assert told['claim_analytics_trouble_seconds{doing="test trouble"}'] >= 90
    assert {outage, cancelled} <= set(lasting())
    del cancelled
    outage.over()
    assert not [one for one in lasting() if one.doing.startswith("test trouble")]


def test_every_metric_is_told_or_waits_for_what_only_some_have() -> None:
    """Of an instance that has only begun: no partition, no database, no report yet."""
    registry = CollectorRegistry()
    registry.register(Numbers({"claims": Progress()}))
    told = set(re.findall(r"# TYPE (\w+)", generate_latest(registry).decode()))
    process = {m.full_name for m in METRICS if m.scope is metrics.Scope.PROCESS}
    assert process == told
