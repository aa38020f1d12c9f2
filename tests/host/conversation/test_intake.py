"""What is accepted, what is kept of it, and who deals with it."""

from datetime import UTC, datetime

import pytest

from bridges.messages import ButtonTap, ChatMessage, ChatUpdate, Unreadable
from host.incoming.updates import LONGEST_TEXT, address_of, bounded, decode, encode, kind_of
from host.people.registry import Role
from tests.host.conversation.agents import hang
from tests.host.conversation.house import ANA, EVE, House


async def _kept(house: House) -> list[tuple[str, str]]:
    rows = await house.database.fetch("SELECT source, text FROM host.messages ORDER BY id")
    return [(row["source"], row["text"]) for row in rows]


async def _bodies(house: House) -> list[object]:
    return [row["body"] for row in await house.database.fetch("SELECT body FROM host.updates ORDER BY id")]


async def test_of_an_unregistered_chat_only_that_it_exists_is_kept(house: House) -> None:
    async with house.open():
        await house.say("a secret", address="tg:-9", title="Strangers")
        await house.lanes.drain(1)
    assert await _kept(house) == []
    assert await _bodies(house) == [None]
    chat = await house.database.fetchrow("SELECT * FROM host.chats WHERE address = 'tg:-9'")
    assert chat is not None
    assert (chat["title"], chat["private"]) == ("Strangers", False)
    assert house.bridge.texts("tg:-9") == []


async def test_people_are_called_what_their_network_calls_them_from_their_first_word_on(house: House) -> None:
    await house.registry.ensure_main([ANA.address])
    async with house.open():
        await house.say("hi")
    assert (ANA.address, ANA.name) in house.registry.people_with("main", Role.OWNER)


async def test_messages_without_the_trigger_ride_along_with_the_next_that_has_it(house: House) -> None:
    async with house.open():
        await house.registry.add_group("tg:-1", "team")
        await house.say("we could refactor", address="tg:-1", sender=EVE)
        await house.say("@Amtiskaw what do you think", address="tg:-1")
        await house.bridge.until(lambda: house.bridge.texts("tg:-1"))
    prompt = house.launcher.prompts[0][1]
    assert prompt.index("we could refactor") < prompt.index("what do you think")


async def test_a_turn_is_tainted_by_context_of_somebody_without_a_role(house: House) -> None:
    async with house.open():
        await house.registry.add_group("tg:-1", "team")
        await house.registry.set_role("team", ANA.address, Role.MEMBER)
        await house.say("@Amtiskaw hello", address="tg:-1")
        await house.bridge.until(lambda: len(house.bridge.texts("tg:-1")) == 1)
        await house.say("start a run", address="tg:-1", sender=EVE)
        await house.say("@Amtiskaw do what Eve says", address="tg:-1")
        await house.bridge.until(lambda: len(house.bridge.texts("tg:-1")) == 2)
        await house.lanes.drain(5)
    rows = await house.database.fetch("SELECT tainted FROM host.turns ORDER BY id")
    assert [row["tainted"] for row in rows] == [False, True]


async def test_a_text_that_is_too_long_is_cut_and_its_sender_told(house: House) -> None:
    async with house.open():
        await house.say("x" * (LONGEST_TEXT + 1))
        await house.bridge.until_says("tg:1000", "longer than 32,000 characters")
    assert [len(text) for _, text in await _kept(house)] == [LONGEST_TEXT]


async def test_ten_megabytes_of_unstorable_letters_are_accepted(house: House) -> None:
    async with house.open():
        await house.receive(house.message("\x00\ud800" * 5_000_000, title="\x00", ref="\udfff"))
        await house.bridge.until_says("tg:1000", "longer than")
    assert (await _kept(house))[0][1] == "\N{REPLACEMENT CHARACTER}" * LONGEST_TEXT


async def test_a_tap_reaches_the_desk_and_leaves_no_body(house: House) -> None:
    async with house.open():
        await house.receive(house.tap("approve:K7Q2MD"))
        await house.bridge.until(lambda: house.bridge.answers)
        await house.router.idle()
    assert house.desk.taps == ["approve:K7Q2MD"]
    assert await _bodies(house) == [None]


async def test_a_tap_is_dealt_with_while_the_lane_is_busy(house: House) -> None:
    house.launcher.script = hang
    async with house.open():
        await house.say("hi")
        await house.launcher.until_prompted(1)
        await house.receive(house.tap("approve:K7Q2MD"))
        await house.bridge.until(lambda: house.bridge.answers)


async def test_a_fault_of_the_desk_closes_the_tap_and_its_sender_knows(house: House) -> None:
    house.desk.fault = RuntimeError("bug")
    async with house.open():
        await house.receive(house.tap("approve:K7Q2MD"))
        await house.bridge.until(lambda: house.bridge.answers)
        await house.router.idle()
    assert house.bridge.answers[0][1].startswith("Not done:")
    assert await _bodies(house) == [None]


async def test_taps_of_an_earlier_run_are_taken_up_again(house: House) -> None:
    await house.receive(house.tap("approve:K7Q2MD"))
    async with house.again().open():
        await house.bridge.until(lambda: house.bridge.answers)
    assert house.desk.taps == ["approve:K7Q2MD"]


async def test_a_word_the_desk_takes_is_shown_but_read_by_no_agent(house: House) -> None:
    house.desk.decisions.add("APPROVE K7Q2MD")
    async with house.open():
        await house.say("APPROVE K7Q2MD")
        await house.router.idle()
        await house.say("hello")
        await house.bridge.until(lambda: house.bridge.texts("tg:1000"))
    assert house.desk.taken == ["APPROVE K7Q2MD"]
    assert await _kept(house) == [("aside", "APPROVE K7Q2MD"), ("person", "hello")]
    assert "APPROVE" not in house.launcher.prompts[0][1]


async def test_a_word_the_desk_does_not_know_is_for_the_agent(house: House) -> None:
    async with house.open():
        await house.say("cancel that")
        await house.bridge.until(lambda: house.bridge.texts("tg:1000"))
    assert "cancel that" in house.launcher.prompts[0][1]
    assert await _kept(house) == [("person", "cancel that")]


async def test_what_nobody_can_read_is_on_record_and_stops_nothing(house: House) -> None:
    async with house.open():
        await house.receive(Unreadable(update_id="u1", reason="no chat"), house.message("hi"))
        await house.bridge.until(lambda: house.bridge.texts("tg:1000"))
        await house.router.idle()
    assert house.record.audited == [("update.unreadable", {"update": "u1", "reason": "no chat"})]


async def test_the_mark_moves_with_the_updates_also_without_any(house: House) -> None:
    assert await house.intake.mark("tg") is None
    await house.intake.accept("tg", [], "7")
    assert await house.intake.mark("tg") == "7"
    await house.intake.accept("tg", [], None)
    assert await house.intake.mark("tg") == "7"


async def test_a_removed_groups_messages_are_not_answered(house: House) -> None:
    async with house.open():
        await house.registry.add_group("tg:-1", "team", trigger_required=False)
        group = house.registry.group_of("tg:-1")
        assert group is not None
        await house.registry.remove_group("team")
        await house.say("hi", address="tg:-1")
        await house.say("hi")
        await house.bridge.until(lambda: house.bridge.texts("tg:1000"))
    assert [lane for lane, _ in house.launcher.prompts] == ["main"]


@pytest.mark.parametrize("kind", ["message", "tap", "unreadable"])
def test_an_update_reads_back_as_it_was(kind: str) -> None:
    updates: dict[str, ChatUpdate] = {
        "message": _message(),
        "tap": ButtonTap(
            update_id="2", address="tg:1", sender=ANA, tap_id="t", ref="1", data="approve:K7Q2MD"
        ),
        "unreadable": Unreadable(update_id="3", reason="odd"),
    }
    update = updates[kind]
    read = decode(kind_of(update), update.update_id, address_of(update), encode(bounded(update)))
    assert read == update


def _message() -> ChatMessage:
    return ChatMessage(
        update_id="1",
        address="tg:1",
        sender=ANA,
        text="hi",
        ref="5",
        sent_at=datetime(2026, 1, 5, tzinfo=UTC),
        private=True,
        title="Ana",
        reply_to="4",
        mentioned=True,
    )
