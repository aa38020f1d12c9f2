"""The tools of a group's agent: what it may, what waits for a person, and what is on record."""

import asyncio

import pytest

from container.agent import ToolBox, ToolResult
from host.conversation.turns import Turn
from host.decisions.approvals import State
from host.tools.policy import WRITES_ELSEWHERE
from host.tools.toolbox import WRITES_A_MINUTE
from tests.host.decisions.faulty import Fault
from tests.host.decisions.office import ANA, BEN, EVE, HOUR, MAIN, OTHER, Office, code_of, first_line, labels

RUN = {"title": "migrate billing to v2", "token_budget": 200_000}


async def box_of(office: Office, folder: str = "main", *, tainted: bool = False) -> tuple[ToolBox, Turn]:
    turn = await office.turn(folder=folder, address=MAIN if folder == "main" else OTHER, tainted=tainted)
    return office.parts.toolbox_for(folder, lambda: turn), turn


async def ask(office: Office) -> ToolResult:
    box, _ = await box_of(office)
    return await box.call("demarch_start_run", RUN)


async def intents(office: Office) -> list[tuple[str, str]]:
    rows = await office.database.fetch("SELECT operation, state FROM host.intents ORDER BY id")
    return [(row["operation"], row["state"]) for row in rows]


async def test_a_read_answers_at_once(office: Office) -> None:
    await office.terminal.issue("mend the door")
    box, _ = await box_of(office, "design")
    found = await box.call("demarch_next_work", {})
    assert not found.failed
    assert "mend the door" in found.text


async def test_a_harmless_write_is_recorded_and_executed(office: Office) -> None:
    box, turn = await box_of(office)
    made = await box.call("demarch_create_issue", {"title": "mend the door"})
    assert not made.failed
    assert await intents(office) == [("create_issue", "executed")]
    assert (await office.audited())[-1] == "intent.executed"
    assert len(await office.parts.written.had_written(turn.id)) == 1


async def test_a_grave_write_waits_for_a_person(office: Office) -> None:
    asked = await ask(office)
    card = await office.card()
    assert (
        asked.text == f"Waiting for a person: \"start a run 'migrate billing to v2'\". Code {code_of(card)}."
    )
    assert (asked.data["status"], asked.data["code"]) == ("pending", code_of(card))
    assert first_line(card) == '🙋 The agent asks: start a run "migrate billing to v2"?'
    assert "From a message of Ana." in card.content.text
    assert labels(card) == ["APPROVE", "REJECT", "DETAILS"]
    assert not office.kernel.executed
    assert "intent.pending" in await office.audited()


async def test_approved_it_is_executed_and_the_agent_told(office: Office) -> None:
    await ask(office)
    card = await office.card()
    answer = await office.tap(card, "APPROVE", BEN)
    assert answer.startswith("Approved: ")
    assert [run.goal for run in await office.kernel.runs()] == ["migrate billing to v2"]
    assert await intents(office) == [("start_run", "executed")]
    told = (await office.ears.told())[-1]
    assert f"(code {code_of(card)}) was approved by Ben." in told
    assert office.ears.woken == ["main"]


async def test_rejected_nothing_happens_and_the_agent_is_told(office: Office) -> None:
    await ask(office)
    await office.tap(await office.card(), "REJECT", BEN)
    assert first_line(await office.card()).startswith("⛔ Rejected by Ben, 09:00:")
    assert not await office.kernel.runs()
    assert await intents(office) == [("start_run", "refused")]
    assert "was rejected by Ben." in (await office.ears.told())[-1]


async def test_details_show_everything_to_whoever_has_a_role(office: Office) -> None:
    box, _ = await box_of(office)
    await box.call("demarch_start_run", RUN | {"description": "word " * 2000})
    card = await office.card()
    assert await office.tap(card, "DETAILS", BEN) == "It stands below the card."
    assert (await office.lines())[-1].count("word") == 2000
    assert "role in" in await office.tap(card, "DETAILS", EVE)
    assert labels(await office.card()) == ["APPROVE", "REJECT", "DETAILS"]


async def test_short_details_are_a_pop_up(office: Office) -> None:
    await ask(office)
    answer = await office.tap(await office.card(), "DETAILS")
    assert "title: migrate billing to v2" in answer
    assert "token_budget: 200000" in answer


async def test_an_expired_request_is_dropped_and_the_agent_told_without_being_woken(office: Office) -> None:
    await ask(office)
    card = await office.card()
    await office.clock.advance(HOUR)
    assert "nobody decided in time" in await office.tap(card, "APPROVE")
    assert (await office.approval(code_of(card))).state is State.DROPPED
    assert "nobody decided in time, so nothing was done" in (await office.ears.told())[-1]
    assert office.ears.woken == []
    assert not await office.kernel.runs()


async def test_the_same_request_twice_in_a_turn_is_one_card(office: Office) -> None:
    box, _ = await box_of(office)
    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        asked = [tasks.create_task(box.call("demarch_start_run", RUN)) for _ in range(5)]
        await asyncio.sleep(0)
    assert len({task.result().data["code"] for task in asked}) == 1
    await office.show()
    assert len(await office.cards()) == 1


@pytest.mark.parametrize("operation", ["create_issue", "start_run", "close_issue"])
async def test_writes_belong_to_the_main_group_unless_granted(office: Office, operation: str) -> None:
    box, _ = await box_of(office, "design")
    refused = await box.call(f"demarch_{operation}", {"title": "x", "id": "iv-1"})
    assert (refused.failed, refused.text) == (True, WRITES_ELSEWHERE)
    assert (await intents(office)) == [(operation, "refused")]
    assert (await office.audited())[-1] == "intent.refused"
    names = [each.name for each in box.declarations()]
    assert f"demarch_{operation}" not in names
    assert "register_group" not in names


async def test_in_a_tainted_turn_every_write_waits(office: Office) -> None:
    box, _ = await box_of(office, tainted=True)
    asked = await box.call("demarch_create_issue", {"title": "mend the door"})
    assert asked.data["status"] == "pending"
    assert "Careful: words of somebody without a role here" in (await office.card()).content.text
    await office.tap(await office.card(), "APPROVE")
    assert await intents(office) == [("create_issue", "executed")]


async def test_without_a_running_turn_nothing_is_written(office: Office) -> None:
    box = office.parts.toolbox_for("main", lambda: None)
    refused = await box.call("demarch_create_issue", {"title": "x"})
    assert refused.failed
    assert "no running turn" in refused.text
    _, turn = await box_of(office)
    await office.database.execute("UPDATE host.turns SET state = 'done'")
    ended = await office.parts.toolbox_for("main", lambda: turn).call("demarch_create_issue", {"title": "x"})
    assert ended.failed
    assert not office.kernel.executed


@pytest.mark.parametrize(
    ("tool", "arguments", "words"),
    [
        ("rm_rf", {}, "There is no tool 'rm_rf'."),
        ("demarch_fly", {}, "There is no operation"),
        ("demarch_create_issue", {}, "create_issue needs a title."),
        ("demarch_create_issue", {"title": "x" * 501}, "more than 500 characters"),
        ("demarch_create_issue", {"title": "x", "colour": "red"}, "has no parameter"),
        ("demarch_run_status", {"run_id": "../../etc"}, "is not a valid name or id"),
        ("demarch_create_issue", {"title": "x", "description": "y" * 300_000}, "larger than 256 KB"),
        ("demarch_approve_gate", {"run_id": "nosuchrun"}, "There is no run nosuchrun."),
        ("send_message", {"text": ""}, "send_message: text"),
        ("register_group", {"address": "tg:-300", "folder": "../up"}, "register_group: folder"),
    ],
)
async def test_a_wrong_call_is_a_clear_sentence(
    office: Office, tool: str, arguments: dict[str, object], words: str
) -> None:
    box, _ = await box_of(office)
    answer = await box.call(tool, arguments)
    assert answer.failed
    assert words in answer.text
    assert not office.kernel.executed


async def test_too_many_writes_are_slowed_down_in_words(office: Office) -> None:
    box, _ = await box_of(office)
    for _ in range(WRITES_A_MINUTE):
        assert not (await box.call("demarch_create_issue", {"title": "x"})).failed
    slowed = await box.call("demarch_create_issue", {"title": "x"})
    assert "wait a moment" in slowed.text
    await office.clock.advance(61)
    assert not (await box.call("demarch_create_issue", {"title": "x"})).failed


async def test_refused_writes_without_end_fill_no_tables(office: Office) -> None:
    box, _ = await box_of(office, "design")
    for _ in range(WRITES_A_MINUTE + 10):
        assert (await box.call("demarch_create_issue", {"title": "x"})).failed
    assert len(await intents(office)) == WRITES_A_MINUTE
    assert (await office.audited()).count("intent.refused") == WRITES_A_MINUTE


async def test_a_gate_approved_on_an_agents_request_is_the_one_that_was_shown(office: Office) -> None:
    gate = await office.gate()
    run = (await office.approval(code_of(gate))).run
    box, _ = await box_of(office)
    await box.call("demarch_approve_gate", {"runId": run})
    request = await office.card()
    assert first_line(request) == '🙋 The agent asks: let "refactor auth" through its gate?'
    await office.tap(gate, "APPROVE", ANA)
    answer = await office.tap(request, "APPROVE", BEN)
    assert answer.startswith("Not done: ")
    assert len(office.kernel.executed) == 1
    assert await intents(office) == [("approve_gate", "failed")]


async def test_a_message_goes_to_its_own_chat_only(office: Office) -> None:
    box, turn = await box_of(office, "design")
    assert not (await box.call("send_message", {"text": "hello"})).failed
    assert (await office.lines(OTHER))[-1] == "hello"
    refused = await box.call("send_message", {"text": "hello", "to": MAIN})
    assert (refused.failed, refused.text) == (True, "A message may go to this chat only.")
    assert await office.parts.written.had_written(turn.id) == []


async def test_the_main_group_may_write_to_any_registered_chat(office: Office) -> None:
    box, _ = await box_of(office)
    assert not (await box.call("send_message", {"text": "hello", "to": OTHER})).failed
    assert (await office.lines(OTHER))[-1] == "hello"
    assert (await box.call("send_message", {"text": "hello", "to": "tg:-999"})).failed


async def test_a_tainted_message_to_another_chat_waits(office: Office) -> None:
    box, _ = await box_of(office, tainted=True)
    asked = await box.call("send_message", {"text": "hello", "to": OTHER})
    assert asked.data["status"] == "pending"
    assert await office.lines(OTHER) == []
    await office.tap(await office.card(), "APPROVE")
    assert (await office.lines(OTHER))[-1] == "hello"


async def test_registering_a_group(office: Office) -> None:
    box, _ = await box_of(office)
    made = await box.call("register_group", {"address": "tg:-300", "folder": "billing", "title": "Billing"})
    assert not made.failed
    group = office.registry.group_of("tg:-300")
    assert group is not None
    assert (group.folder, group.writes) == ("billing", False)
    taken = await box.call("register_group", {"address": "tg:-301", "folder": "billing"})
    assert taken.failed
    assert "group.added" in await office.audited()


async def test_what_was_cut_off_in_the_middle_is_asked_of_the_kernel(office: Office) -> None:
    box, turn = await box_of(office)
    office.kernel.plan.extend([Fault.LOST, Fault.SILENT])
    for title in ("one", "two"):
        answer = await box.call("demarch_create_issue", {"title": title})
        assert "nobody knows yet whether this was done" in answer.text
    assert [state for _, state in await intents(office)] == ["recorded", "recorded"]
    lines = await office.parts.written.had_written(turn.id)
    assert len(lines) == 1
    assert "one" in lines[0]
    assert [state for _, state in await intents(office)] == ["executed", "failed"]


async def test_a_turn_is_judged_when_its_writes_under_way_have_ended(office: Office) -> None:
    box, turn = await box_of(office)
    office.kernel.hold = asyncio.Event()
    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        tasks.create_task(box.call("demarch_create_issue", {"title": "one"}))
        await office.kernel.arrived.wait()
        judged = tasks.create_task(office.parts.written.had_written(turn.id))
        await asyncio.sleep(0)
        assert not judged.done()
        office.kernel.hold.set()
    assert "one" in judged.result()[0]


async def test_an_attempt_that_is_over_writes_nothing_more(office: Office) -> None:
    box, turn = await box_of(office)
    await office.database.execute("UPDATE host.turns SET attempt = attempt + 1 WHERE id = $1", turn.id)
    assert (await box.call("demarch_create_issue", {"title": "one"})).failed
    assert (await box.call("demarch_start_run", RUN)).failed
    assert (await box.call("send_message", {"text": "hello"})).failed
    assert await office.parts.written.had_written(turn.id) == []


async def test_what_nobody_can_say_counts_as_written(office: Office) -> None:
    box, turn = await box_of(office)
    office.kernel.plan.append(Fault.SILENT)
    await box.call("demarch_create_issue", {"title": "one"})
    office.kernel.blind = True
    assert "nobody can say whether it was done" in (await office.parts.written.had_written(turn.id))[0]


async def test_a_pending_request_counts_as_written(office: Office) -> None:
    box, turn = await box_of(office)
    await box.call("demarch_start_run", RUN)
    code = code_of(await office.card())
    assert await office.parts.written.had_written(turn.id) == [
        f"Start run waits for a decision (code {code})."
    ]


async def test_a_read_that_fails_is_a_sentence(office: Office) -> None:
    box, _ = await box_of(office)
    office.kernel.down = True
    answer = await box.call("demarch_next_work", {})
    assert (answer.failed, answer.text) == (True, "The kernel is down.")
