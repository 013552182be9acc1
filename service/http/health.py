"""Probes, and how this process is doing, for a person. Nothing of a claim or a patient is in it."""

import asyncio
import logging
import time
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from consumers.engine.subscription import Progress
from consumers.kafka.stops import name_of
from service.http.process import ServedProcess
from service.http.readiness import Readiness
from service.logs import INSTANCE

log = logging.getLogger(__name__)

health = APIRouter(prefix="/healthz")

SECOND_LOOK_SECONDS = 1.0


@health.get("/live")
async def live(request: Request) -> JSONResponse:
    """503 while the event loop or a job is stuck. Asks nothing of the database, or of Kafka."""
    watchdog = _process(request).watchdog
    if watchdog.stuck():
        # A process that was frozen wakes up with all its threads: the loop gets its turn first.
        await asyncio.sleep(SECOND_LOOK_SECONDS)  # for the loop's turn
    if stuck := watchdog.stuck():
        for silence in stuck:
            log.error("%s is stuck: /healthz/live fails", silence.name, extra=silence.told())
        return _answer(503, status="stuck", why=[silence.told() for silence in stuck])
    return _answer(200, status="alive")


@health.get("/ready")
async def ready(request: Request) -> JSONResponse:
    """503 until migrated and in the groups, while the database is away, and once stopping."""
    if faults := await _readiness(request).faults():
        return _answer(503, status="not ready", why=faults)
    return _answer(200, status="ready")


@health.get("/status")
async def status(request: Request) -> JSONResponse:
    """All that this process knows of itself; always 200."""
    process, readiness = _process(request), _readiness(request)
    faults = await readiness.faults()
    silences = process.watchdog.silences()
    return _answer(
        200,
        version=version("claim-analytics"),
        instance=INSTANCE,
        since=_time(process.started.timestamp()),
        parts=process.parts,
        stopping=process.stopping(),
        ready=not faults,
        not_ready_because=faults,
        schema={"revision": readiness.revision, "expected": readiness.expected_revision},
        subscriptions={name: _told(process, name, one) for name, one in process.progress.items()},
        stuck=[silence.name for silence in silences if silence.stuck],
        at_work=[silence.told() for silence in silences],
        resting=[
            pulse.name
            for pulse in list(process.watchdog.pulses.all.values())
            if pulse.beaten is None
        ],
    )


def _told(process: ServedProcess, name: str, progress: Progress) -> dict[str, Any]:
    """Copies first: another thread changes what it shows."""
    assigned, stopped = set(progress.assigned), dict(progress.stopped)
    lags = progress.lags.all(time.time())
    last = progress.last_batch
    return {
        "group": process.settings.group(name),
        "lanes": process.lanes[name],
        "lanes_joined": len(progress.joined),
        "partitions": [name_of(at) for at in sorted(assigned)],
        "paused": [name_of(at) for at in sorted(assigned) if process.orders.pauses(at.topic)],
        "stopped": {
            name_of(at): {"cause": stop.cause, "offset": stop.next, "why": stop.why}
            for at, stop in sorted(stopped.items())
            if at in assigned
        },
        "missing_topics": sorted(set(progress.missing)),
        "waits_for_a_topic": progress.without_topic,
        "lag": {name_of(at): lags[at]._asdict() for at in sorted(assigned & lags.keys())},
        "last_batch": None if last is None else _time(last),
        **progress.totals(),
    }


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


def _process(request: Request) -> ServedProcess:
    process: ServedProcess = request.app.state.process
    return process


def _readiness(request: Request) -> Readiness:
    readiness: Readiness = request.app.state.readiness
    return readiness


def _answer(code: int, **content: object) -> JSONResponse:
    return JSONResponse(content, code, {"Cache-Control": "no-store"})
