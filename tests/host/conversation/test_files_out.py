"""Files that agents leave in their outbox: sent once with the end of the turn, whatever happens between."""

import asyncio
import os
from pathlib import Path

import pytest

from bridges.messages import Document
from container.agent import StopReason, TurnEvents
from container.folder import FolderError, GroupFolder
from host.conversation import group_rates
from host.conversation.files_out import Collected, FilesOut, outbox_folder
from host.conversation.turns import Turn
from host.meter import SilentMeter
from host.people.registry import Role
from storage.database import Connection
from tests.bridges.telegram.test_files import png
from tests.host.conversation.agents import ScriptedAgent
from tests.host.conversation.house import ANA, House


class Leaves:
    """An agent that leaves files and says something."""

    def __init__(self, house: House, *, says: str = "done") -> None:
        self.files: dict[str, bytes] = {}
        self.house = house
        self.says = says
        house.launcher.script = self.script

    def box(self, folder: str = "main") -> Path:
        path = self.house.folder_of(folder).path / "outbox"
        path.mkdir(exist_ok=True)
        return path

    async def script(self, agent: ScriptedAgent, text: str, events: TurnEvents) -> StopReason:
        for name, data in self.files.items():
            (self.box(agent.key.partition("/")[0]) / name).write_bytes(data)
        events.text(self.says)
        return StopReason.END


def documents(house: House, address: str = "tg:1000") -> list[Document]:
    return [part.document for part in house.bridge.chats.get(address, {}).values() if part.document]


async def test_files_follow_the_answer_and_leave_the_folder(house: House) -> None:
    leaves = Leaves(house)
    leaves.files = {"b report.txt": b"All is well.", "a chart.txt": png(), ".unfinished": b"x"}
    async with house.open():
        await house.say("make a report")
        await house.bridge.until(lambda: len(documents(house)) == 2)
        await house.lanes.idle()
    assert house.bridge.texts("tg:1000") == ["done", "", ""]
    chart, report = documents(house)
    assert (report.name, report.mime, report.data) == ("b report.txt", "text/plain", b"All is well.")
    assert (chart.name, chart.mime) == ("a chart.txt", "image/png")  # by content, not by name
    assert sorted(path.name for path in leaves.box().iterdir()) == [".unfinished"]
    entries = await house.transcript.page("main", None, 10)
    assert [[file.name for file in entry.files] for entry in entries] == [
        *([], []),
        ["a chart.txt"],
        ["b report.txt"],
    ]


async def test_an_agent_may_send_files_without_a_word(house: House) -> None:
    leaves = Leaves(house, says="<internal>sent</internal>")
    leaves.files = {"a.txt": b"x"}
    async with house.open():
        await house.say("just the file")
        await house.bridge.until(lambda: documents(house))
        await house.lanes.idle()
    assert house.bridge.texts("tg:1000") == [""]


async def test_in_a_group_files_answer_the_message_that_asked(house: House) -> None:
    Leaves(house).files = {"a.txt": b"x"}
    async with house.open():
        await house.registry.add_group("tg:-1", "team", trigger_required=False)
        await house.registry.set_role("team", ANA.address, Role.OWNER)
        await house.say("hi", address="tg:-1")
        await house.bridge.until(lambda: documents(house, "tg:-1"))
    assert [part.reply_to for part in house.bridge.chats["tg:-1"].values()] == ["m1", "m1"]


async def test_links_pipes_and_folders_are_never_sent(house: House, tmp_path: Path) -> None:
    leaves = Leaves(house)
    secret = tmp_path / "secret"
    secret.write_text("the key")
    (leaves.box() / "link").symlink_to(secret)
    os.link(secret, leaves.box() / "second name")
    os.mkfifo(leaves.box() / "pipe")
    (leaves.box() / "folder").mkdir()
    leaves.files = {"real.txt": b"x"}
    async with house.open():
        await house.say("go")
        await house.bridge.until(lambda: documents(house))
        await house.lanes.idle()
    assert [document.name for document in documents(house)] == ["real.txt"]
    assert secret.read_text() == "the key"


async def test_an_outbox_that_is_a_link_sends_nothing(house: House, tmp_path: Path) -> None:
    Leaves(house)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "secret").write_text("the key")
    (house.folder_of("main").path / "outbox").symlink_to(elsewhere)
    async with house.open():
        await house.say("go")
        await house.bridge.until_says("tg:1000", "done")
        await house.lanes.idle()
    assert documents(house) == []
    assert (elsewhere / "secret").exists()


async def test_what_cannot_be_sent_is_said_once(house: House) -> None:
    house.largest = 10
    house.__post_init__()
    leaves = Leaves(house)
    leaves.files = {"big.bin": b"x" * 11, "empty.txt": b""}
    async with house.open():
        await house.say("go")
        await house.bridge.until_says("tg:1000", "“big.bin” was not sent: it is larger than")
        await house.bridge.until_says("tg:1000", "“empty.txt” was not sent: it is empty.")
        leaves.files = {}
        await house.say("again")
        await house.launcher.until_prompted(2)
        await house.lanes.idle()
        assert await house.sender.drain(5)
    assert sum("not sent" in text for text in house.bridge.texts("tg:1000")) == 2
    assert len(list(leaves.box().iterdir())) == 2


async def test_of_very_many_files_ten_are_sent_and_the_rest_with_the_next_answer(house: House) -> None:
    leaves = Leaves(house)
    leaves.files = {f"{number:02}.txt": b"x" for number in range(12)}
    async with house.open():
        await house.say("go")
        await house.bridge.until_says("tg:1000", "2 more files come with the agent's next answer.")
        await house.bridge.until(lambda: len(documents(house)) == 10)
        leaves.files = {}
        await house.say("next")
        await house.bridge.until(lambda: len(documents(house)) == 12)
        await house.lanes.idle()
    assert list(leaves.box().iterdir()) == []


async def test_a_group_sends_so_many_files_an_hour(house: House) -> None:
    leaves = Leaves(house)
    async with house.open():
        for number in range(group_rates.FILES // 10):
            leaves.files = {f"{number}-{place}.txt": b"x" for place in range(10)}
            await house.say("go")
            await house.launcher.until_prompted(number + 1)
            await house.lanes.idle()
        leaves.files = {"one more.txt": b"x"}
        await house.say("go on")
        await house.bridge.until_says("tg:1000", "1 more file comes")
        assert await house.sender.drain(5)
        assert len(documents(house)) == group_rates.FILES
        leaves.files = {}
        await house.clock.advance(3601)
        await house.say("later")
        await house.bridge.until(lambda: len(documents(house)) == group_rates.FILES + 1)


async def test_a_turn_that_is_cut_off_leaves_its_files_for_the_next(house: House) -> None:
    leaves = Leaves(house)
    leaves.files = {"a.txt": b"x"}
    plain = leaves.script

    async def die_once(agent: ScriptedAgent, text: str, events: TurnEvents) -> StopReason:
        await plain(agent, text, events)
        if len(house.launcher.agents) == 1:
            agent.die()
            await asyncio.Event().wait()
        return StopReason.END

    house.launcher.script = die_once
    async with house.open():
        await house.say("go")
        await house.bridge.until(lambda: documents(house))
        await house.lanes.idle()
        assert await house.sender.drain(5)
    assert len(documents(house)) == 1


async def test_the_same_file_written_anew_is_sent_anew(house: House) -> None:
    leaves = Leaves(house)
    leaves.files = {"a.txt": b"x"}
    async with house.open():
        for times in (1, 2):
            await house.say("go")
            await house.bridge.until(lambda times=times: len(documents(house)) == times)  # type: ignore[misc]
            await house.lanes.idle()
    assert len({document.data for document in documents(house)}) == 1


class Stuck(GroupFolder):
    """Nothing can be removed from it: as if the host were killed before it did."""

    def remove(self, name: str) -> None:
        raise FolderError("killed")


@pytest.mark.parametrize("crash", ["before the commit", "after the commit"])
async def test_a_crash_at_the_end_of_a_turn_neither_doubles_nor_loses_a_file(
    house: House, crash: str
) -> None:
    leaves = Leaves(house)
    leaves.files = {"a.txt": b"x"}
    folder_of = house.folder_of

    class Killed(FilesOut):
        """The host ends while files are committed."""

        async def post(self, conn: Connection, turn: Turn, collected: Collected, ref: str | None) -> None:
            raise OSError("killed")

    if crash == "after the commit":
        house.files_out = FilesOut(
            outbox=house.outbox,
            folder_of=lambda group: Stuck(folder_of(group).path),
            clock=house.clock,
            meter=SilentMeter(),
            largest=99,
        )
    else:
        house.files_out = Killed(
            outbox=house.outbox, folder_of=folder_of, clock=house.clock, meter=SilentMeter(), largest=99
        )
    house.__post_init__()
    async with house.open():
        await house.say("go")
        if crash == "after the commit":
            await house.bridge.until(lambda: documents(house))
            await house.lanes.idle()
            assert await house.sender.drain(5)  # what is on its way in a crash may arrive twice
        else:
            await house.launcher.until_prompted(1)
    assert [path.name for path in leaves.box().iterdir()] == ["a.txt"]
    leaves.files = {}
    after = house.again()
    Leaves(after)
    async with after.open():
        await after.say("and now")
        await after.bridge.until(lambda: documents(after))
        await after.launcher.until(lambda: len(after.launcher.prompts) >= 2)
        await after.lanes.idle()
        assert await after.sender.drain(5)
    assert len(documents(after)) == 1
    assert list(leaves.box().iterdir()) == []


def test_topics_of_a_group_have_outboxes_of_their_own() -> None:
    assert outbox_folder("team") == "outbox"
    assert outbox_folder("team/42") == "outbox/42"
    assert outbox_folder("team/../..") == "outbox/file"
