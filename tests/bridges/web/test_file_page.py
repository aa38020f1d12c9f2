"""Files on the page in a real browser: added by button, drop and paste, sent, shown and saved."""

import asyncio
import os
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, FilePayload, Page, expect

from bridges.messages import ChatMessage, Document
from bridges.web.port import ItemFile, ItemKind, Reading, Reload
from bridges.web.settings import WebSettings
from storage.clock import SystemClock
from tests.bridges.telegram.test_files import png
from tests.bridges.web.browsing import CHROMIUM, chromium, enter, tab
from tests.bridges.web.memory import OWNER, MemoryHost
from tests.bridges.web.serving import serving

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(not CHROMIUM.exists(), reason="needs Chromium: apt-get install chromium"),
]

ANY = WebSettings(port=0)
REPORT = FilePayload(name="report of the third quarter.pdf", mimeType="application/pdf", buffer=b"%PDF-1.7 x")
CHART = FilePayload(name="chart.png", mimeType="image/png", buffer=png(240, 120))

#: what a browser does with files that are dropped or pasted
BRING = """([kind, selector]) => {
    const data = new DataTransfer();
    data.items.add(new File(["brought"], `${kind}.txt`, {type: "text/plain"}));
    const target = document.querySelector(selector);
    const event = kind === "paste"
        ? new ClipboardEvent("paste", {clipboardData: data, bubbles: true, cancelable: true})
        : new DragEvent("drop", {dataTransfer: data, bubbles: true, cancelable: true});
    target.dispatchEvent(event);
}"""


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as running:
        yield running


@pytest.fixture
def host() -> MemoryHost:
    return MemoryHost(SystemClock())


async def add(page: Page, *files: FilePayload) -> None:
    async with page.expect_file_chooser() as chooser:
        await page.get_by_role("button", name="Add files").click()
    await (await chooser.value).set_files(list(files))


async def look(page: Page, name: str) -> None:
    """Keep what the page looks like, when somebody wants to see it."""
    if folder := os.environ.get("PAGE_SHOTS"):  # noqa: TID251 - a person's wish, not a setting
        await page.screenshot(path=Path(folder) / f"{name}.png")


async def fits(page: Page) -> bool:
    return bool(await page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


@pytest.mark.parametrize("width", [1280, 320])
async def test_files_are_added_sent_shown_and_saved(browser: Browser, host: MemoryHost, width: int) -> None:
    async with serving(host, ANY) as bridge, tab(browser, width=width, height=720) as page:
        await enter(page, host, await bridge.url())
        await add(page, REPORT, CHART)
        basket = page.get_by_role("list", name="Files to send")
        await expect(basket.get_by_text("10 bytes")).to_be_visible()
        await look(page, f"basket-{width}")
        assert await fits(page)
        await page.get_by_label("Your message").fill("What do they say?")
        await page.keyboard.press("Enter")
        (message,) = await host.received(1)
        assert isinstance(message, ChatMessage)
        assert [each.name for each in message.attachments] == [REPORT["name"], "chart.png"]
        await expect(basket).to_be_hidden()
        log = page.get_by_role("log")
        await expect(log.get_by_role("link", name="Save chart.png").locator("img")).to_be_visible()
        host.uploads["agent"] = Document(name="summary.txt", mime="text/plain", data=b"All is well.")
        host.post("Here:", files=(ItemFile(id="agent", name="summary.txt", mime="text/plain", size=12),))
        await expect(log.get_by_role("link", name="Save summary.txt")).to_be_visible()
        await look(page, f"files-{width}")
        assert await fits(page)
        async with page.expect_download() as download:
            await log.get_by_role("link", name="Save summary.txt").click()
        saved = await download.value
        assert saved.suggested_filename == "summary.txt"
        path = await saved.path()
        assert await asyncio.to_thread(path.read_bytes) == b"All is well."


async def test_files_are_dropped_and_pasted_and_go_without_a_word(browser: Browser, host: MemoryHost) -> None:
    async with serving(host, ANY) as bridge, tab(browser) as page:
        await enter(page, host, await bridge.url())
        await page.evaluate(BRING, ["drop", "#log"])
        await page.evaluate(BRING, ["paste", "#text"])
        basket = page.get_by_role("list", name="Files to send")
        await expect(basket.get_by_text("7 bytes")).to_have_count(2)
        await page.get_by_role("button", name="Send").click()
        (message,) = await host.received(1)
        assert isinstance(message, ChatMessage)
        assert [each.name for each in message.attachments] == ["drop.txt", "paste.txt"]


async def test_a_file_is_removed_by_keyboard(browser: Browser, host: MemoryHost) -> None:
    async with serving(host, ANY) as bridge, tab(browser) as page:
        await enter(page, host, await bridge.url())
        await add(page, REPORT, CHART)
        first = page.get_by_role("button", name=f"Remove {REPORT['name']}")
        await first.focus()
        await page.keyboard.press("Enter")
        await expect(first).to_have_count(0)
        await expect(page.get_by_role("button", name="Remove chart.png")).to_be_focused()
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("button", name="Add files")).to_be_focused()


async def test_what_the_host_does_not_take_is_said_and_tried_again(
    browser: Browser, host: MemoryHost
) -> None:
    host.uploads_full = True
    async with serving(host, ANY) as bridge, tab(browser) as page:
        await enter(page, host, await bridge.url())
        await add(page, REPORT)
        await expect(page.get_by_text("not added: Too many files wait to be sent.")).to_be_visible()
        await page.get_by_label("Your message").fill("hello")
        host.uploads_full = False
        await page.get_by_role("button", name="Try again").click()
        await expect(page.get_by_text("10 bytes")).to_be_visible()


async def test_a_message_says_whether_it_waits_or_was_read(browser: Browser, host: MemoryHost) -> None:
    mine = {"kind": ItemKind.MESSAGE, "person": OWNER, "author": "Olga"}
    host.post("first", reading=Reading.READ, **mine)
    second = host.post("second", reading=Reading.QUEUED, **mine)
    async with serving(host, ANY) as bridge, tab(browser) as page:
        await enter(page, host, await bridge.url())
        await expect(page.get_by_text("queued: read after this answer")).to_be_visible()
        await expect(page.get_by_text("read", exact=True)).to_have_count(0)
        host.put(replace(second, reading=Reading.READ))
        await expect(page.get_by_text("read", exact=True)).to_have_count(1)


async def test_rows_that_were_read_before_do_not_undo_what_was_heard_meanwhile(
    browser: Browser, host: MemoryHost
) -> None:
    item = host.post("first", kind=ItemKind.MESSAGE, person=OWNER, author="Olga", reading=Reading.QUEUED)
    async with serving(host, ANY) as bridge, tab(browser) as page:
        await enter(page, host, await bridge.url())
        await expect(page.get_by_text("queued: read after this answer")).to_be_visible()
        host.slow_history = asyncio.Event()
        host.history_read.clear()
        host.tell(Reload())
        await host.history_read.wait()
        host.put(replace(item, reading=Reading.READ))
        await expect(page.get_by_text("read", exact=True)).to_have_count(1)
        async with page.expect_event("requestfinished", lambda request: "/history" in request.url):
            host.slow_history.set()
        await expect(page.get_by_text("read", exact=True)).to_have_count(1)
