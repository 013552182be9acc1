"""What the routes under /v1 share: who asks, and with what they are answered."""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Request
from starlette.responses import Response

from repositories.postgres.database import Database
from repositories.reading.scope import ReadingDatabase
from service.http.api.behind import Behind
from service.http.api.downloads import Downloads
from service.http.api.problems import not_set_up, wrong_parameters
from service.http.api.tokens import Caller, Permission, Tokens, bearer


@dataclass(frozen=True)
class Reading:
    """What requests are answered with; there while the application is served and set up."""

    tokens: Tokens
    provider: ReadingDatabase  # one provider's rows, as the reader
    service: Database  # everything, as the owner: for a file's path and key, and for notes
    behind: Behind
    downloads: Downloads


def reading(request: Request) -> Reading:
    """Raises Problem where nothing is set up."""
    found: Reading | None = getattr(request.app.state, "reading", None)
    if found is None:
        raise not_set_up()
    return found


def may(permission: Permission) -> Callable[[Request], Awaitable[Caller]]:
    """A dependency: who asks, with a token that permits this. Raises Problem."""

    async def caller(request: Request) -> Caller:
        token = bearer(request.headers.getlist("authorization"))
        caller = await reading(request).tokens.caller(token)
        caller.require(permission)
        _require_once(request)
        return caller

    return caller


Analyst = Annotated[Caller, Depends(may(Permission.READ_ANALYTICS))]
ReportReader = Annotated[Caller, Depends(may(Permission.READ_REPORTS))]
Downloader = Annotated[Caller, Depends(may(Permission.DOWNLOAD_REPORTS))]


def _require_once(request: Request) -> None:
    """Of a parameter that is given twice the last would count, unsaid."""
    names = [name for name, _ in request.query_params.multi_items()]
    if twice := {name for name in names if names.count(name) > 1}:
        told = [{"parameter": name[:50], "detail": "given twice"} for name in sorted(twice)]
        raise wrong_parameters(told)


def answer(body: Mapping[str, Any]) -> Response:
    """JSON, without a look at whether it is as the document says: the tests look."""
    text = json.dumps(body, default=_plain, ensure_ascii=False, separators=(",", ":"))
    return Response(text, media_type="application/json")


def _plain(value: object) -> str:
    if isinstance(value, date | datetime):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    raise TypeError(f"no JSON for {type(value).__name__}")
