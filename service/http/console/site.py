"""The console as an application of its own, below `/console` of the HTTP side."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import APIRouter, FastAPI, Form, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse
from starlette.exceptions import HTTPException

from repositories.errors import RepositoryError
from service.http.console.access import (
    SESSION_COOKIE,
    Access,
    NotLoggedIn,
    Reader,
    Refused,
    check_proof,
    is_https,
    visit_of,
)
from service.http.console.acts import acts
from service.http.console.fleet import Fleet
from service.http.console.guard import Guard
from service.http.console.overview import overview
from service.http.console.pages import pages
from service.http.console.rendering import ROOT, YEAR, Pages, url
from service.http.console.sessions import SESSION_SECONDS, form_proof
from service.http.console.work import Work
from service.kafka import KafkaFailed
from service.settings import Settings

log = logging.getLogger(__name__)

MOST_BYTES = 64 * 1024  # of a form


def add_console(app: FastAPI, settings: Settings) -> None:
    """Serve the console from `app`, whose `state.database` it uses."""
    site = console_site(settings)

    @asynccontextmanager
    async def opened(_app: Any) -> AsyncIterator[None]:
        site.state.database = app.state.database
        site.state.fleet = fleet = Fleet(settings, app.state.database)
        site.state.work = work = Work()
        sampling = asyncio.create_task(fleet.sample_for_ever())
        try:
            yield
        finally:
            sampling.cancel()
            await asyncio.gather(sampling, return_exceptions=True)
            await work.close()
            await fleet.close()

    root = APIRouter(lifespan=opened)

    @root.get("/", include_in_schema=False)
    @root.get(ROOT, include_in_schema=False)
    async def to_console() -> Response:
        return RedirectResponse(url(""), 307)

    app.include_router(root)
    app.mount(ROOT, site)


def console_site(settings: Settings) -> FastAPI:
    site = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, max_body_size=MOST_BYTES)
    site.state.settings = settings
    site.state.access = access = Access(settings)
    site.state.pages = Pages()
    site.add_middleware(Guard, access=access, refuse=_refused)
    handlers: dict[Any, Callable[[Request, Any], Awaitable[Response]]] = {
        Refused: _refused,
        NotLoggedIn: _to_login,
        KafkaFailed: _no_server,
        RepositoryError: _no_server,
        RequestValidationError: _not_understood,
        HTTPException: _http_error,
        Exception: _bug,
    }
    for kind, handler in handlers.items():
        site.add_exception_handler(kind, handler)
    for router in (entrance, overview, pages, acts):
        site.include_router(router)
    return site


entrance = APIRouter(include_in_schema=False)


@entrance.get("/static/{name}")
async def static(request: Request, name: str) -> Response:
    """For as long as a browser likes: the address changes with what is in the file."""
    file = request.app.state.pages.files.get(name)
    if file is None:
        raise HTTPException(404)
    headers = {"cache-control": f"public, max-age={YEAR}, immutable", "etag": f'"{file.tag}"'}
    return Response(file.content, media_type=file.media_type, headers=headers)


@entrance.get("/login")
async def login(request: Request) -> Response:
    if not request.app.state.access.has_tokens:
        return RedirectResponse(url(""), 303)
    return _login_page(request)


@entrance.post("/login")
async def log_in(
    request: Request, token: Annotated[str, Form()] = "", proof: Annotated[str, Form()] = ""
) -> Response:
    access: Access = request.app.state.access
    check_proof(form_proof(visit_of(request), None), proof)
    address = request.client.host if request.client else ""
    if access.wrong_logins.must_wait(address):
        said = "Too many wrong tokens came from your address. Wait five minutes, and try again."
        return _login_page(request, 429, said)
    session = access.sessions.log_in(token.strip())
    if session is None:
        access.wrong_logins.note(address)
        log.warning("a login to the console with a wrong token", extra={"address": address})
        return _login_page(request, 401, "There is no such token.")
    answer = RedirectResponse(url(""), 303)
    answer.set_cookie(
        SESSION_COOKIE,
        session,
        max_age=SESSION_SECONDS,
        path=ROOT,
        httponly=True,
        samesite="strict",
        secure=is_https(request),
    )
    return answer


@entrance.post("/logout")
async def log_out(visitor: Reader, proof: Annotated[str, Form()] = "") -> Response:
    check_proof(visitor.proof, proof)
    answer = RedirectResponse(url("login"), 303)
    answer.delete_cookie(SESSION_COOKIE, path=ROOT)
    return answer


def _login_page(request: Request, status: int = 200, said: str = "") -> Response:
    proof = form_proof(visit_of(request), None)
    headers = {"retry-after": "300"} if status == 429 else {}
    answer: Response = request.app.state.pages.answer(
        request, "login.html", status, said=said, proof=proof
    )
    answer.headers.update(headers)
    return answer


async def _to_login(request: Request, _error: NotLoggedIn) -> Response:
    if "hx-request" in request.headers:  # a poll: the browser follows no redirect to a page for it
        return Response(status_code=401, headers={"hx-redirect": url("login")})
    return RedirectResponse(url("login"), 303)


async def _refused(request: Request, error: Refused) -> Response:
    return _error(request, error.status, str(error))


async def _no_server(request: Request, error: KafkaFailed | RepositoryError) -> Response:
    return _error(request, 503, f"{str(error)[:1].upper()}{str(error)[1:]}")


async def _not_understood(request: Request, error: RequestValidationError) -> Response:
    names = sorted({str(problem["loc"][-1]) for problem in error.errors()})
    return _error(request, 400, f"Not understood, or missing: {', '.join(names)}.")


async def _http_error(request: Request, error: HTTPException) -> Response:
    said = "There is no such page." if error.status_code == 404 else str(error.detail)
    return _error(request, error.status_code, said)


async def _bug(request: Request, error: Exception) -> Response:
    log.error("a page of the console failed", extra={"error": type(error).__name__})
    return _error(request, 500, "That is a fault of the console itself. Please report it as a bug.")


def _error(request: Request, status: int, said: str) -> Response:
    answer: Response = request.app.state.pages.answer(
        request, "error.html", status, said=said, code=status
    )
    return answer
