"""Around every request under /v1: what all answers have in common, and the last net for errors."""

import logging
import traceback
from http import HTTPStatus

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.http.api.problems import Problem, internal

log = logging.getLogger(__name__)

LONGEST_QUERY = 2_048
IS_HEAD = "claim_analytics.is_head"  # in the scope


class Guard:
    """HEAD is answered as GET, of which the server sends no body. What nobody has foreseen is a 500
    that says nothing, and is logged without its text, which could quote a row."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        is_head = scope["method"] == "HEAD"
        within = {**scope, "method": "GET", IS_HEAD: True} if is_head else scope
        started = False

        async def guarded(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = MutableHeaders(scope=message)
                headers["Cache-Control"] = "private, no-store"
                headers["X-Content-Type-Options"] = "nosniff"
            await send(message)

        try:
            if len(scope["query_string"]) > LONGEST_QUERY:
                raise _too_long()
            await self._app(within, receive, guarded)
        except Problem as problem:
            await problem.response()(scope, receive, guarded)
        except Exception as error:  # noqa: BLE001  # whatever it is: its text must not get out
            last = traceback.extract_tb(error.__traceback__)[-1]
            told = {"error": type(error).__name__, "at": f"{last.filename}:{last.lineno}"}
            log.error("a request failed: please report this as a bug", extra=told)
            if not started:
                await internal().response()(scope, receive, guarded)


def _too_long() -> Problem:
    return Problem(
        HTTPStatus.REQUEST_URI_TOO_LONG,
        "too-long",
        f"What follows the ? is longer than {LONGEST_QUERY:,} characters.",
    )
