"""`claim-analytics`, killed by its own hand at a named step: `dying.py POINT TURN …`.

As in `crash_points.py` the service has no hooks for it: one function is replaced, in this process
alone, by one that does the same, and sends SIGKILL before or after its TURNth call that matters.
"""

import os
import signal
import sys
from collections.abc import Awaitable, Callable
from functools import wraps
from importlib.metadata import entry_points
from itertools import count
from typing import Any, NamedTuple

from consumers.engine import applier
from consumers.engine.applier import Applier
from consumers.engine.dead_letters import DeadLetterQueue
from consumers.topics import claims, report_requests, suggestions
from repositories.claims import batch
from repositories.recomputation import passes
from service.operations import redrive
from service.operations.replaying import pipeline
from service.reports import relay, worker

Function = Callable[..., Awaitable[Any]]


class Step(NamedTuple):
    """An async function by its module, or class, and its name; the moment is before or after it."""

    owner: Any
    name: str
    is_after: bool
    matters: Callable[[tuple[Any, ...], Any], bool] = lambda _, __: True


def _came_to_something(_: tuple[Any, ...], result: Any) -> bool:
    return bool(result)


def _has_messages(arguments: tuple[Any, ...], _: Any) -> bool:
    return bool(arguments[-1].read)


def _has_announcements(arguments: tuple[Any, ...], _: Any) -> bool:
    return bool(arguments[-1])


POINTS = {
    "before-the-commit": Step(batch, "store_offsets", True),
    "after-the-commit": Step(claims, "apply_claim_batch", True, _has_messages),
    "after-the-coachs-commit": Step(suggestions, "apply_suggestion_batch", True, _has_messages),
    "before-the-offsets": Step(Applier, "_commit", False),
    "after-the-offsets": Step(Applier, "_commit", True),
    "before-dead-letters": Step(DeadLetterQueue, "publish", False),
    "after-dead-letters": Step(DeadLetterQueue, "publish", True),
    "before-the-places": Step(applier, "store_copies", False),
    "after-the-places": Step(applier, "store_copies", True),
    "before-the-row": Step(report_requests, "record_requests", False),
    "after-the-row": Step(report_requests, "record_requests", True),
    "after-the-claim": Step(worker, "claim_job", True, _came_to_something),
    "before-the-file": Step(worker, "write_report", False),
    "before-readiness": Step(worker, "finish_job", False),
    "after-readiness": Step(worker, "finish_job", True),
    "before-sending": Step(relay, "_publish", False, _has_announcements),
    "after-sending": Step(relay, "_publish", True, _has_announcements),
    # Of operators' commands:
    "before-the-mark": Step(redrive, "mark_redriven", False),
    "after-the-mark": Step(redrive, "mark_redriven", True),
    "in-a-replay": Step(pipeline, "merge_again", True),
    "in-a-recomputation": Step(passes, "recompute", True),
}


def dying(step: Step, turn: int) -> Function:
    function: Function = getattr(step.owner, step.name)
    calls = count(1)

    @wraps(function)
    async def dies(*arguments: Any, **named: Any) -> Any:
        if step.is_after:
            result = await function(*arguments, **named)
        else:
            result = None
        if step.matters(arguments, result) and next(calls) == turn:
            os.kill(os.getpid(), signal.SIGKILL)
        return result if step.is_after else await function(*arguments, **named)

    return dies


if __name__ == "__main__":
    point, turn = sys.argv.pop(1), int(sys.argv.pop(1))
    chosen = POINTS[point]
    setattr(chosen.owner, chosen.name, dying(chosen, turn))
    [program] = entry_points(group="console_scripts", name="claim-analytics")
    program.load()()
