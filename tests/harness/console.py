"""The console as a browser meets it: logged in, and with the proofs of its forms."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from service.http.console.tokens import Role, new_token
from service.settings import Settings
from tests.harness.http import http_client

LOOKED_AT = ("", "topics", "letters", "reports", "nights", "actions", "receipt")
READER, READER_KEPT = new_token("reader.one", Role.READER)
OPERATOR, OPERATOR_KEPT = new_token("operator.one", Role.OPERATOR)
TOKENS = f"{READER_KEPT.line},{OPERATOR_KEPT.line}"
CLOSED = "127.0.0.1:1"


@asynccontextmanager
async def console(settings: Settings, token: str | None = None) -> AsyncIterator[httpx.AsyncClient]:
    """A browser at these settings' console; with a token, logged in."""
    async with http_client(settings) as client:
        client.base_url = httpx.URL(f"{client.base_url}/console/")
        if token:
            assert (await log_in(client, token)).status_code == 303
        yield client


async def log_in(client: httpx.AsyncClient, token: str) -> httpx.Response:
    page = await client.get("login")
    return await client.post("login", data={"token": token, "proof": proof_of(page)})


def proof_of(page: httpx.Response) -> str:
    """The proof that the forms of a page bring along."""
    found = re.search(r'name="proof" value="(\w+)"', page.text)
    assert found, page.text
    return found[1]


async def act(
    client: httpx.AsyncClient, path: str, why: str = "a test", **form: str
) -> httpx.Response:
    """Read the page that asks, and send its form; where that leads."""
    page = await client.get(path)
    assert page.status_code == 200, page.text
    answer = await client.post(path, data={"why": why, "proof": proof_of(page)} | form)
    return await followed(client, answer) if answer.is_redirect else answer


async def followed(client: httpx.AsyncClient, answer: httpx.Response) -> httpx.Response:
    """Where a redirect leads."""
    assert answer.next_request, answer.text
    return await client.send(answer.next_request)
