"""Chromium for the tests of the page: one browser per module, a context of its own per test."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from playwright.async_api import Browser, Page, async_playwright

from tests.bridges.web.memory import MemoryHost

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        try:
            yield browser
        finally:
            await browser.close()


@asynccontextmanager
async def tab(browser: Browser, width: int = 1280, height: int = 800) -> AsyncIterator[Page]:
    """A browser nobody has used yet. Whatever its scripts or rules complain about fails the test."""
    context = await browser.new_context(viewport={"width": width, "height": height}, reduced_motion="reduce")
    context.set_default_timeout(10_000)
    page = await context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda message: complaints.append(message.text) if _is_fault(message.text) else None)
    try:
        yield page
    finally:
        await context.close()
    assert complaints == []


def _is_fault(text: str) -> bool:
    return "Content Security Policy" in text or "Trusted" in text or "Uncaught" in text


async def enter(page: Page, host: MemoryHost, url: str) -> None:
    """Open the page by a one-time link and wait until it is live."""
    host.tokens["enter"] = f"cookie-{len(host.cookies)}"
    await page.goto(f"{url}/open?token=enter")
    await page.get_by_text("Connected to this machine").wait_for(state="attached")
