"""Metrics and spans of the whole service, from a request to its announcement; and what is private
is in neither, nor in the log."""

import json
import sys
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from service.kafka import Message
from service.local.stack.server import free_ports
from tests.harness.collector import CollectedSpan, SpanCollector, span_collector
from tests.harness.deployment import PAID, Deployment
from tests.harness.kafka import publish, read_topic
from tests.harness.messages import message
from tests.harness.process import ServiceProcess
from tests.harness.promtool import series_of
from tests.harness.reports import (
    PROFILES,
    STATUS,
    UPDATED,
    all_told,
    deploy_reports,
    event,
    request,
)
from tests.harness.waiting import until, until_async
from tests.integration.repositories.examples import paid, submitted, uuid_of

PROVIDER = uuid_of("provider P")
PHN, NAME, FEE = "987654321", "Zylberquist", "7391.53"
PLANTED = (PHN, NAME, FEE, "739153", str(PROVIDER), str(uuid_of("claim A")))
WITHOUT_THE_EXTRA = (
    "import sys; sys.modules['opentelemetry.sdk'] = None; from service.__main__ import main; main()"
)
TOLD = [  # of two events, of which either may be read first, and of one that is no good
    ("events_total", 'outcome="applied"'),
    ("events_total", 'outcome="stale"'),
    ("dead_letters_total", 'reason="invalid-field"'),
]


def traced(one: Message) -> tuple[Message, str]:
    """The message with a trace context of its own, and the id of that trace."""
    trace = uuid4().hex
    context = f"00-{trace}-00f067aa0ba902b7-01".encode()
    return replace(one, headers=[*one.headers, ("traceparent", context)]), trace


async def test_a_trace_reaches_from_the_request_to_its_announcement_and_holds_nothing_private(
    kafka: str, postgres: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployment = (await deploy_reports(kafka, postgres, tmp_path)).having(
        traces=True, http_address=f"127.0.0.1:{free_ports(1)[0]}"
    )
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "200")
    claim, claim_trace = traced(message(deployment, submitted(patient_phn=PHN, submitted_fee=FEE)))
    report_id = uuid4()
    asked, trace = traced(request(deployment, report_id, PROVIDER))
    with span_collector() as collector:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
        with ServiceProcess(deployment, "run") as process:
            await publish(deployment, [claim, message(deployment, paid()), *_others(deployment)])
            await publish(deployment, [asked])
            await all_told(deployment, 1)
            await until(lambda: claim_trace in _linked(collector), "the claim's batch")
            await until(lambda: collector.spans("announce"), "the announcement's span")
            scraped = await until_async(lambda: _all_told(process), "all of it in the metrics")
            process.terminate()
            assert await process.ended() == 0, process.output()
            output = process.output()
            ready = process.log("report ready")
    [making], [announced] = collector.spans("report"), collector.spans("announce")
    assert (making.trace_id, making.parent_id) == (trace, "00f067aa0ba902b7")
    assert (announced.trace_id, announced.parent_id) == (trace, making.span_id)
    assert making.attributes["claim_analytics.outcome"] == "ready"
    assert await _context_of_the_announcement(deployment) == _as_context(announced)
    assert [line["trace_id"] for line in ready] == [trace]
    assert {"transaction", "commit"} <= {span.name for span in collector.spans()}
    spans = b"".join(collector.bodies).decode("utf-8", "replace")
    for where, text in (("metrics", scraped or ""), ("spans", spans)):
        assert [word for word in PLANTED if word in text] == [], where
    assert [word for word in (PHN, NAME, FEE) if word in output] == []


def _others(deployment: Deployment) -> list[Message]:
    """A profile with a name, and an event that is no good and says who and how much."""
    profile = {
        "provider_id": str(PROVIDER),
        "provider_version": 1,
        "first_name": NAME,
        "last_name": NAME,
        "billing_number": "123456",
        "locations": [],
    }
    bad = message(deployment, paid("B", patient_phn=PHN))
    wrong = json.loads(bad.value or b"{}") | {"paid_amount": NAME, "submitted_fee": FEE + "9"}
    return [
        event(deployment, PROFILES, UPDATED, profile),
        replace(bad, topic=deployment.topic(PAID), value=json.dumps(wrong).encode()),
    ]


def _linked(collector: SpanCollector) -> set[str]:
    return {link for span in collector.spans("batch") for link in span.links}


async def _all_told(process: ServiceProcess) -> str | None:
    """The scrape, once it tells of both events and of the dead letter."""
    [line] = process.log("serving HTTP")
    async with httpx.AsyncClient(base_url=line["url"], trust_env=False) as client:
        answer = await client.get("/metrics")
    assert answer.status_code == 200
    told = series_of(answer.text)
    counts = [told[f'claim_analytics_{name}{{consumer="claims", {label}}}'] for name, label in TOLD]
    return answer.text if (sum(counts[:2]), counts[2]) == (2, 1) else None


async def _context_of_the_announcement(deployment: Deployment) -> str:
    [record] = await read_topic(deployment, deployment.topic(STATUS))
    context: bytes = dict(record.headers)["traceparent"]
    return context.decode()


def _as_context(span: CollectedSpan) -> str:
    return f"00-{span.trace_id}-{span.span_id}-01"


async def test_without_the_extra_traces_are_refused_with_what_to_do(
    deployment: Deployment,
) -> None:
    program = (sys.executable, "-c", WITHOUT_THE_EXTRA)
    asked = deployment.having(traces=True)
    with ServiceProcess(asked, "run", "--only", "claims", program=program) as process:
        assert await process.ended() == 2
        assert "CLAIM_ANALYTICS_TRACES is on, and OpenTelemetry is not installed" in (
            process.output()
        )
