"""The page in a real browser: what a person sees and does."""

import re
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
import pytest_asyncio
from aiohttp import web
from playwright.async_api import Browser, Page, expect

from bridges.messages import Button, ButtonTap, ChatMessage, ChatUpdate, Markup, Tone
from bridges.web.port import Delivery, Item, ItemGone, ItemKind, Member, Room, Side, Work
from bridges.web.settings import WebSettings
from storage.clock import SystemClock
from tests.bridges.web.browsing import CHROMIUM, chromium, enter, tab
from tests.bridges.web.memory import OWNER, MemoryHost, decided
from tests.bridges.web.serving import serving

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(not CHROMIUM.exists(), reason="needs Chromium: apt-get install chromium"),
]

ANY = WebSettings(port=0)
CARD = (
    'Your decision: polish "refactor auth"?\nReview is done, one check is open.\n'
    "Approve → the run goes on.\n\nAsked 14:02 · approvers: Olga\nrun r8k2m1x0 · code K7Q2MD"
)
BUTTONS = (
    (
        Button(label="APPROVE", data="approve:K7Q2MD", tone=Tone.GOOD),
        Button(label="REJECT", data="reject:K7Q2MD", tone=Tone.BAD),
        Button(label="DEFER", data="defer:K7Q2MD"),
    ),
)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as running:
        yield running


@pytest.fixture
def host() -> MemoryHost:
    """On the machine's clock: the browser shows times relative to its own."""
    return MemoryHost(SystemClock())


def post_card(host: MemoryHost) -> Item:
    return host.post(CARD, kind=ItemKind.DECISION, author="Intercom", headline=True, buttons=BUTTONS)


async def write(page: Page, text: str) -> None:
    await page.get_by_label("Your message").fill(text)
    await page.keyboard.press("Enter")


async def test_a_link_opens_the_page_and_its_token_leaves_the_address_bar(
    browser: Browser, host: MemoryHost
) -> None:
    async with serving(host, ANY) as bridge, tab(browser) as page:
        url = await bridge.url()
        await enter(page, host, url)
        assert page.url == f"{url}/#main"
        await expect(page.get_by_role("heading", name="Main")).to_be_visible()
        await expect(page.get_by_label("Your message")).to_be_focused()


async def test_a_link_in_another_sites_page_opens_it_too(browser: Browser, host: MemoryHost) -> None:
    async with serving(host, ANY) as bridge, tab(browser) as page, other_site(await bridge.url()) as other:
        await page.goto(other)
        await page.get_by_role("link", name="open").click()
        await expect(page.get_by_text("Connected to this machine")).to_be_visible()


async def test_without_a_link_it_says_how_to_get_one(browser: Browser, host: MemoryHost) -> None:
    async with serving(host, ANY) as bridge, tab(browser) as page:
        await page.goto(await bridge.url())
        await expect(page.get_by_text("intercom link")).to_be_visible()


async def test_what_is_written_shows_at_once_and_the_answer_grows_in_place(
    browser: Browser, host: MemoryHost
) -> None:
    def answer(update: ChatUpdate) -> None:
        assert isinstance(update, ChatMessage)
        host.post("Three", markup=Markup.MARKDOWN, streaming=True, activity="looking up ready issues…")

    host.on_update = answer
    async with serving(host, ANY) as bridge, tab(browser) as page:
        await enter(page, host, await bridge.url())
        await bridge.typing("web:local")
        await expect(page.get_by_text("Clavain is writing…")).to_be_visible()
        await write(page, "What should I work on?")
        log = page.get_by_role("log")
        await expect(log.get_by_text("What should I work on?")).to_have_count(1)
        await expect(log.get_by_text("looking up ready issues…")).to_be_visible()
        await expect(page.get_by_text("Clavain is writing…")).to_have_count(0)
        (growing,) = [it for it in host.items["main"].values() if it.streaming]
        host.put(replace(growing, text="Three are **ready**", streaming=False, activity=""))
        await expect(log.locator("strong", has_text="ready")).to_be_visible()
        await expect(log.get_by_text("looking up")).to_have_count(0)
        await expect(log.locator(".item")).to_have_count(2)
        await expect(log.get_by_text("sending…")).to_have_count(0)


async def test_a_tap_says_working_and_the_card_becomes_its_outcome(
    browser: Browser, host: MemoryHost
) -> None:
    post_card(host)
    async with serving(host, ANY) as bridge, tab(browser) as page:
        await enter(page, host, await bridge.url())
        cards = page.get_by_role("log").locator(".card")
        await cards.get_by_role("button", name="APPROVE").click()
        await expect(cards.get_by_role("button", name="working…")).to_be_disabled()
        await expect(cards.get_by_role("button", name="REJECT")).to_be_disabled()
        (tap,) = await host.received(1)
        assert isinstance(tap, ButtonTap)
        assert tap.data == "approve:K7Q2MD"
        decided(
            host, tap, 'Approved by Olga, 14:09: "refactor auth" is in polish.\nrun r8k2m1x0 · code K7Q2MD'
        )
        await expect(cards.get_by_role("heading", name="Approved by Olga")).to_be_visible()
        await expect(page.get_by_role("button", name="APPROVE")).to_have_count(0)
        await expect(page.get_by_text("Nothing waits for a decision.")).to_be_visible()
        await page.reload()
        await expect(cards.get_by_role("heading", name="Approved by Olga")).to_be_visible()


async def test_a_double_click_does_not_decide_the_card_that_comes_next(
    browser: Browser, host: MemoryHost
) -> None:
    post_card(host)
    following = (Button(label="APPROVE", data="approve:H2NV9C", tone=Tone.GOOD),)
    host.post("Next?", kind=ItemKind.DECISION, author="Intercom", headline=True, buttons=(following,))
    async with serving(host, ANY) as bridge, tab(browser) as page:
        await page.clock.install()
        await enter(page, host, await bridge.url())
        cards = page.get_by_role("log").locator(".card")
        await expect(cards).to_have_count(2)
        await page.evaluate(
            "for (const code of ['K7Q2MD', 'H2NV9C'])"
            " document.querySelector(`[role=log] [data-data='approve:${code}']`).click()"
        )
        await expect(cards.get_by_role("button", name="working…")).to_have_count(1)
        await page.clock.fast_forward(600)
        await cards.get_by_role("button", name="APPROVE").click()
        first, second = await host.received(2)
        assert isinstance(first, ButtonTap)
        assert isinstance(second, ButtonTap)
        assert [first.data, second.data] == ["approve:K7Q2MD", "approve:H2NV9C"]


async def test_who_may_not_decide_is_told_and_the_buttons_come_back(
    browser: Browser, host: MemoryHost
) -> None:
    post_card(host)
    async with serving(host, ANY) as bridge, tab(browser) as page:
        await enter(page, host, await bridge.url())
        button = page.get_by_role("log").get_by_role("button", name="REJECT")
        await button.click()
        (tap,) = await host.received(1)
        assert isinstance(tap, ButtonTap)
        await bridge.answer(tap.tap_id, "working…")
        await bridge.answer(tap.tap_id, "Only approvers of Engineering decide this: Ana.", alert=True)
        dialog = page.get_by_role("dialog")
        await expect(dialog).to_contain_text("Only approvers of Engineering")
        await page.keyboard.press("Escape")
        await expect(dialog).to_be_hidden()
        await expect(button).to_be_enabled()


async def test_lines_of_a_pop_up_stand_below_each_other(browser: Browser, host: MemoryHost) -> None:
    post_card(host)
    async with serving(host, ANY) as bridge, tab(browser) as page:
        await enter(page, host, await bridge.url())
        await page.get_by_role("log").get_by_role("button", name="REJECT").click()
        (tap,) = await host.received(1)
        assert isinstance(tap, ButtonTap)
        await bridge.answer(tap.tap_id, "kind: fetch\ntitle: Fetch it\ndetail: all of it", alert=True)
        words = page.locator("#alert-text")
        await expect(words).to_be_visible()
        lines = await words.evaluate("p => p.offsetHeight / parseFloat(getComputedStyle(p).lineHeight)")
        assert round(lines) == 3


async def test_a_reload_shows_the_history_and_scrolling_up_the_older_one(
    browser: Browser, host: MemoryHost
) -> None:
    for number in range(120):
        host.post(f"message number {number}")
    async with serving(host, ANY) as bridge, tab(browser) as page:
        await enter(page, host, await bridge.url())
        await expect(page.get_by_text("message number 119", exact=True)).to_be_in_viewport()
        await expect(page.get_by_text("message number 0", exact=True)).to_have_count(0)
        for oldest in (70, 20):
            await expect(page.get_by_text(f"message number {oldest}", exact=True)).to_be_attached()
            await page.locator("#scroll").evaluate("element => element.scrollTop = 0")
        await expect(page.get_by_text("message number 0", exact=True)).to_be_attached()
        await page.locator("#scroll").evaluate("element => element.scrollTop = 0")
        await expect(page.get_by_text("message number 0", exact=True)).to_be_in_viewport()
        host.post("something new")
        await page.get_by_role("button", name="New messages").click()
        await expect(page.get_by_text("something new")).to_be_in_viewport()


HOSTILE = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>"\'>'


async def test_names_titles_and_texts_stay_text(browser: Browser, host: MemoryHost) -> None:
    room = host.rooms_by_folder["main"]
    host.rooms_by_folder["main"] = replace(room, title=HOSTILE, agent=HOSTILE, notes=(HOSTILE,))
    host.notes = [HOSTILE]
    fields = {"author": HOSTILE, "person": "tg:7", "address": "tg:7"}
    host.post(HOSTILE, kind=ItemKind.MESSAGE, **fields)
    host.post(
        f"{HOSTILE} [x](javascript:window.hacked=1) ![p](http://x.invalid/p.png)", markup=Markup.MARKDOWN
    )
    host.post(HOSTILE, kind=ItemKind.NOTICE)
    host.post("x", delivery=Delivery.FAILED, reason=HOSTILE, streaming=True, activity=HOSTILE)
    hostile_button = ((Button(label=HOSTILE, data="approve:K7Q2MD"),),)
    host.post(f"{HOSTILE}\n{HOSTILE}", headline=True, kind=ItemKind.DECISION, buttons=hostile_button)
    host.sides["main"] = replace(
        host.sides["main"],
        work=(Work(id="r", title=HOSTILE, phase=HOSTILE, phases_done=1, phases=9, note=HOSTILE),),
        people=(Member(person="tg:7", name=HOSTILE, role=HOSTILE),),
        rules=(HOSTILE,),
    )
    async with serving(host, ANY) as bridge, tab(browser) as page:
        fetched: list[str] = []
        url = await bridge.url()
        page.on("request", lambda request: fetched.append(request.url))
        await enter(page, host, url)
        await expect(page.get_by_text("window.hacked=1").first).to_be_visible()
        await expect(page.locator("#side-body").get_by_text("window.hacked=1").first).to_be_visible()
        await write(page, HOSTILE)
        await expect(page.locator(".mine").get_by_text(HOSTILE, exact=True)).to_be_visible()
        assert await page.evaluate("window.hacked") is None
        assert await page.locator("main script, main img, nav img, aside img").count() == 0
        assert [address for address in fetched if not address.startswith(url)] == []


async def test_a_command_at_work_looks_like_one_and_stays_text(browser: Browser, host: MemoryHost) -> None:
    async with serving(host, ANY) as bridge, tab(browser) as page:
        await enter(page, host, await bridge.url())
        host.post("Let me look.", streaming=True, activity=">> Run: `ls <b>*</b>`…\n>> Read: a`b")
        await expect(page.locator(".activity code")).to_have_text("ls <b>*</b>")
        await expect(page.locator(".activity")).to_have_text(">> Run: ls <b>*</b>…\n>> Read: a`b")


@pytest.mark.parametrize("width", [320, 390])
async def test_a_phone_shows_everything_without_scrolling_sideways(
    browser: Browser, host: MemoryHost, width: int
) -> None:
    host.notes = ["The kernel does not answer."]
    words = "x" * 400
    host.post(f"{words} `{words}`\n\n```\n{words}\n```\n\n|a|b|\n|-|-|\n|{words}|c|", markup=Markup.MARKDOWN)
    host.post("short", author=words)
    post_card(host)
    async with serving(host, ANY) as bridge, tab(browser, width, 640) as page:
        await enter(page, host, await bridge.url())
        await expect(page.get_by_role("log").get_by_role("button", name="APPROVE")).to_be_in_viewport()
        hint = "e => (e.placeholder = 'Write to '.repeat(9), e.style.height = 'auto', e.scrollHeight < 45)"
        assert await page.locator("#text").evaluate(hint), "it takes one line, whatever the agent's name"
        for opener, name in (("#open-side", "Open decisions"), ("#open-rooms", "Main")):
            assert await page.evaluate("document.documentElement.scrollWidth") == width
            assert await page.locator("#scroll").evaluate("e => e.scrollWidth <= e.clientWidth")
            await page.click(opener)
            await expect(page.locator(".drawer.is-open").get_by_text(name).first).to_be_visible()
            await page.keyboard.press("Escape")
            await expect(page.locator(".drawer.is-open")).to_have_count(0)
            await expect(page.locator(opener)).to_be_focused()


async def test_the_page_comes_back_by_itself_after_the_host_restarted(
    browser: Browser, host: MemoryHost
) -> None:
    async with tab(browser) as page:
        async with serving(host, ANY) as bridge:
            url = await bridge.url()
            await enter(page, host, url)
        await expect(page.get_by_text("The connection to the host is lost.")).to_be_visible()
        await write(page, "written while it was away")
        await expect(page.get_by_text("sending…")).to_be_visible()
        await page.get_by_label("Your message").fill("half a thought")
        host.post("said meanwhile")
        async with serving(host, WebSettings(port=int(url.rpartition(":")[2]))):
            await expect(page.get_by_text("said meanwhile")).to_be_visible(timeout=20_000)
            (message,) = await host.received(1)
            assert isinstance(message, ChatMessage)
            assert message.text == "written while it was away"
            await expect(page.get_by_text("sending…")).to_have_count(0)
            await expect(page.get_by_text("The connection to the host is lost.")).to_have_count(0)
            await expect(page.get_by_role("log").get_by_text("written while it was away")).to_have_count(1)
            await page.reload()
            await expect(page.get_by_label("Your message")).to_have_value("half a thought")


async def test_an_unacknowledged_message_survives_a_reload_and_arrives_once(
    browser: Browser, host: MemoryHost
) -> None:
    async with serving(host, ANY) as bridge, tab(browser) as page:
        await enter(page, host, await bridge.url())
        host.broken = True
        await write(page, "keep me")
        await expect(page.get_by_text("could not store it")).to_be_visible()
        await page.reload()
        await expect(page.get_by_role("log").get_by_text("keep me")).to_be_visible()
        host.broken = False
        await host.received(1)
        await expect(page.get_by_text("sending…")).to_have_count(0)
        assert len(host.updates) == 1


async def test_what_is_refused_can_be_taken_back_into_the_box(browser: Browser, host: MemoryHost) -> None:
    host.post("hello", delivery=Delivery.FAILED, reason="the chat is gone")
    async with serving(host, WebSettings(port=0, text_limit=10)) as bridge, tab(browser) as page:
        await enter(page, host, await bridge.url())
        await expect(page.get_by_text("not delivered: the chat is gone")).to_be_visible()
        await write(page, "longer than ten characters")
        await expect(page.get_by_text("one message holds 10")).to_be_visible()
        await page.get_by_role("button", name="Put back into the box").click()
        await expect(page.get_by_label("Your message")).to_have_value("longer than ten characters")


async def test_the_first_visit_suggests_what_to_write(browser: Browser, host: MemoryHost) -> None:
    async with serving(host, ANY) as bridge, tab(browser) as page:
        await enter(page, host, await bridge.url())
        await page.get_by_role("button", name="Start a run to …").click()
        await expect(page.get_by_label("Your message")).to_have_value("Start a run to ")
        await page.get_by_role("button", name="Show open decisions").click()
        (message,) = await host.received(1)
        assert isinstance(message, ChatMessage)
        assert message.text == "/approvals"
        await expect(page.get_by_role("group", name="Suggestions")).to_be_hidden()


async def test_rooms_show_what_is_unread_and_what_waits(browser: Browser, host: MemoryHost) -> None:
    host.rooms_by_folder["eng"] = Room(folder="eng", title="Engineering", address=None, role="approver")
    host.items["eng"] = {}
    async with serving(host, ANY) as bridge, tab(browser) as page:
        await enter(page, host, await bridge.url())
        room = page.get_by_role("navigation").get_by_role("button", name=re.compile("Engineering"))
        host.post(
            "Ready?", folder="eng", person="tg:7", author="Ben", kind=ItemKind.MESSAGE, address="tg:-100"
        )
        await expect(room).to_contain_text("unread")
        host.degrade("The kernel does not answer.")
        await expect(page.get_by_text("The kernel does not answer.")).to_be_visible()
        await room.click()
        await expect(page.get_by_text("in Telegram")).to_be_visible()
        await expect(room).not_to_contain_text("unread")
        await expect(page.get_by_label("Your message")).to_be_hidden()
        await page.reload()
        await expect(page.get_by_role("heading", name="Engineering")).to_be_visible()
        await expect(room).not_to_contain_text("unread")


async def test_the_side_shows_running_work_and_roles(browser: Browser, host: MemoryHost) -> None:
    host.sides["main"] = Side(
        work=(
            Work(id="r", title="refactor auth", phase="review", phases_done=6, phases=9, budget_percent=82),
        ),
        people=(Member(person=OWNER, name="Olga", role="owner"),),
        rules=("Changes wait for a decision.",),
    )
    gone = host.post("to be taken back")
    async with serving(host, ANY) as bridge, tab(browser) as page:
        await enter(page, host, await bridge.url())
        side = page.get_by_role("complementary")
        for words in (
            "refactor auth",
            "●●●●●●○○○",
            "82 % of budget",
            "Olga (you)",
            "Changes wait for a decision.",
        ):
            await expect(side.get_by_text(words)).to_be_visible()
        host.items["main"].clear()
        host.tell(ItemGone(folder="main", id=gone.id))
        await expect(page.get_by_text("to be taken back")).to_have_count(0)


async def test_a_browser_that_is_signed_out_meanwhile_is_told(browser: Browser, host: MemoryHost) -> None:
    async with serving(host, ANY) as bridge, tab(browser) as page:
        await enter(page, host, await bridge.url())
        known = dict(host.cookies)
        host.cookies.clear()
        await bridge._audience.close()
        await expect(page.get_by_text("This browser is signed out")).to_be_visible()
        await expect(page.get_by_label("Your message")).to_be_hidden()
        host.cookies.update(known)  # a new link was opened in another tab
        await page.evaluate("window.dispatchEvent(new Event('online'))")
        await expect(page.get_by_text("This browser is signed out")).to_have_count(0)
        await expect(page.get_by_label("Your message")).to_be_visible()


@asynccontextmanager
async def other_site(url: str) -> AsyncIterator[str]:
    """A page of another site ("localhost" is another one than "127.0.0.1") with the link in it."""

    async def answer(_request: web.Request) -> web.Response:
        return web.Response(text=f'<a href="{url}/open?token=once">open</a>', content_type="text/html")

    app = web.Application()
    app.router.add_get("/", answer)
    runner = web.AppRunner(app, access_log=None)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        await runner.setup()
        await web.SockSite(runner, listener).start()
        try:
            yield f"http://localhost:{listener.getsockname()[1]}/"
        finally:
            await runner.cleanup()
