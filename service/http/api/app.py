"""The application under /v1: its routes, its errors, and what it opens to answer them."""

import asyncio
import logging
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount

from repositories.errors import RepositoryError
from repositories.postgres.database import Database
from service import wiring
from service.http.api.analytics import analytics
from service.http.api.behind import Behind
from service.http.api.document import document
from service.http.api.downloads import Downloads, Files
from service.http.api.guard import Guard
from service.http.api.jwks import IssuerKeys, KeysUnavailable
from service.http.api.problems import Problem, internal, unavailable, wrong_parameters
from service.http.api.reading import Reading
from service.http.api.reports import reports
from service.http.api.tokens import Tokens
from service.reports.files.file_errors import (
    KeySettingWrong,
    StorageUrlWrong,
    StoreUnavailable,
)
from service.reports.wiring import keyring, report_store
from service.settings import Settings

log = logging.getLogger(__name__)


def build_api() -> FastAPI:
    """To be `mounted`, and served within `reading_opened`."""
    api = FastAPI(
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        generate_unique_id_function=lambda route: route.name,
        exception_handlers={
            Problem: _problem,
            RequestValidationError: _invalid,
            HTTPException: _http,
            RepositoryError: _failed,
            KeysUnavailable: _failed,
        },
    )
    api.add_middleware(Guard)
    for router in (analytics, reports):
        api.include_router(router)
    described = document(api.routes)

    @api.get("/openapi.json", include_in_schema=False)
    async def openapi() -> JSONResponse:
        return JSONResponse(described)

    return api


def mounted(api: FastAPI) -> Mount:
    """Under /v1. A path with a line break in it (%0A) is there too, which Starlette would miss."""
    mount = Mount("/v1", api)
    mount.path_regex = re.compile(mount.path_regex.pattern, re.DOTALL)
    return mount


@asynccontextmanager
async def reading_opened(
    api: FastAPI, settings: Settings, database: Database
) -> AsyncIterator[None]:
    """Within the block `api` can answer, if it is set up. `database` is the service's own, of this
    event loop."""
    if not settings.api_issuer or not settings.api_jwks:
        yield
        return
    keys, provider = IssuerKeys(settings.api_jwks), wiring.reading_database(settings)
    behind = Behind(settings)
    watching = asyncio.create_task(behind.watch(database))
    tokens, downloads = Tokens(settings, keys), Downloads(database, _files(settings))
    api.state.reading = Reading(tokens, provider, database, behind, downloads)
    try:
        yield
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        await keys.close()
        await provider.close()


def _files(settings: Settings) -> Files | None:
    if settings.report_master_keys is None:
        return None
    try:
        return Files(report_store(settings), keyring(settings))
    except (StoreUnavailable, StorageUrlWrong, KeySettingWrong) as fault:
        log.error("no report can be downloaded over HTTP: %s", fault)
        return None


async def _problem(_: Request, problem: Exception) -> Response:
    assert isinstance(problem, Problem)  # noqa: S101  # what it is registered for
    return problem.response()


async def _invalid(_: Request, error: Exception) -> Response:
    """Which parameters, and what is wrong with them; not what they were."""
    assert isinstance(error, RequestValidationError)  # noqa: S101  # as above
    told = [
        {
            "parameter": str(each["loc"][1])[:50],
            "detail": str(each["msg"]).removeprefix("Value error, "),
        }
        for each in error.errors()
    ]
    return wrong_parameters(told).response()


async def _http(_: Request, error: Exception) -> Response:
    """The framework's own: no such path, or a method that is not taken."""
    assert isinstance(error, HTTPException)  # noqa: S101  # as above
    status = HTTPStatus(error.status_code)
    own = {name: value for name, value in (error.headers or {}).items() if name != "Allow"}
    if status is HTTPStatus.METHOD_NOT_ALLOWED:
        own["Allow"] = "GET, HEAD"
    kind = status.phrase.lower().replace(" ", "-")
    return Problem(status, kind, f"{status.description or status.phrase}.", own).response()


async def _failed(_: Request, error: Exception) -> Response:
    """Its text names hosts, and is for the log."""
    log.error("a request could not be answered: %s", error)
    passing = isinstance(error, KeysUnavailable) or getattr(error, "retriable", False)
    return (unavailable() if passing else internal()).response()


def api_document() -> dict[str, Any]:
    """The OpenAPI document, without anything being served."""
    return document(build_api().routes)
