"""Posts on their way: order, edits, failures of the network."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import pytest

from bridges.messages import Button, Content
from bridges.port import (
    BridgeUnavailable,
    ChatGone,
    ContentRefused,
    DeliveryUnknown,
    MessageGone,
    RateLimited,
)
from host.outgoing.contents import NOTHING
from host.outgoing.delivery import Step, plan
from host.outgoing.outbox import PostKind
from tests.host.conversation.house import House

CHAT = "tg:-1"


@asynccontextmanager
async def sending(house: House) -> AsyncIterator[None]:
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(house.sender.run())
        try:
            yield
        finally:
            running.cancel()


async def put(
    house: House,
    text: str,
    kind: PostKind = PostKind.ANSWER,
    address: str = CHAT,
    slot: str | None = None,
    *,
    wake: bool = True,
    picture: bytes | None = None,
) -> UUID:
    async with house.database.transaction() as conn:
        post = await house.outbox.put(
            conn,
            address=address,
            kind=kind,
            content=Content(text=text, picture=picture),
            slot=slot,
            folder="team",
        )
    if wake:
        house.outbox.wake(address)
    return post


async def revise(house: House, post: UUID, text: str) -> None:
    async with house.database.transaction() as conn:
        await house.outbox.revise(conn, post, Content(text=text))
    house.outbox.wake(CHAT)


async def test_decisions_go_first_then_answers_notices_and_previews(house: House) -> None:
    for kind in (PostKind.PREVIEW, PostKind.NOTICE, PostKind.ANSWER, PostKind.DECISION):
        await put(house, f"1 {kind}", kind, wake=False)
    await put(house, "2 answer", wake=False)
    async with sending(house):
        await house.bridge.until_shows(CHAT, "1 decision", "1 answer", "2 answer", "1 notice", "1 preview")


async def test_a_long_text_becomes_several_messages_and_shrinks_again(house: House) -> None:
    async with sending(house):
        post = await put(house, "a" * 4096 + "b" * 4096 + "c")
        await house.bridge.until_shows(CHAT, "a" * 4096, "b" * 4096, "c")
        await revise(house, post, "a" * 4096 + "d")
        await house.bridge.until_shows(CHAT, "a" * 4096, "d")
    # The first message reads as before and was left alone.
    assert house.bridge.times("edit", CHAT) == 1


async def test_what_changes_before_it_is_sent_goes_out_once_in_its_last_version(house: House) -> None:
    post = await put(house, "first", wake=False)
    await revise(house, post, "second")
    await revise(house, post, "third")
    async with sending(house):
        await house.bridge.until_shows(CHAT, "third")
        assert await house.sender.drain(5)
    assert [what for method, _, what in house.bridge.calls if method == "send"] == ["third"]
    assert house.bridge.times("edit", CHAT) == 0


async def test_a_revision_during_the_sending_is_sent_too(house: House) -> None:
    house.bridge.gate = asyncio.Event()
    async with sending(house):
        post = await put(house, "a" * 4096 + "b")
        await house.bridge.until(lambda: house.bridge.calls)
        await revise(house, post, "short")
        house.bridge.gate.set()
        await house.bridge.until_shows(CHAT, "short")
        assert await house.sender.drain(5)
    assert house.bridge.times("send", CHAT) == 1


async def test_a_slot_is_one_message_and_a_preview_does_not_take_an_answer_back(house: House) -> None:
    async with sending(house):
        first = await put(house, "so far", PostKind.PREVIEW, slot="answer:1")
        await house.bridge.until_shows(CHAT, "so far")
        second = await put(house, "all of it", PostKind.ANSWER, slot="answer:1")
        await house.bridge.until_shows(CHAT, "all of it")
        assert await put(house, "so far", PostKind.PREVIEW, slot="answer:1") == first == second
        assert await house.sender.drain(5)
    assert house.bridge.texts(CHAT) == ["all of it"]


async def test_a_withdrawn_post_disappears(house: House) -> None:
    async with sending(house):
        await put(house, "trouble", PostKind.NOTICE, slot="start:1")
        await house.bridge.until_shows(CHAT, "trouble")
        assert await house.sender.drain(5)
        async with house.database.transaction() as conn:
            assert await house.outbox.withdraw(conn, "start:1") == CHAT
            assert await house.outbox.withdraw(conn, "start:1") is None
        house.outbox.wake(CHAT)
        await house.bridge.until(lambda: not house.bridge.texts(CHAT))
        post = await put(house, "more trouble", PostKind.NOTICE, slot="start:1")
        await house.bridge.until_shows(CHAT, "more trouble")
    assert NOTHING.text == ""
    assert post is not None


async def test_a_rate_limit_holds_one_chat_and_no_other(house: House) -> None:
    house.bridge.fail(CHAT, RateLimited(15))
    async with sending(house):
        await put(house, "later")
        await house.bridge.until(lambda: house.bridge.times("send", CHAT))
        await house.clock.until_sleeping(2)
        await put(house, "now", address="tg:-2")
        await house.bridge.until_shows("tg:-2", "now")
        await put(house, "more")
        await put(house, "urgent", PostKind.DECISION)
        await house.clock.advance(14)
        assert house.bridge.texts(CHAT) == []
        await house.clock.advance(1)
        await house.bridge.until_shows(CHAT, "urgent", "later", "more")


async def test_previews_of_a_held_chat_are_one_message_with_the_last_text(house: House) -> None:
    house.bridge.fail(CHAT, RateLimited(10))
    async with sending(house):
        for number in range(5):
            await put(house, f"text {number}", PostKind.PREVIEW, slot="answer:1")
        await house.bridge.until(lambda: house.bridge.times("send", CHAT))
        await put(house, "text 9", PostKind.PREVIEW, slot="answer:1")
        await house.clock.until_sleeping(2)
        await house.clock.advance(10)
        await house.bridge.until_shows(CHAT, "text 9")
        assert await house.sender.drain(5)
    assert house.bridge.times("send", CHAT) == 2
    assert house.bridge.times("edit", CHAT) == 0


async def test_a_network_that_is_down_is_tried_again_with_growing_pauses(house: House) -> None:
    for _ in range(3):
        house.bridge.fail(CHAT, BridgeUnavailable("down"))
    async with sending(house):
        await put(house, "hello")
        for tries, pause in enumerate((0.5, 1.0, 2.0), 1):
            await house.bridge.until(lambda: house.bridge.times("send", CHAT) >= tries)  # noqa: B023
            await house.clock.until_sleeping(2)
            await house.clock.advance(pause)
        await house.bridge.until_shows(CHAT, "hello")


async def test_an_unconfirmed_message_is_sent_again_an_unconfirmed_preview_is_not(house: House) -> None:
    house.bridge.fail(CHAT, DeliveryUnknown("reset"), delivered=False)
    async with sending(house):
        await put(house, "sofar", PostKind.PREVIEW, slot="answer:1")
        assert await house.sender.drain(5)
        assert house.bridge.times("send", CHAT) == 1
        house.bridge.fail(CHAT, DeliveryUnknown("reset"), delivered=False)
        await put(house, "answer", slot="answer:1")
        await house.bridge.until(lambda: house.bridge.times("send", CHAT) == 2)
        await house.clock.until_sleeping(2)
        await house.clock.advance(1)
        await house.bridge.until_shows(CHAT, "answer")


async def test_a_message_that_is_never_confirmed_is_given_up_after_three_sends(house: House) -> None:
    for _ in range(3):
        house.bridge.fail(CHAT, DeliveryUnknown("reset"), delivered=True)
    async with sending(house):
        await put(house, "hello")
        for number, pause in ((1, 0.5), (2, 1)):
            await house.bridge.until(lambda: house.bridge.times("send", CHAT) >= number)  # noqa: B023
            await house.clock.until_sleeping(2)
            await house.clock.advance(pause)
        assert await house.sender.drain(5)
    assert house.bridge.texts(CHAT) == ["hello"] * 3
    assert house.record.audited[0][0] == "post.failed"


@pytest.mark.parametrize("error", [ContentRefused("bad entity"), ChatGone("blocked"), RuntimeError("bug")])
async def test_what_can_never_be_delivered_fails_on_record_and_the_next_goes_out(
    house: House, error: Exception
) -> None:
    house.bridge.fail(CHAT, error)
    async with sending(house):
        post = await put(house, "bad", wake=False)
        await put(house, "good")
        await house.bridge.until_shows(CHAT, "good")
        failed = await house.database.fetchval("SELECT failed FROM host.posts WHERE id = $1", post)
        assert failed
        assert house.record.audited[0][1]["post"] == str(post)
        # A new version is a new try.
        await revise(house, post, "better")
        await house.bridge.until_shows(CHAT, "good", "better")


@pytest.mark.parametrize(
    ("kind", "anew"),
    [
        (PostKind.DECISION, True),
        (PostKind.ANSWER, True),
        (PostKind.NOTICE, False),
        (PostKind.PREVIEW, False),
    ],
)
async def test_an_edit_of_a_message_that_is_gone(house: House, kind: PostKind, anew: bool) -> None:
    async with sending(house):
        post = await put(house, "one", kind)
        await house.bridge.until_shows(CHAT, "one")
        assert await house.sender.drain(5)
        house.bridge.chats[CHAT].clear()
        await revise(house, post, "two")
        assert await house.sender.drain(5)
    assert house.bridge.texts(CHAT) == (["two"] if anew else [])
    stored = await house.outbox.showing(CHAT, "2" if anew else "1")
    assert stored is not None
    assert not stored.due


async def test_pictures_are_kept_once_beside_the_text(house: House) -> None:
    async with sending(house):
        await put(house, "one", picture=b"png")
        await put(house, "two", picture=b"png")
        await house.bridge.until_shows(CHAT, "one", "two")
    assert [part.picture for part in house.bridge.chats[CHAT].values()] == [b"png", b"png"]
    assert await house.database.fetchval("SELECT count(*) FROM host.pictures") == 1
    assert "png" not in str(await house.database.fetchval("SELECT content FROM host.posts LIMIT 1"))


async def test_the_post_behind_a_message_is_found_in_its_chat_only(house: House) -> None:
    content = Content(text="card", buttons=((Button(label="APPROVE", data="approve:K7Q2MD"),),))
    async with house.database.transaction() as conn:
        post = await house.outbox.put(conn, address=CHAT, kind=PostKind.DECISION, content=content)
    async with sending(house):
        await house.bridge.until_shows(CHAT, "card")
        assert await house.sender.drain(5)
    found = await house.outbox.showing(CHAT, "1")
    assert found is not None
    assert (found.id, found.content) == (post, content)
    assert await house.outbox.showing("tg:-2", "1") is None
    assert await house.outbox.showing(CHAT, "2") is None


async def test_a_drain_ends_at_its_deadline(house: House) -> None:
    house.bridge.fail(CHAT, RateLimited(1000))
    async with sending(house):
        await put(house, "late")
        assert not await house.sender.drain(0.1)


async def test_posts_for_a_network_that_is_not_configured_wait(house: House) -> None:
    async with sending(house):
        await put(house, "hello", address="wa:49")
        await put(house, "hello")
        await house.bridge.until_shows(CHAT, "hello")
        assert await house.sender.drain(5)
    assert await house.outbox.next_due("wa:49") is not None


async def test_a_message_gone_before_it_is_deleted_is_deleted(house: House) -> None:
    async with sending(house):
        post = await put(house, "a" * 4096 + "b")
        await house.bridge.until(lambda: len(house.bridge.texts(CHAT)) == 2)
        assert await house.sender.drain(5)
        house.bridge.fail(CHAT, MessageGone("gone"), method="delete")
        await revise(house, post, "a")
        assert await house.sender.drain(5)
    assert await house.outbox.next_due(CHAT) is None


def test_the_plan_edits_what_changed_sends_what_is_missing_deletes_the_rest() -> None:
    assert plan([], ["a", "b"]) == [(Step.SEND, 0), (Step.SEND, 1)]
    assert plan(["a", "b"], ["a", "c"]) == [(Step.EDIT, 1)]
    assert plan(["a", "b", "c"], ["x"]) == [(Step.EDIT, 0), (Step.DELETE, 2), (Step.DELETE, 1)]
    assert plan(["a"], ["a"]) == []


async def test_an_answer_with_the_words_of_a_lost_preview_is_sent(house: House) -> None:
    house.bridge.fail(CHAT, DeliveryUnknown("reset"))
    async with sending(house):
        await put(house, "the same", PostKind.PREVIEW, slot="answer:1")
        assert await house.sender.drain(5)
        await put(house, "the same", PostKind.ANSWER, slot="answer:1")
        await house.bridge.until_shows(CHAT, "the same")


async def test_an_answer_with_the_words_of_a_deleted_preview_is_sent_anew(house: House) -> None:
    async with sending(house):
        await put(house, "so far", PostKind.PREVIEW, slot="answer:1")
        assert await house.sender.drain(5)
        house.bridge.chats[CHAT].clear()
        await put(house, "the same", PostKind.PREVIEW, slot="answer:1")
        assert await house.sender.drain(5)
        await put(house, "the same", PostKind.ANSWER, slot="answer:1")
        await house.bridge.until_shows(CHAT, "the same")
        assert await house.sender.drain(5)
        assert house.bridge.texts(CHAT) == ["the same"]


@pytest.mark.parametrize("restarted", [True, False])
async def test_an_edit_that_nobody_noted_is_undone_when_the_words_come_back(
    house: House, restarted: bool
) -> None:
    async with sending(house):
        post = await put(house, "one")
        assert await house.sender.drain(5)
        house.bridge.fail(CHAT, DeliveryUnknown("reset"), delivered=True, method="edit")
        await revise(house, post, "two")
        await house.bridge.until_shows(CHAT, "two")
        await house.clock.until_sleeping(2)
        if not restarted:
            await revise(house, post, "one")
            await house.clock.advance(1)
            await house.bridge.until_shows(CHAT, "one")
    if restarted:
        house = house.again()
        await revise(house, post, "one")
        async with sending(house):
            await house.bridge.until_shows(CHAT, "one")
