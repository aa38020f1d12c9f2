"""Agents that die and hosts that are restarted in the middle of a turn."""

import asyncio

import pytest

from bridges.messages import Content
from container.agent import StopReason, TurnEvents
from container.sandbox import AgentEnded, AgentRefused, StartFailed
from host.conversation.cut_off import Cause, CutOff, Verdict, judge
from host.conversation.sentences import DIED
from host.conversation.turns import Turn
from host.incoming.models import Model
from host.outgoing.outbox import PostKind
from tests.host.conversation.agents import ScriptedAgent, hang
from tests.host.conversation.house import House


async def answer(agent: ScriptedAgent, text: str, events: TurnEvents) -> None:
    events.text("answer")


async def die(agent: ScriptedAgent, text: str, events: TurnEvents) -> None:
    agent.die()
    await asyncio.Event().wait()


@pytest.mark.parametrize(
    ("cause", "attempt", "done", "verdict"),
    [
        (Cause.RESTART, 1, [], Verdict.AGAIN),
        (Cause.RESTART, 2, [], Verdict.AGAIN),
        (Cause.RESTART, 3, [], Verdict.GIVE_UP),
        (Cause.RESTART, 1, ["Created iv-1."], Verdict.ASK),
        (Cause.DEATH, 1, [], Verdict.AGAIN),
        (Cause.DEATH, 2, [], Verdict.GIVE_UP),
        (Cause.DEATH, 2, ["Created iv-1."], Verdict.ASK),
        (Cause.EXCESS, 1, [], Verdict.GIVE_UP),
        (Cause.EXCESS, 1, ["Created iv-1."], Verdict.ASK),
        (Cause.REFUSAL, 1, [], Verdict.GIVE_UP),
        (Cause.SILENCE, 1, [], Verdict.GIVE_UP),
    ],
)
def test_the_rule(cause: Cause, attempt: int, done: list[str], verdict: Verdict, new_id: object) -> None:
    assert callable(new_id)
    turn = Turn(
        id=new_id(),
        lane="main",
        folder="main",
        address="tg:1",
        attempt=attempt,
        tainted=False,
        private=True,
        asked_by=(),
    )
    assert judge(CutOff(turn=turn, cause=cause), done) is verdict


async def test_an_agent_that_dies_before_it_wrote_is_asked_again_once(house: House) -> None:
    async def die_once(agent: ScriptedAgent, text: str, events: TurnEvents) -> None:
        if len(house.launcher.agents) == 1:
            await die(agent, text, events)
        events.text("answer")

    house.launcher.script = die_once
    async with house.open():
        await house.say("hi")
        await house.bridge.until(lambda: set(house.bridge.texts("tg:1000")) == {DIED, "answer"})
    assert await house.turn_states() == ["done"]


async def test_an_agent_that_dies_twice_is_given_up_and_the_chat_told(house: House) -> None:
    house.launcher.script = die
    async with house.open():
        await house.say("hi")
        await house.bridge.until(lambda: len(house.bridge.texts("tg:1000")) == 2)
    said = "Not answered: the sandbox ended. It was tried twice. Nothing was changed."
    assert any(text.startswith(said) for text in house.bridge.texts("tg:1000"))
    assert await house.turn_states() == ["failed"]
    assert len(house.launcher.prompts) == 2


EXCESS = "The agent was ended because it needed too much. Ask for a smaller step."


async def take_too_much(agent: ScriptedAgent, text: str, events: TurnEvents) -> None:
    agent.die(AgentEnded(EXCESS))
    await asyncio.Event().wait()


async def test_an_agent_that_took_too_much_is_not_asked_again_and_the_chat_reads_why(house: House) -> None:
    house.launcher.script = take_too_much
    async with house.open():
        await house.say("hi")
        await house.bridge.until(lambda: house.bridge.texts("tg:1000"))
        assert house.bridge.texts("tg:1000") == [
            "Not answered: the agent was ended because it needed too much. Ask for a smaller step."
        ]
        assert await house.turn_states() == ["failed"]
        assert len(house.launcher.prompts) == 1
        house.launcher.script = answer
        await house.say("and a smaller step?")
        await house.bridge.until(lambda: "answer" in house.bridge.texts("tg:1000"))
    _, prompt = house.launcher.prompts[-1]
    assert "The turn before this was not answered: the agent was ended because it needed too much." in prompt
    assert "and a smaller step?" in prompt


async def test_an_agent_that_took_too_much_after_writing_says_why_beside_what_was_done(house: House) -> None:
    async def write_and_take_too_much(agent: ScriptedAgent, text: str, events: TurnEvents) -> None:
        turn = house.sessions.live["main"].turn
        assert turn is not None
        house.record.written[turn.id] = ["Created the issue iv-1"]
        await take_too_much(agent, text, events)

    house.launcher.script = write_and_take_too_much
    async with house.open():
        await house.say("create an issue")
        await house.bridge.until(lambda: house.bridge.texts("tg:1000"))
    [said] = house.bridge.texts("tg:1000")
    assert "• Created the issue iv-1.\nWhy: the agent was ended because it needed too much. Ask for" in said


async def test_an_agent_that_dies_after_writing_is_not_replayed(house: House) -> None:
    async def write_and_die(agent: ScriptedAgent, text: str, events: TurnEvents) -> None:
        if len(house.launcher.agents) == 1:
            turn = house.sessions.live["main"].turn
            assert turn is not None
            house.record.written[turn.id] = ["Created the issue iv-1"]
            await die(agent, text, events)
        events.text(text)

    house.launcher.script = write_and_die
    async with house.open():
        await house.say("create an issue")
        await house.bridge.until(lambda: house.bridge.texts("tg:1000"))
        said = house.bridge.texts("tg:1000")[0]
        assert "Created the issue iv-1." in said
        assert "How shall it go on?" in said
        assert await house.turn_states() == ["asked"]
        await house.say("continue")
        await house.bridge.until(lambda: len(house.bridge.texts("tg:1000")) == 2)
    # The new agent knows what was done.
    assert "<outcome>An earlier turn was cut off. Done in it" in house.bridge.texts("tg:1000")[1]
    assert len(house.launcher.prompts) == 2


async def test_a_message_sent_by_a_tool_counts_as_written(house: House) -> None:
    async def send_and_die(agent: ScriptedAgent, text: str, events: TurnEvents) -> None:
        turn = house.sessions.live["main"].turn
        assert turn is not None
        async with house.database.transaction() as conn:
            await house.outbox.put(
                conn,
                address="tg:1000",
                kind=PostKind.ANSWER,
                content=Content(text="by the way"),
                slot="said:1",
                turn=turn.id,
            )
        await die(agent, text, events)

    house.launcher.script = send_and_die
    async with house.open():
        await house.say("hi")
        await house.bridge.until(lambda: len(house.bridge.texts("tg:1000")) == 2)
    assert "• 1 message sent to this chat." in house.bridge.texts("tg:1000")[-1]
    assert await house.turn_states() == ["asked"]


async def test_a_restart_runs_a_turn_again_that_wrote_nothing_and_reuses_its_preview(house: House) -> None:
    async def begin(agent: ScriptedAgent, text: str, events: TurnEvents) -> None:
        events.text("I am thin")
        await asyncio.Event().wait()

    house.launcher.script = begin
    async with house.open():
        await house.say("hi")
        await house.launcher.until(lambda: house.launcher.prompts)
        await house.clock.advance(1)
        await house.bridge.until_shows("tg:1000", "I am thin")
        assert await house.sender.drain(5)
    house.launcher.script = answer
    async with house.again().open():
        await house.bridge.until_shows("tg:1000", "answer")
    assert await house.turn_states() == ["done"]
    assert house.bridge.times("send", "tg:1000") == 1


async def test_a_turn_that_every_restart_cuts_off_is_given_up_at_the_third_attempt(house: House) -> None:
    house.launcher.script = hang
    async with house.open():
        await house.say("hi")
        await house.launcher.until(lambda: len(house.launcher.prompts) == 1)
    for attempt in (2, 3):
        house = house.again()
        async with house.open():
            await house.launcher.until_prompted(attempt)
    async with house.again().open():
        await house.bridge.until(lambda: house.bridge.texts("tg:1000"))
    assert "restarted every time" in house.bridge.texts("tg:1000")[0]
    assert await house.turn_states() == ["failed"]


async def test_a_restart_after_a_write_asks_how_to_go_on(house: House) -> None:
    house.launcher.script = hang
    async with house.open():
        await house.say("hi")
        await house.launcher.until(lambda: house.launcher.prompts)
        turn = house.sessions.live["main"].turn
        assert turn is not None
        house.record.written[turn.id] = ["Run r1 started."]
    async with house.again().open():
        await house.bridge.until(lambda: house.bridge.texts("tg:1000"))
    assert "• Run r1 started.\n" in house.bridge.texts("tg:1000")[0]
    assert len(house.launcher.prompts) == 1


async def test_messages_accepted_but_not_begun_are_answered_after_a_restart(house: House) -> None:
    await house.registry.ensure_main(["tg:1000"])
    await house.say("hi")
    house.launcher.script = answer
    async with house.again().open():
        await house.bridge.until_shows("tg:1000", "answer")


async def test_an_agent_that_reports_an_error_is_not_retried(house: House) -> None:
    async def refuse(agent: ScriptedAgent, text: str, events: TurnEvents) -> None:
        raise AgentRefused("no credit left")

    house.launcher.script = refuse
    async with house.open():
        await house.say("hi")
        await house.bridge.until(lambda: house.bridge.texts("tg:1000"))
        assert "no credit left" in house.bridge.texts("tg:1000")[0]
        house.launcher.script = answer
        await house.say("again")
        await house.bridge.until(lambda: house.bridge.texts("tg:1000")[1:] == ["answer"])
    assert await house.turn_states() == ["failed", "done"]


async def test_a_start_that_fails_is_told_retried_and_forgotten_when_it_succeeds(house: House) -> None:
    house.launcher.failures = [StartFailed("the image is being built"), StartFailed("still being built")]
    house.launcher.script = answer
    async with house.open():
        await house.say("hi")
        await house.bridge.until(lambda: house.bridge.texts("tg:1000"))
        assert "The image is being built. " in house.bridge.texts("tg:1000")[0].replace(
            "the image", "The image"
        )
        await house.clock.until_sleeping(5)
        await house.clock.advance(5)
        await house.bridge.until(lambda: "still being built" in "".join(house.bridge.texts("tg:1000")))
        await house.clock.until_sleeping(5)
        await house.clock.advance(10)
        await house.bridge.until_shows("tg:1000", "answer")


async def test_another_agent_is_tried_at_once_and_not_at_the_end_of_a_long_pause(house: House) -> None:
    house.launcher.failures = [StartFailed(f"no room {number}") for number in range(4)]
    house.launcher.script = answer
    house.models = (Model(name="local", runtime="local"), Model(name="other", runtime="other"))
    house = house.again()
    async with house.open():
        await house.say("hi")
        for tried, pause in enumerate((5, 10, 20), 1):
            await house.bridge.until_says("tg:1000", f"try {tried + 1} of 5 begins in {pause} s")
            async with asyncio.timeout(10):
                while len(house.launcher.failures) == 4 - tried:
                    await house.clock.advance(1)
        await house.bridge.until_says("tg:1000", "try 5 of 5 begins in 40 s")
        await house.say("/model other")
        await house.bridge.until_says("tg:1000", "From now on other answers here")
        await house.clock.until_sleeping(5)
        await house.clock.advance(2)
        await house.bridge.until(lambda: "answer" in house.bridge.texts("tg:1000"))
    assert [agent.runtime for agent in house.launcher.agents] == ["other"]


async def test_a_start_that_never_succeeds_is_given_up_after_five_tries(house: House) -> None:
    house.launcher.failures = [StartFailed(f"no room {number}") for number in range(5)]
    async with house.open():
        await house.say("hi")
        for tried, pause in enumerate((5, 10, 20, 40), 1):
            await house.bridge.until_says("tg:1000", f"try {tried + 1} of 5 begins in {pause} s")
            async with asyncio.timeout(10):
                while len(house.launcher.failures) == 5 - tried:  # the next try has not begun
                    await house.clock.advance(1)
        await house.bridge.until(lambda: "in 5 tries" in "".join(house.bridge.texts("tg:1000")))
        house.launcher.script = answer
        await house.say("again")
        await house.bridge.until(lambda: house.bridge.texts("tg:1000")[1:] == ["answer"])
    assert await house.turn_states() == ["failed", "done"]


async def test_stop_ends_the_running_answer_with_what_was_said(house: House) -> None:
    async def until_cancelled(agent: ScriptedAgent, text: str, events: TurnEvents) -> StopReason:
        events.text("Half of it")
        await agent.cancelled.wait()
        return StopReason.CANCELLED

    house.launcher.script = until_cancelled
    async with house.open():
        await house.say("hi")
        await house.launcher.until(lambda: house.launcher.prompts)
        await house.say("/stop")
        await house.bridge.until(lambda: "Half of it\n\nStopped." in house.bridge.texts("tg:1000"))
    assert await house.turn_states() == ["done"]


async def test_an_agent_that_heeds_no_cancel_is_ended(house: House) -> None:
    house.launcher.script = hang
    async with house.open():
        await house.say("hi")
        await house.launcher.until(lambda: house.launcher.prompts)
        await house.say("/stop")
        await house.launcher.agents[0].cancelled.wait()
        await house.clock.advance(15)
        await house.bridge.until(lambda: "Stopped." in house.bridge.texts("tg:1000"))
    assert house.launcher.living == 0


async def test_an_agent_that_is_silent_for_long_is_ended_and_not_retried(house: House) -> None:
    house.launcher.script = hang
    async with house.open():
        await house.say("hi")
        await house.launcher.until(lambda: house.launcher.prompts)
        await house.clock.advance(1810)
        await house.bridge.until(lambda: "silent for 30 minutes" in "".join(house.bridge.texts("tg:1000")))
    assert len(house.launcher.prompts) == 1


async def test_a_drain_lets_running_turns_finish_and_begins_none(house: House) -> None:
    free = asyncio.Event()

    async def slow(agent: ScriptedAgent, text: str, events: TurnEvents) -> None:
        await free.wait()
        events.text("done")

    house.launcher.script = slow
    async with house.open():
        await house.say("one")
        await house.launcher.until(lambda: house.launcher.prompts)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(house.lanes.drain(5))
            await asyncio.sleep(0)
            await house.say("two")
            free.set()
        assert await house.sender.drain(5)
        assert house.bridge.texts("tg:1000") == ["done"]
        assert house.launcher.living == 0
    async with house.again().open():
        await house.bridge.until_shows("tg:1000", "done", "done")


async def test_a_drain_leaves_what_takes_longer_than_the_grace(house: House) -> None:
    house.launcher.script = hang
    async with house.open():
        await house.say("hi")
        await house.launcher.until(lambda: house.launcher.prompts)
        await house.lanes.drain(0.05)
        assert await house.turn_states() == ["running"]
        assert house.launcher.living == 0
    house.launcher.script = answer
    async with house.again().open():
        await house.bridge.until_shows("tg:1000", "answer")
