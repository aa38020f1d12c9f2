"""Nothing that was written to the bot is lost, confirmed too early or taken twice."""

import asyncio

import pytest

from bridges.messages import Button, ChatMessage, Content, Tone, Unreadable
from bridges.port import BridgeMisconfigured, BridgeUnavailable
from bridges.telegram import TelegramBridge, TelegramSettings
from storage.clock import SystemClock
from tests.bridges.telegram.letters import Letters, receiving
from tests.servers.telegram import TOKEN, TelegramServer

CLOCK = SystemClock()


async def test_a_message_arrives_in_our_words(server: TelegramServer, bridge: TelegramBridge) -> None:
    intake = Letters()
    async with receiving(bridge, intake):
        update = server.say(1000, 1000, "hello")
        await intake.until(1)
    (message,) = intake.messages
    assert (message.update_id, message.address, message.sender.address) == (str(update), "tg:1000", "tg:1000")
    assert (message.text, message.private, message.mentioned) == ("hello", True, False)
    assert bridge.state().ok


async def test_an_update_is_confirmed_only_after_it_was_accepted(
    server: TelegramServer, bridge: TelegramBridge
) -> None:
    intake = Letters()
    update = server.say(1000, 1000, "keep me")
    intake.outage = True
    async with receiving(bridge, intake):
        await intake.wait_for(lambda: intake.failed >= 3)
        assert server.pending == [update]
        assert "cannot be stored" in bridge.state().reason
        intake.outage = False
        await intake.until(1)
        await server.wait_for(lambda: server.pending == [])
    assert intake.texts == ["keep me"]


async def test_a_commit_that_happened_although_it_failed_is_not_taken_twice(
    server: TelegramServer, bridge: TelegramBridge
) -> None:
    intake = Letters()
    intake.crash_after = True
    server.say(1000, 1000, "once")
    async with receiving(bridge, intake):
        await intake.wait_for(lambda: intake.failed == 1)
        server.say(1000, 1000, "twice")
        await intake.until(2)
    assert intake.texts == ["once", "twice"]
    assert intake.accepted == 2


async def test_a_killed_process_finds_what_it_had_not_accepted(
    server: TelegramServer, settings: TelegramSettings
) -> None:
    intake = Letters()
    first = server.say(1000, 1000, "one")
    async with TelegramBridge(settings, CLOCK).opened() as bridge, receiving(bridge, intake):
        await intake.until(1)
        await server.wait_for(lambda: server.pending == [])
    second = server.say(1000, 1000, "two")
    async with TelegramBridge(settings, CLOCK).opened() as bridge, receiving(bridge, intake):
        await intake.until(2)
    assert list(intake.kept) == [str(first), str(second)]
    assert intake.marks["tg"] == str(second + 1)


async def test_a_stored_mark_is_where_polling_begins(server: TelegramServer, bridge: TelegramBridge) -> None:
    seen = server.say(1000, 1000, "accepted before the crash")
    fresh = server.say(1000, 1000, "new")
    intake = Letters(mark=str(seen + 1))
    async with receiving(bridge, intake):
        await intake.until(1)
    assert list(intake.kept) == [str(fresh)]


async def test_updates_wait_on_the_server_when_the_bridge_comes_late(
    server: TelegramServer, bridge: TelegramBridge
) -> None:
    for number in range(250):
        server.say(1000, 1000, f"message {number}")
    intake = Letters()
    async with receiving(bridge, intake):
        await intake.until(250)
    assert intake.texts == [f"message {number}" for number in range(250)]


async def test_what_cannot_be_read_is_recorded_and_holds_nothing_up(
    server: TelegramServer, bridge: TelegramBridge
) -> None:
    server.push({"message": {"message_id": "seven", "chat": 3}})
    server.push({"message": ["not", "a", "message"]})
    ages_away = {"message_id": 1, "date": 10**18, "text": "hi", "from": {"id": 5}}
    server.push({"message": ages_away | {"chat": {"id": 5, "type": "private"}}})
    server.push({"callback_query": {"id": "x", "from": {"id": 3}}})
    last = server.say(1000, 1000, "still here")
    intake = Letters()
    async with receiving(bridge, intake):
        await intake.wait_for(lambda: str(last) in intake.kept)
    unreadable = [update for update in intake.updates if isinstance(update, Unreadable)]
    assert len(unreadable) == 4
    assert intake.texts == ["still here"]
    assert unreadable[0].reason == "malformed: message.chat, message.date, message.message_id"


async def test_kinds_that_are_not_ours_move_the_mark(server: TelegramServer, bridge: TelegramBridge) -> None:
    joined = {"id": 5, "is_bot": False, "first_name": "New"}
    update = server.say(-7, 1000, None, new_chat_members=[joined])
    intake = Letters()
    async with receiving(bridge, intake):
        await intake.wait_for(lambda: intake.marks.get("tg") == str(update + 1))
    assert intake.updates == []


async def test_a_wrong_token_is_explained_and_polling_goes_on(server: TelegramServer) -> None:
    settings = TelegramSettings(token="12345:wrong", api_base=server.url, first_wait=0.01)
    async with TelegramBridge(settings, CLOCK).opened() as bridge, receiving(bridge, Letters()):
        await server.wait_for(lambda: len(server.calls) >= 3)
        assert not bridge.state().ok
        assert "does not accept the bot's token" in bridge.state().reason
        assert "INTERCOM_TELEGRAM__TOKEN" in bridge.state().reason
        with pytest.raises(BridgeMisconfigured, match="@BotFather"):
            await bridge.check()


async def test_a_webhook_is_explained_and_polling_begins_when_it_is_gone(
    server: TelegramServer, bridge: TelegramBridge
) -> None:
    server.set_webhook("https://elsewhere.example/secret-path")
    server.say(1000, 1000, "hello")
    intake = Letters()
    async with receiving(bridge, intake):
        await server.wait_for(lambda: len(server.calls) >= 4)
        assert "webhook" in bridge.state().reason
        assert "elsewhere.example" in bridge.state().reason
        assert "secret-path" not in bridge.state().reason
        server.set_webhook("")
        await intake.until(1)
        await server.wait_for(lambda: bridge.state().ok)


async def test_a_webhook_set_while_polling_is_explained_too(
    server: TelegramServer, bridge: TelegramBridge
) -> None:
    async with receiving(bridge, Letters()):
        await server.wait_for(lambda: server.polling == 1)
        server.set_webhook("https://elsewhere.example/")
        server.say(1000, 1000, "ends the open poll")
        await server.wait_for(lambda: "elsewhere.example" in bridge.state().reason)


async def test_a_second_poller_is_explained_and_we_go_on_when_it_stops(
    server: TelegramServer, settings: TelegramSettings
) -> None:
    ours, theirs = Letters(), Letters()
    async with TelegramBridge(settings, CLOCK).opened() as bridge, receiving(bridge, ours):
        await server.wait_for(lambda: server.polling == 1)
        async with TelegramBridge(settings, CLOCK).opened() as other, receiving(other, theirs):
            await server.wait_for(lambda: "Another program" in bridge.state().reason)
        await server.wait_for(lambda: bridge.state().ok and server.polling == 1)
        server.say(1000, 1000, "after the fight")
        await ours.until(1)
    assert [call.status for call in server.calls].count(409) >= 1


async def test_dropped_connections_are_waited_out(server: TelegramServer, bridge: TelegramBridge) -> None:
    server.drop_next("getMe")
    server.drop_next("getUpdates", times=2)
    server.fail_next("getUpdates", 502, "Bad Gateway")
    server.drop_next("getUpdates", after=True)
    server.say(1000, 1000, "through the storm")
    intake = Letters()
    async with receiving(bridge, intake):
        await intake.until(1)
        await server.wait_for(lambda: bridge.state().ok)
    assert intake.texts == ["through the storm"]


async def test_a_server_that_is_not_there_is_named_and_found_later() -> None:
    async with TelegramServer.running() as first:
        url, port = first.url, int(first.url.rpartition(":")[2])
    settings = TelegramSettings(token=TOKEN, api_base=url, first_wait=0.01, longest_wait=0.05)
    intake = Letters()
    async with TelegramBridge(settings, CLOCK).opened() as bridge:
        with pytest.raises(BridgeUnavailable, match="cannot be reached"):
            await bridge.check()
        async with receiving(bridge, intake), TelegramServer.running(port=port) as server:
            server.say(1000, 1000, "there you are")
            await intake.until(1)


class HastyClock(SystemClock):
    """Notes how long it was asked to wait and does not wait; at the end of its patience it waits for good."""

    def __init__(self, patience: int) -> None:
        self.waits: list[float] = []
        self.done = asyncio.Event()
        self._patience = patience

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        if len(self.waits) == self._patience:
            self.done.set()
            await asyncio.Event().wait()


async def test_waits_grow_after_each_failure_and_never_beyond_the_longest(server: TelegramServer) -> None:
    settings = TelegramSettings(token="12345:wrong", api_base=server.url, first_wait=2, longest_wait=30)
    clock = HastyClock(patience=7)
    patient = TelegramBridge(settings, clock, jitter=lambda: 1.0)
    async with asyncio.timeout(10), patient.opened() as bridge, receiving(bridge, Letters()):
        await clock.done.wait()
    assert clock.waits == [2, 4, 8, 16, 30, 30, 30]


async def test_a_poll_that_never_ends_is_given_up(server: TelegramServer, settings: TelegramSettings) -> None:
    gate = server.hold_next("getUpdates")
    impatient = TelegramSettings(
        token=TOKEN, api_base=server.url, first_wait=0.01, longest_wait=0.05, stall_after=0.2
    )
    intake = Letters()
    async with TelegramBridge(impatient, CLOCK).opened() as bridge, receiving(bridge, intake):
        server.say(1000, 1000, "after the stall")
        await intake.until(1)
    gate.set()


async def test_the_menu_of_commands_is_offered(server: TelegramServer) -> None:
    settings = TelegramSettings(
        token=TOKEN, api_base=server.url, commands=(("status", "What runs"), ("help", "What you may do"))
    )
    async with TelegramBridge(settings, CLOCK).opened() as bridge, receiving(bridge, Letters()):
        await server.wait_for(lambda: server.polling == 1)
    assert [command["command"] for command in server.world.commands] == ["status", "help"]


async def test_a_message_of_ten_megabytes_is_cut_with_a_note(
    server: TelegramServer, bridge: TelegramBridge
) -> None:
    server.say(1000, 1000, "x" * 10_000_000)
    intake = Letters()
    async with receiving(bridge, intake):
        await intake.until(1)
    assert len(intake.texts[0]) < 100_100
    assert intake.texts[0].endswith("[cut: the message had 10,000,000 characters]")


async def test_cancelling_ends_an_open_poll(server: TelegramServer, bridge: TelegramBridge) -> None:
    async with asyncio.timeout(5):
        async with receiving(bridge, Letters()):
            await server.wait_for(lambda: server.polling == 1)
        await server.wait_for(lambda: server.polling == 0)


async def test_taps_and_topics_arrive_with_their_address(
    server: TelegramServer, bridge: TelegramBridge
) -> None:
    server.add_chat(-5, threads=(42,))
    (part,) = bridge.parts(card())
    ref = await bridge.send("tg:-5/42", part)
    intake = Letters()
    async with receiving(bridge, intake):
        server.tap(-5, int(ref), "approve:K7Q2MD", user=1001)
        await intake.until(1)
        (tap,) = intake.taps
        assert (tap.address, tap.ref, tap.data) == ("tg:-5/42", ref, "approve:K7Q2MD")
        assert tap.sender.address == "tg:1001"
        await bridge.answer(tap.tap_id, "working…")
    assert [answer.text for answer in server.answers] == ["working…"]
    assert not any(isinstance(update, ChatMessage) for update in intake.updates)


def card() -> Content:
    rows = ((Button(label="APPROVE", data="approve:K7Q2MD", tone=Tone.GOOD),),)
    return Content(text="Your decision", headline=True, buttons=rows)


async def test_a_refused_menu_is_no_reason_not_to_listen(server: TelegramServer) -> None:
    server.fail_next("setMyCommands", 400, "Bad Request: BOT_COMMAND_INVALID")
    settings = TelegramSettings(token=TOKEN, api_base=server.url, commands=(("status", "What runs"),))
    async with TelegramBridge(settings, CLOCK).opened() as bridge, receiving(bridge, Letters()):
        await server.wait_for(lambda: server.polling == 1)
        assert bridge.state().ok


async def test_a_mark_that_cannot_be_read_is_waited_for(
    server: TelegramServer, bridge: TelegramBridge
) -> None:
    intake = Letters()
    intake.outage = True
    async with receiving(bridge, intake):
        await intake.wait_for(lambda: intake.failed >= 2)
        assert [call.method for call in server.calls] == ["getMe", "getWebhookInfo"]
        intake.outage = False
        server.say(1000, 1000, "now")
        await intake.until(1)


async def test_a_flooded_poll_waits_as_long_as_telegram_asks(server: TelegramServer) -> None:
    server.fail_next("getUpdates", 429, "Too Many Requests")
    clock = HastyClock(patience=1)
    hasty = TelegramBridge(TelegramSettings(token=TOKEN, api_base=server.url), clock)
    async with asyncio.timeout(10), hasty.opened() as bridge, receiving(bridge, Letters()):
        await clock.done.wait()
    assert clock.waits == [5]


@pytest.mark.parametrize("answer", ["<html>Please sign in</html>", "{}", "[]", '{"ok": true, "result": 7}'])
async def test_what_is_not_telegram_is_waited_out(
    server: TelegramServer, bridge: TelegramBridge, answer: str
) -> None:
    server.garble_next("getMe", answer)
    server.garble_next("getUpdates", answer)
    server.say(1000, 1000, "behind the sign-in page")
    intake = Letters()
    async with receiving(bridge, intake):
        await intake.until(1)
    assert intake.texts == ["behind the sign-in page"]


async def test_updates_without_a_number_confirm_nothing(
    server: TelegramServer, bridge: TelegramBridge
) -> None:
    server.garble_next("getUpdates", '{"ok": true, "result": [{"message": {}}, 5]}')
    server.say(1000, 1000, "numbered")
    intake = Letters()
    async with receiving(bridge, intake):
        await intake.until(1)
    assert intake.texts == ["numbered"]
