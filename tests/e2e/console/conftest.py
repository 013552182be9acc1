"""A staged service, its console, and a Chromium: one of each for all tests here."""

import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from service.http.address import listen
from service.http.app import build_app
from service.http.process import ServedProcess
from service.http.server import served
from tests.harness.console_stage import Stage, staged
from tests.servers import fresh_database

CHROMIUM = shutil.which("chromium")
PACKAGE: Final = "package"


@pytest_asyncio.fixture(scope=PACKAGE, loop_scope=PACKAGE)
async def stage(
    kafka: str, _postgres18_server: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Stage]:
    folder = tmp_path_factory.mktemp("console")
    with fresh_database(_postgres18_server) as url:
        async with staged(kafka, url, Path(folder)) as stage:
            yield stage


@pytest_asyncio.fixture(scope=PACKAGE, loop_scope=PACKAGE)
async def address(stage: Stage) -> AsyncIterator[str]:
    """Where the console is, for this machine alone."""
    app = build_app(ServedProcess(stage.deployment.settings))
    async with served(app, listen("127.0.0.1:0")) as url:
        yield f"{url}/console/"


@pytest_asyncio.fixture(scope=PACKAGE, loop_scope=PACKAGE)
async def chromium() -> AsyncIterator[Browser]:
    if not CHROMIUM:
        # A browser is much to ask of a developer; .ci/run installs one where it can be had.
        pytest.skip("there is no Chromium here: apt-get install chromium")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        yield browser
        await browser.close()


@dataclass
class Visit:
    """A page of a browser, and all that it has asked for and complained about."""

    page: Page
    address: str
    hosts: set[str] = field(default_factory=set)
    complaints: list[str] = field(default_factory=list)
    loaded: int = 0  # bytes

    async def open(self, path: str = "") -> Page:
        await self.page.goto(self.address + path)
        return self.page


async def visit(context: BrowserContext, address: str) -> Visit:
    page = await context.new_page()
    found = Visit(page, address)
    page.on("request", lambda request: found.hosts.add(urlsplit(request.url).netloc))
    page.on("console", lambda message: found.complaints.append(message.text))
    page.on("pageerror", lambda error: found.complaints.append(str(error)))
    return found


@pytest_asyncio.fixture(loop_scope=PACKAGE)
async def visitor(chromium: Browser, address: str) -> AsyncIterator[Visit]:
    """A visit with a wide window. At its end: nothing was asked of another host, and the browser
    had nothing to complain about, such as a script that the policy forbids."""
    context = await chromium.new_context(viewport={"width": 1280, "height": 900})
    found = await visit(context, address)
    yield found
    await context.close()
    assert found.hosts == {urlsplit(address).netloc}
    assert found.complaints == []
