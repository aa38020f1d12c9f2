"""What the host hears of one prompt, and what it makes of it."""

from datetime import UTC, datetime

import pytest

from container.agent import Permission, PermissionRequest, StopReason, TurnEvents
from container.broker.port import Trouble, TroubleKind
from host.conversation.messages_store import HostWord
from host.conversation.prompted import LONGEST_ANSWER, Prompted
from host.conversation.sentences import DECLINED, LIMITED, STOPPED, TOO_LONG
from tests.host.conversation.agents import ScriptedAgent, hang
from tests.host.conversation.house import House


async def _allow(request: PermissionRequest) -> Permission:
    del request
    return Permission.ALLOW


@pytest.fixture
def prompted() -> Prompted:
    return Prompted(0, None, lambda: datetime(2026, 1, 5, tzinfo=UTC), _allow)


@pytest.mark.parametrize(
    ("stop", "said", "read"),
    [
        (StopReason.END, "yes", "yes"),
        (StopReason.END, "", ""),
        (StopReason.LIMIT, "so far", f"so far\n\n{LIMITED}"),
        (StopReason.REFUSED, "", DECLINED),
        (StopReason.REFUSED, "rather not", "rather not"),
        (StopReason.CANCELLED, "half", f"half\n\n{STOPPED}"),
    ],
)
def test_how_a_prompt_stopped_is_said(prompted: Prompted, stop: StopReason, said: str, read: str) -> None:
    prompted.text(said)
    prompted.stop = stop
    assert prompted.answer(stopped=False) == read


def test_a_limit_that_was_the_models_trouble_is_told_as_that(prompted: Prompted) -> None:
    prompted.text("so far")
    prompted.stop = StopReason.LIMIT
    prompted.trouble = Trouble(kind=TroubleKind.OVERLOADED, sentence="The provider is overloaded.")
    assert prompted.answer(stopped=False) == "so far\n\nThe provider is overloaded."


def test_an_endless_answer_is_bounded_and_says_so(prompted: Prompted) -> None:
    for _ in range(30):
        prompted.text("x" * 10_000)
    prompted.stop = StopReason.END
    answer = prompted.answer(stopped=False)
    assert answer.endswith(TOO_LONG)
    assert len(answer) < LONGEST_ANSWER + 100


def test_tools_at_work_are_lines_until_the_agent_goes_on(prompted: Prompted) -> None:
    prompted.tool("1", "reading\nissues", finished=False)
    prompted.tool("2", "asking the kernel…", finished=False)
    assert prompted.so_far() == ("", ">> reading issues…\n>> asking the kernel…")
    prompted.tool("2", "", finished=True)
    prompted.tool("9", "never begun", finished=True)
    assert prompted.so_far() == ("", ">> reading issues…\n>> asking the kernel")
    prompted.text("Let me see.")
    assert prompted.so_far() == ("Let me see.", ">> reading issues…")
    prompted.tool("1", "reading all issues", finished=True)
    assert prompted.so_far() == ("Let me see.", ">> reading all issues")
    prompted.stop = StopReason.END
    assert prompted.answer(stopped=False) == "Let me see."


def test_of_very_many_tools_twenty_are_shown(prompted: Prompted) -> None:
    for number in range(1000):
        prompted.tool(str(number), f"step {number} " + "x" * 500, finished=False)
        prompted.tool(str(number), "", finished=True)
    _, lines = prompted.so_far()
    shown = lines.splitlines()
    assert len(shown) == 21
    assert shown[-1] == "... (more tools)"
    assert all(len(line) < 170 for line in shown)


async def test_an_agent_that_asks_for_permission_is_not_silent(house: House) -> None:
    async def ask(agent: ScriptedAgent, text: str, events: TurnEvents) -> None:
        events.text(await events.permission(PermissionRequest(title="write a file", detail="/tmp/x")))

    house.launcher.script = ask
    async with house.open():
        await house.say("hi")
        await house.bridge.until_shows("tg:1000", "allow")


async def test_what_the_host_tells_an_agent_starts_a_turn(house: House) -> None:
    async with house.open():
        async with house.database.transaction() as conn:
            for text, code, quiet in (("quietly known", "", True), ("Approved by Ana.", "K7Q2MD", False)):
                word = HostWord(
                    lane="main", folder="main", address="tg:1000", text=text, code=code, quiet=quiet
                )
                await house.lanes.tell_agent(conn, word)
        house.lanes.wake("main")
        await house.bridge.until(lambda: house.bridge.texts("tg:1000"))
    assert house.launcher.prompts == [
        ("main", '<outcome>quietly known</outcome>\n<outcome code="K7Q2MD">Approved by Ana.</outcome>')
    ]


async def test_a_turn_cut_off_in_a_group_that_was_removed_is_closed(house: House) -> None:
    async def die_with_the_group(agent: ScriptedAgent, text: str, events: TurnEvents) -> None:
        await house.registry.remove_group("team")
        agent.die()
        await hang(agent, text, events)

    house.launcher.script = die_with_the_group
    async with house.open():
        await house.registry.add_group("tg:-1", "team", trigger_required=False)
        await house.say("hi", address="tg:-1")
        await house.launcher.until_prompted(1)
        await house.lanes.idle()
    assert await house.turn_states() == ["failed"]
    assert house.bridge.texts("tg:-1") == []
