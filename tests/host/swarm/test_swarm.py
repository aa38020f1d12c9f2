"""Helpers: asked for by the main group's agent, allowed within a limit, answering to it alone."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from container.agent import Permission, PermissionRequest, StopReason, TurnEvents
from container.sandbox import ImageMissing
from host.decisions.approvals import State
from host.swarm.port import helper_key, lane_of
from host.swarm.swarm import PATIENCE
from tests.host.conversation.agents import ScriptedAgent, hang
from tests.host.decisions.office import BEN, MAIN, Office, code_of, first_line
from tests.host.swarm.yard import result, spawn, yard_of


async def scout(agent: ScriptedAgent, text: str, events: TurnEvents) -> StopReason | None:
    del agent
    events.text("<internal>where to begin</internal>I looked.")
    events.tool("1", "Read README.md", finished=False)
    events.tool("1", "Read README.md", finished=True)
    events.text("Task was: " + text.partition('<message sender="the agent you help">')[2].partition("<")[0])
    return None


async def intents(office: Office) -> list[tuple[str, str]]:
    rows = await office.database.fetch("SELECT operation, state FROM host.intents ORDER BY id")
    return [(row["operation"], row["state"]) for row in rows]


async def settled(office: Office, states: set[str]) -> bool:
    return {state for _, state in await intents(office)} == states


async def test_a_helper_answers_its_caller_and_nobody_else(office: Office) -> None:
    async with yard_of(office, scout) as yard:
        box = await yard.begin()
        begun = await spawn(box, "look around", name="Scout", folder="docs/./guide")
        assert not begun.failed
        assert begun.data == {"name": "Scout", "status": "started"}
        found = await result(box, "scout")
        assert found.text == '"Scout" is done:\n\nI looked.\n\nTask was: look around'
        assert found.data == {"helpers": [{"name": "Scout", "status": "done"}]}
        (assignment,) = yard.assignments
        assert (assignment.key, assignment.folder, assignment.runtime) == ("main#1", "docs/guide", "local")
        assert "You are Scout, a helper of another agent" in yard.launcher.prompts[0][1]
        assert "Your folder is docs/guide" in yard.launcher.prompts[0][1]
        await yard.eventually(lambda: settled(office, {"executed"}))
        assert yard.launcher.living == 0
        assert yard.turn is not None
        assert await office.parts.written.had_written(yard.turn.id) == []
    assert await office.lines() == []
    assert [each for each in await office.audited() if each.startswith("helper.")] == [
        "helper.asked",
        "helper.ended",
    ]


async def test_several_work_side_by_side_and_are_given_as_they_end(office: Office) -> None:
    may_end = {name: asyncio.Event() for name in ("One", "Two")}

    async def work(agent: ScriptedAgent, text: str, events: TurnEvents) -> StopReason | None:
        del agent
        name = "One" if "You are One" in text else "Two"
        events.tool("1", f"{name} reads", finished=False)
        await may_end[name].wait()
        events.text(f"{name} was here")
        return None

    async with yard_of(office, work) as yard:
        box = await yard.begin()
        for name in may_end:
            await spawn(box, name=name)
        await yard.launcher.until_prompted(2)
        assert [each.key for each in yard.assignments] == ["main#1", "main#2"]
        may_end["Two"].set()
        first = await result(box)
        assert first.text == (
            '"Two" is done:\n\nTwo was here\n\n"One" works: One reads…\nCall await_agent again.'
        )
        may_end["One"].set()
        assert (await result(box)).text == '"One" is done:\n\nOne was here'
        assert "you have all their results" in (await result(box)).text
        assert (await result(box, "two")).text == '"Two" is done:\n\nTwo was here'


async def test_waiting_ends_before_any_agent_loses_patience(office: Office) -> None:
    async with yard_of(office, hang) as yard:
        box = await yard.begin()
        await spawn(box, name="Slow")
        await yard.launcher.until_prompted(1)
        async with asyncio.TaskGroup() as tasks:
            asked = tasks.create_task(result(box, "Slow"))
            await office.clock.until_sleeping(2)
            await office.clock.advance(PATIENCE)
            answer = await asked
        assert answer.text == '"Slow" works…\nCall await_agent again.'
        assert not answer.failed


async def test_a_helper_reads_and_speaks_under_its_name_and_does_nothing_else(office: Office) -> None:
    said: list[str] = []

    async def work(agent: ScriptedAgent, text: str, events: TurnEvents) -> StopReason | None:
        names = {each.name for each in agent.tools.declarations()}
        assert {"demarch_next_work", "send_message"} <= names
        assert not names & {"spawn_agent", "await_agent", "demarch_start_run", "demarch_create_issue"}
        for name, arguments in [
            ("demarch_next_work", {}),
            ("demarch_create_issue", {"title": "x"}),
            ("send_message", {"text": "halfway"}),
            ("send_message", {"text": "psst", "to": "tg:-200"}),
            ("spawn_agent", {"task": "x"}),
            ("await_agent", {}),
            ("register_group", {"address": "tg:1", "folder": "x"}),
        ]:
            answer = await agent.tools.call(name, arguments)
            said.append(f"{name}: {answer.failed}")
        events.text("done")
        return None

    async with yard_of(office, work) as yard:
        box = await yard.begin()
        await spawn(box, name="Scout")
        assert not (await result(box, "Scout")).failed
        assert said == [
            "demarch_next_work: False",
            "demarch_create_issue: True",
            "send_message: False",
            "send_message: True",
            "spawn_agent: True",
            "await_agent: True",
            "register_group: True",
        ]
    await office.show()
    (post,) = await office.posts(MAIN)
    assert (post.content.text, post.content.sender) == ("halfway", "Scout")


async def test_beyond_the_limit_a_person_decides(office: Office) -> None:
    async with yard_of(office, scout) as yard:
        box = await yard.begin()
        for number in range(3):
            await spawn(box, f"part {number}")
            assert not (await result(box, f"Helper {number + 1}")).failed
        asked = await spawn(box, "part four\nApprove → nothing happens", name="Fourth")
        assert asked.data["status"] == "pending"
        await yard.eventually(_card_of(office))
        card = await office.card()
        assert first_line(card) == '🙋 The agent asks: start a helper "Fourth" (local)?'
        assert "\nFrom a message of Ana.\n│ part four\n│ Approve → nothing happens\n" in card.content.text
        assert len(yard.assignments) == 3
        await office.tap(card, "APPROVE", BEN)
        assert (await result(box, "Fourth")).text.startswith('"Fourth" is done:')
        await yard.eventually(lambda: settled(office, {"executed"}))


async def test_a_person_says_no(office: Office) -> None:
    async with yard_of(office, scout) as yard:
        box = await yard.begin(tainted=True)
        await spawn(box, name="First")
        await yard.eventually(_card_of(office))
        card = await office.card()
        assert "Careful: words of somebody without a role here" in card.content.text
        async with asyncio.TaskGroup() as tasks:
            waiting = tasks.create_task(result(box, "First"))
            await office.tap(card, "REJECT", BEN)
            answer = await waiting
        assert answer.failed
        assert answer.text == '"First" gives no result:\n\nNo person allowed it, so it was not started.'
        assert yard.assignments == []


async def test_what_a_card_cannot_show_is_not_asked(office: Office) -> None:
    async with yard_of(office) as yard:
        box = await yard.begin(tainted=True)
        answer = await spawn(box, "x" * 5000)
        assert answer.failed
        assert "too long for a card" in answer.text
        assert await office.outbox.due_addresses() == []


async def test_there_is_a_most_also_for_many_calls_at_once(office: Office) -> None:
    async with yard_of(office, hang) as yard:
        box = await yard.begin()
        async with asyncio.TaskGroup() as tasks:
            calls = [tasks.create_task(spawn(box, f"part {number}")) for number in range(12)]
        answers = [call.result() for call in calls]
        assert [each.data["status"] for each in answers if not each.failed] == ["started"] * 3 + [
            "pending"
        ] * 5
        assert all("may have 8 helpers" in each.text for each in answers if each.failed)
        assert len({each.data["name"] for each in answers if not each.failed}) == 8
        await yard.launcher.until_prompted(3)


async def test_only_the_main_group_has_helpers(office: Office) -> None:
    async with yard_of(office) as yard:
        box = await yard.begin("design")
        assert not {"spawn_agent", "await_agent"} & {each.name for each in box.declarations()}
        answer = await spawn(box)
        assert answer.failed
        assert "main group only" in answer.text
        assert {"spawn_agent", "await_agent"} <= {each.name for each in (await yard.begin()).declarations()}


async def test_without_a_turn_nothing_is_started(office: Office) -> None:
    async with yard_of(office) as yard:
        box = await yard.begin()
        yard.turn = None
        assert (await spawn(box)).failed
        assert (await result(box)).text == "There are no helpers in this turn; spawn_agent starts one."
        assert yard.assignments == []


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ({}, "task"),
        ({"task": " "}, "task"),
        ({"task": "x", "folder": "/etc"}, "folder"),
        ({"task": "x", "folder": "a/../../b"}, "folder"),
        ({"task": "x", "name": "\u200b"}, "name"),
        ({"task": "x", "runtime": "emacs"}, "There is no runtime"),
        ({"task": "x", "name": "taken"}, "has a helper"),
        ({"task": "x", "also": 1}, "also"),
    ],
)
async def test_what_is_wrong_is_said(office: Office, arguments: dict[str, object], why: str) -> None:
    async with yard_of(office) as yard:
        box = await yard.begin()
        await spawn(box, name="Taken")
        await yard.launcher.until_prompted(1)
        answer = await box.call("spawn_agent", arguments)
        assert answer.failed
        assert why in answer.text
        assert len(yard.assignments) == 1


async def test_when_the_turn_ends_its_helpers_end(office: Office) -> None:
    async with yard_of(office, hang) as yard:
        box = await yard.begin()
        await spawn(box, name="Slow")
        await yard.launcher.until_prompted(1)
        office.parts.swarm.dismiss("main")
        await yard.eventually(lambda: settled(office, {"failed"}))
        assert yard.launcher.living == 0
        assert (await result(box)).failed


async def test_when_the_turn_ends_what_was_asked_is_withdrawn(office: Office) -> None:
    async with yard_of(office) as yard:
        box = await yard.begin(tainted=True)
        await spawn(box)
        await yard.eventually(_card_of(office))
        card = await office.card()
        office.parts.swarm.dismiss("main")
        await yard.eventually(lambda: settled(office, {"failed"}))
        assert (await office.approval(code_of(card))).state is State.CLOSED
        assert "waits for it no longer" in await office.tap(card, "APPROVE", BEN)
        assert yard.assignments == []


async def test_who_waits_hears_at_once_that_the_turn_has_ended(office: Office) -> None:
    async with yard_of(office, hang) as yard:
        box = await yard.begin()
        await spawn(box, name="Slow")
        await yard.launcher.until_prompted(1)
        async with asyncio.TaskGroup() as tasks:
            waiting = tasks.create_task(result(box))
            await office.clock.until_sleeping(2)
            office.parts.swarm.dismiss("main")
            answer = await waiting
        assert answer.failed
        assert "The turn it worked for has ended" in answer.text


async def test_a_turn_run_again_begins_without_the_helpers_of_before(office: Office) -> None:
    async with yard_of(office, hang) as yard:
        box = await yard.begin()
        for number in range(3):
            await spawn(box, f"part {number}")
        await yard.launcher.until_prompted(3)
        assert yard.turn is not None
        yard.turn = replace(yard.turn, attempt=2)
        await office.database.execute("UPDATE host.turns SET attempt = 2 WHERE id = $1", yard.turn.id)
        assert (await result(box)).failed
        assert (await spawn(box)).data["status"] == "started"
        await yard.launcher.until_prompted(4)
        assert yard.assignments[-1].number == 4  # nobody takes the place of one that is not gone yet


async def test_a_helper_has_a_time(office: Office) -> None:
    async def slow(agent: ScriptedAgent, text: str, events: TurnEvents) -> StopReason | None:
        events.text("so far so good")
        return await hang(agent, text, events)

    async with yard_of(office, slow) as yard:
        box = await yard.begin()
        await spawn(box, name="Slow")
        await yard.launcher.until_prompted(1)
        await office.clock.until_sleeping(1)
        await office.clock.advance(600)
        answer = await result(box)
        assert answer.failed
        assert answer.text == (
            '"Slow" gives no result:\n\nIt worked for 10 minutes, which is the most, and was ended.'
            " It had said:\n\nso far so good"
        )
        assert yard.launcher.living == 0


async def test_one_that_cannot_be_started_says_why(office: Office) -> None:
    async with yard_of(office) as yard:
        box = await yard.begin()
        yard.launcher.failures.append(ImageMissing("The image of local is missing; build it first."))
        await spawn(box, name="First")
        assert "could not be started: The image of local is missing" in (await result(box)).text
        yard.most = 0
        await spawn(box, name="Second")
        assert "could not be started: every place for agents is taken." in (await result(box)).text


async def test_one_that_dies_leaves_what_it_said(office: Office) -> None:
    async def die(agent: ScriptedAgent, text: str, events: TurnEvents) -> StopReason | None:
        events.text("I saw")
        agent.die()
        return await hang(agent, text, events)

    async with yard_of(office, die) as yard:
        box = await yard.begin()
        await spawn(box, name="First")
        answer = await result(box)
        assert answer.failed
        assert "It ended early. The sandbox ended. It had said:\n\nI saw" in answer.text


@pytest.mark.parametrize(
    ("stop", "said", "text"),
    [
        (StopReason.REFUSED, "", "declined the task"),
        (StopReason.CANCELLED, "half", "was stopped. It had said:\n\nhalf"),
        (StopReason.LIMIT, "half", "half\n\n(It ran into a limit of its own and stopped here.)"),
        (StopReason.END, "<internal>only this", "ended without saying anything"),
        (StopReason.END, "y" * 50_000, "y" * 1000),
    ],
)
async def test_every_end_is_told(office: Office, stop: StopReason, said: str, text: str) -> None:
    async def end(agent: ScriptedAgent, _: str, events: TurnEvents) -> StopReason | None:
        del agent
        events.text(said)
        return stop

    async with yard_of(office, end) as yard:
        box = await yard.begin()
        await spawn(box)
        answer = await result(box)
        assert text in answer.text
        assert len(answer.text) < 21_000


async def test_a_fault_of_ours_is_a_failed_helper_and_no_more(office: Office) -> None:
    async def broken(agent: ScriptedAgent, text: str, events: TurnEvents) -> StopReason | None:
        raise RuntimeError("ours")

    async with yard_of(office, broken) as yard:
        box = await yard.begin()
        await spawn(box)
        assert "An internal fault; it is logged." in (await result(box)).text
        yard.launcher.script = scout
        await spawn(box)
        assert not (await result(box)).failed


async def test_what_a_helper_asks_is_decided_like_its_callers_requests_and_names_it(office: Office) -> None:
    async def fetch(agent: ScriptedAgent, text: str, events: TurnEvents) -> StopReason | None:
        inside = await events.permission(PermissionRequest(title="ls", kind="execute", detail="ls"))
        outside = await events.permission(PermissionRequest(title="Fetch it", kind="fetch", detail="url"))
        events.text(f"{inside} {outside}")
        return None

    async with yard_of(office, fetch) as yard:
        box = await yard.begin()
        await spawn(box, name="Scout")
        await yard.eventually(_card_of(office))
        card = await office.card()
        assert first_line(card) == '🙋 The agent\'s program asks: "Scout": Fetch it?'
        await office.tap(card, "REJECT", BEN)
        assert f"{Permission.ALLOW} {Permission.REJECT}" in (await result(box)).text


async def test_a_host_that_stops_ends_them(office: Office) -> None:
    async with yard_of(office, hang) as yard:
        await spawn(await yard.begin())
        await yard.launcher.until_prompted(1)
    assert yard.launcher.living == 0
    assert await settled(office, {"failed"})


async def test_a_host_that_has_stopped_starts_no_more(office: Office) -> None:
    async with yard_of(office) as yard:
        box = await yard.begin()
    answer = await spawn(box)
    assert answer.failed
    assert "while this program starts or stops" in answer.text
    assert yard.assignments == []


def test_a_key_leads_back_to_its_lane() -> None:
    assert lane_of(helper_key("main", 3)) == "main"
    assert lane_of(helper_key("main/42", 12)) == "main/42"
    assert [lane_of(key) for key in ("main", "main/4", "main#x", "#", "main#")] == [
        "main",
        "main/4",
        "main#x",
        "#",
        "main#",
    ]


def _card_of(office: Office) -> Callable[[], Awaitable[bool]]:
    async def due() -> bool:
        return bool(await office.outbox.due_addresses())

    return due
