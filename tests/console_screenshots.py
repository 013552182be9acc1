"""`python -m tests.console_screenshots`: the pictures of docs/console.md, made anew.

A staged service on servers of its own, with hours of samples that were made up, in Chromium. Each
page is made light, dark and narrow into the folder that is named; those that docs show are copied.
"""

import argparse
import asyncio
import math
import random
import shutil
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
from PIL import Image
from playwright.async_api import Browser, async_playwright

from service.http.address import listen
from service.http.app import build_app
from service.http.process import ServedProcess
from service.http.server import served
from service.kafka import kafka_admin
from service.local.stack import Stack
from service.operations.recorded import recorded
from service.operations.standing import own_topics
from service.parts import EVERY_SUBSCRIPTION
from service.settings import Settings
from service.wiring import kafka_connection
from tests.harness.console_stage import CLAIM, Stage, staged

DOCS = Path(__file__).parents[1] / "docs" / "console"
SHOWN = {
    "overview.png": "overview-light.png",
    "overview-dark.png": "overview-dark.png",
    "letters.png": "letters-light.png",
    "redrive.png": "redrive-light.png",
    "narrow.png": "overview-narrow.png",
}
PAGES = {
    "overview": "?hours=3",
    "topics": "topics?hours=3",
    "topic": "topics/{topic}?hours=3",
    "letters": "letters",
    "each": "letters/each",
    "redrive": "letters/redrive?topic={topic}&reason=not-json",
    "reports": "reports",
    "nights": "nights",
    "actions": "actions",
    "receipt": "receipt?claim={claim}",
    "error": "nowhere",
}
KINDS = {
    "light": {"color_scheme": "light", "viewport": {"width": 1200, "height": 750}},
    "dark": {"color_scheme": "dark", "viewport": {"width": 1200, "height": 750}},
    "narrow": {"color_scheme": "light", "viewport": {"width": 360, "height": 740}},
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="where all pictures go")
    parser.add_argument("--to-docs", action="store_true", help="copy those that docs show")
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    with Stack(progress=lambda text: print(text, file=sys.stderr)) as stack:  # noqa: T201
        asyncio.run(make(stack, given.folder))
    if given.to_docs:
        DOCS.mkdir(exist_ok=True)
        for name, made in SHOWN.items():
            with Image.open(given.folder / made) as picture:
                few = picture.convert("RGB").quantize(96, dither=Image.Dither.NONE)
                few.save(DOCS / name, optimize=True)


async def make(stack: Stack, folder: Path) -> None:
    url = stack.postgres.url
    async with staged(
        stack.kafka.bootstrap_servers, url, stack.folder / "reports", plain_names=True
    ) as stage:
        settings = stage.deployment.settings.model_copy(
            update={"operator": "ann@operations", "nightly_at": "03:00"}
        )
        await _make_a_past(stage, settings)
        app = build_app(ServedProcess(settings))
        async with served(app, listen("127.0.0.1:0")) as address, async_playwright() as playwright:
            browser = await playwright.chromium.launch(
                executable_path=shutil.which("chromium"), args=["--no-sandbox"]
            )
            for kind in KINDS:
                await _shoot(browser, f"{address}/console/", kind, stage, folder)
            await browser.close()


async def _shoot(browser: Browser, address: str, kind: str, stage: Stage, folder: Path) -> None:
    context = await browser.new_context(**KINDS[kind])  # type: ignore[arg-type]  # by their names
    page = await context.new_page()
    await page.goto(address)
    await page.wait_for_selector("#group-1")  # the first look at Kafka has come
    for name, path in PAGES.items():
        topic = stage.deployment.topic("claim-paid")
        await page.goto(address + path.format(topic=topic, claim=CLAIM))
        whole = kind != "narrow" or name not in {"overview", "letters"}
        await page.screenshot(path=folder / f"{name}-{kind}.png", full_page=whole)
    await context.close()


async def _make_a_past(stage: Stage, settings: Settings) -> None:
    """Samples of twelve hours, nights, and actions."""
    connection = await asyncpg.connect(stage.deployment.database_url)
    try:
        await connection.executemany(
            "INSERT INTO offset_samples (slot, topic, taken_at, next_offsets, end_offsets,"
            " behind_seconds) VALUES ($1, $2, $1, $3, $4, $5)",
            [row for topic, end in (await _ends(stage)).items() for row in _samples(topic, end)],
        )
        today = datetime.now(UTC).date()
        for ago in range(1, 8):
            night = today - timedelta(days=ago - 1)
            begun = datetime.combine(night, datetime.min.time(), UTC) + timedelta(hours=10)
            counts = f'{{"providers": {4_212 - 9 * ago}, "confirmed_rows": {181_040 - 77 * ago}, '
            counts += f'"repaired_rows": 0, "removed_rows": {31 * (ago % 3)}}}'
            await connection.execute(
                "INSERT INTO job_runs (job, night, started_at, ended_at, counts)"
                " VALUES ('nightly', $1, $2, $3, $4)",
                *(night, begun, begun + timedelta(seconds=402 + 13 * (ago % 4)), counts),
            )
    finally:
        await connection.close()
    for command, why in [("offsets pause", "the publisher is being moved"), ("offsets resume", "")]:
        async with recorded(settings, stage.database, command, {"topics": ["claim-paid"]}, why):
            pass


async def _ends(stage: Stage) -> dict[str, int]:
    """Of the topics' first partitions, whose past is made up."""
    async with kafka_admin(kafka_connection(stage.deployment.settings)) as admin:
        topics = await admin.end_offsets(own_topics(stage.deployment.settings, EVERY_SUBSCRIPTION))
    return {topic: end for (topic, partition), end in topics.items() if partition == 0}


def _samples(
    topic: str, end_now: int
) -> Iterator[tuple[datetime, str, list[int], list[int], float]]:
    """A working day that ends now with what is there, and had a burst in it."""
    rng = random.Random(topic)
    now = datetime.now(UTC).replace(microsecond=0)
    weight = rng.uniform(0.1, 1.0) if topic.startswith("claim-") else 0.01
    published = []
    for n in range(12 * 180):
        burst = 260 if 1_900 < n < 1_915 else 0
        rate = weight * (60 + 40 * math.sin(n / 160) + rng.uniform(-9, 9) + burst)
        published.append(int(20 * rate))
    end, lag = end_now - sum(published), 0.0
    for n, some in enumerate(published):
        lag = max(0.0, lag + some - 20 * weight * 200) + rng.uniform(0, 3)
        end += some
        at = now - timedelta(seconds=20 * (12 * 180 - n))
        yield at, topic, [end - int(lag)], [end], lag / 200


if __name__ == "__main__":
    main()
