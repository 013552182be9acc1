"""The console as a person uses it, in a real browser."""

from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from repositories.operations.actions import recorded_actions
from repositories.vocabulary import LetterState
from tests.e2e.console.conftest import Visit, visit
from tests.harness.console import LOOKED_AT
from tests.harness.console_stage import CLAIM, NONSENSE, Stage
from tests.harness.rows import connected

pytestmark = pytest.mark.asyncio(loop_scope="package")

CONTRAST = Path(__file__).with_name("contrast.js").read_text("utf-8")
MOST_BYTES = 150_000
PAGES = (*LOOKED_AT, "letters/each", f"receipt?claim={CLAIM}")


async def tab_to(page: Page, element: str) -> None:
    """By the keyboard alone."""
    for _ in range(100):
        await page.keyboard.press("Tab")
        if await page.evaluate("document.activeElement.id") == element:
            return
    raise AssertionError(f"no way to {element} by Tab")


async def test_figures_become_fresh_and_the_focus_stays(stage: Stage, visitor: Visit) -> None:
    page = await visitor.open()
    await page.evaluate("window.loadedOnce = true")
    await tab_to(page, "tile-letters")
    before = await stage.letters(LetterState.OPEN)
    await expect(page.locator("#figure-letters")).to_have_text(str(before))
    await stage.more_letters(2)
    await expect(page.locator("#figure-letters")).to_have_text(str(before + 2), timeout=20_000)
    assert await page.evaluate("window.loadedOnce")
    assert await page.evaluate("document.activeElement.id") == "tile-letters"


async def test_all_that_a_page_loads_is_small(visitor: Visit) -> None:
    page = await visitor.open()
    total = await page.evaluate(
        "performance.getEntriesByType('resource').concat(performance.getEntriesByType('navigation'))"
        ".reduce((sum, one) => sum + one.decodedBodySize, 0)"
    )
    assert 30_000 < total < MOST_BYTES


async def test_a_redrive_by_the_keyboard_alone(stage: Stage, visitor: Visit) -> None:
    stage.fault.lasts = False
    nonsense = await stage.letters(LetterState.OPEN) - stage.owing
    page = await visitor.open("letters")
    row = page.locator("tr", has_text="value: the fault")
    element = await row.get_by_role("link", name="Redrive").get_attribute("id")
    assert element
    await tab_to(page, element)
    await page.keyboard.press("Enter")
    await expect(page.locator(".verdicts")).to_have_text(f"{stage.owing} would be taken in")
    await expect(page.locator("#why")).to_be_focused()
    await page.keyboard.type("the decoder is mended")
    await page.keyboard.press("Enter")
    await expect(page.locator(".note")).to_contain_text("dlq redrive")
    await stage.until_letters(LetterState.RESOLVED, stage.owing)
    await expect(row).to_have_count(0, timeout=20_000)
    await expect(page.locator("#all-letters")).to_have_text(str(nonsense))
    [action] = await recorded_actions(stage.database, command="dlq redrive")
    assert (action.why, action.outcome) == ("the decoder is mended", "done")
    assert action.counts == {"redriven": stage.owing}


async def test_a_report_is_tried_again(stage: Stage, visitor: Visit) -> None:
    page = await visitor.open("reports")
    await page.get_by_role("link", name="Retry").click()
    await page.get_by_label("Why").fill("the renderer is mended")
    await page.get_by_role("button", name="Try again").click()
    await expect(page.locator(".note")).to_contain_text("report retry done")
    await expect(page.locator(".s-pending")).to_have_count(1)
    async with connected(stage.deployment) as connection:
        assert await connection.fetchval("SELECT status FROM generated_reports") == "pending"
    [action] = await recorded_actions(stage.database, command="report retry")
    assert action.why == "the renderer is mended"


async def test_without_scripts_all_works_but_freshness(
    stage: Stage, chromium: Browser, address: str
) -> None:
    context = await chromium.new_context(java_script_enabled=False)
    visitor = await visit(context, address)
    page = await visitor.open()
    for name in ("Topics", "Dead letters", "Reports", "Nightly runs", "Actions", "Receipt"):
        await page.get_by_role("navigation", name="Pages").get_by_role("link", name=name).click()
        await expect(page.locator("h1")).to_be_visible()
    await page.get_by_label("Claim's id").fill(str(CLAIM))
    await page.get_by_role("button", name="Look it up").click()
    await expect(page.locator("#answer")).to_be_visible()
    open_ones = await stage.letters(LetterState.OPEN)
    await visitor.open("letters")
    row = page.locator("tr", has_text="headers: must have").first
    await row.get_by_role("link", name="Park").click()
    await page.get_by_label("Why").fill("nobody can use them")
    await page.get_by_role("button", name="Park").click()
    await expect(page.locator(".note")).to_contain_text("dlq park done")
    assert await stage.letters(LetterState.PARKED) >= NONSENSE
    await visitor.open("letters?state=parked")
    await page.get_by_role("link", name="Open again").first.click()
    await page.get_by_label("Why").fill("they can")
    await page.get_by_role("button", name="Open").click()
    assert await stage.letters(LetterState.OPEN) == open_ones
    await context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_every_page_fits_a_telephone_and_can_be_read(
    chromium: Browser, address: str, scheme: str
) -> None:
    """No page scrolls sideways at 360 pixels; letters and ground differ by 4.5 to 1 at least."""
    context = await chromium.new_context(
        viewport={"width": 360, "height": 740}, color_scheme="dark" if scheme == "dark" else "light"
    )
    visitor = await visit(context, address)
    for path in PAGES:
        page = await visitor.open(path)
        assert await page.evaluate("document.documentElement.scrollWidth") <= 360, path
        assert await page.evaluate(CONTRAST) == [], path
    await context.close()


async def test_a_page_says_when_nobody_answers_it(visitor: Visit) -> None:
    page = await visitor.open()
    await page.route("**/console/", lambda route: route.abort())
    bar = page.locator("#unanswered")
    await expect(bar).to_contain_text("No answer since", timeout=20_000)
    await page.unroute("**/console/")
    await expect(bar).to_be_hidden(timeout=20_000)
    visitor.complaints.clear()  # the browser's own, on the requests that were cut off
