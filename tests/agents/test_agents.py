"""Claude Code, Codex and Gemini CLI themselves, each in its hardened container, behind our own parts."""

import asyncio

import pytest

from container.agent import Permission, Runtime, StopReason
from container.broker.port import TroubleKind
from container.sandbox import AgentDied, AgentRefused
from tests.agents.house import BUDGET, House, Lodger
from tests.container.scene import Listener, Toolbox
from tests.servers.models import KEY, Call, Cut, Hold, Refuse, Say

pytestmark = [pytest.mark.docker, pytest.mark.asyncio(loop_scope="module")]

SHELL = {
    "claude": ("Bash", "command"),
    "codex": ("exec_command", "cmd"),
    "gemini": ("run_shell_command", "command"),
}
ASKS = {"claude", "gemini"}  #: the programs that ask before they run a command
WITHIN = 20.0


async def ask(lodger: Lodger, text: str, permission: Permission = Permission.ALLOW) -> Listener:
    """One turn that ends well."""
    heard = Listener(permission)
    async with asyncio.timeout(WITHIN):
        assert await lodger.agent.prompt(text, heard) is StopReason.END
    return heard


async def trouble(lodger: Lodger, text: str) -> str:
    """What the agent says or answers in a turn that gets nothing from its model."""
    heard = Listener()
    async with asyncio.timeout(WITHIN):
        try:
            await lodger.agent.prompt(text, heard)
        except AgentRefused as error:
            return f"{heard.said}{error}"
    return heard.said


def shell(runtime: Runtime, command: str) -> Call:
    tool, argument = SHELL[runtime.name]
    return Call(tool, {argument: command, "description": "a command"})


async def test_an_answer_streams_as_the_model_says_it(house: House, lodger: Lodger) -> None:
    go_on, heard = asyncio.Event(), Listener()
    house.models.then((Say("the sea is"), Hold(go_on), Say("calm")))
    async with asyncio.timeout(WITHIN), asyncio.TaskGroup() as group:
        turn = group.create_task(lodger.agent.prompt("how is the sea?", heard))
        await heard.heard("the sea is")  # while the model still holds the rest back
        assert not turn.done()
        go_on.set()
    assert heard.said == "the sea is calm"
    talk = house.models.asked()[0].talk
    assert talk is not None
    assert talk.words.endswith("how is the sea?")


async def test_a_tool_of_the_host_answers_the_model(house: House, lodger: Lodger) -> None:
    house.models.then((Call("demarch_next_work"),), (Say("done"),))
    heard = await ask(lodger, "what is next?")
    assert lodger.tools.calls[-1] == ("demarch_next_work", {})
    assert ("demarch_next_work", True) in heard.log
    assert all(request.tool == "demarch_next_work" for request in heard.asked)
    talk = house.models.asked()[-1].talk
    assert talk is not None
    assert "demarch_next_work" in "".join(talk.results)


async def test_arguments_reach_the_host_as_the_model_gave_them(house: House, lodger: Lodger) -> None:
    title = 'mend "the" <fence> & the gate: ümläut\n'
    house.models.then((Call("demarch_create_issue", {"title": title, "priority": 2}),), (Say("done"),))
    await ask(lodger, "write it down")
    assert lodger.tools.calls[-1] == ("demarch_create_issue", {"title": title, "priority": 2})


async def test_a_command_runs_inside_when_it_is_allowed(
    house: House, lodger: Lodger, runtime: Runtime
) -> None:
    command = "echo made by a command > made.txt; id -u"
    house.models.then((shell(runtime, command),), (Say("done"),))
    heard = await ask(lodger, "make a file")
    assert (lodger.folder / "made.txt").read_text() == "made by a command\n"
    if runtime.name in ASKS:
        [request] = heard.asked
        assert (request.kind, request.tool) == ("execute", "")
        assert request.detail.splitlines()[0] == command


async def test_a_command_that_is_not_allowed_does_not_run(
    house: House, lodger: Lodger, runtime: Runtime
) -> None:
    if runtime.name not in ASKS:
        pytest.skip("Codex asks for nothing inside its container")
    house.models.then((shell(runtime, "echo no > refused.txt"),), (Say("well then"),))
    heard = await ask(lodger, "make a file", Permission.REJECT)
    assert len(heard.asked) == 1
    assert not (lodger.folder / "refused.txt").exists()
    await ask(lodger, "hello")  # and it goes on


async def test_a_command_finds_no_network(house: House, lodger: Lodger, runtime: Runtime) -> None:
    script = (
        "python3 -c \"import socket\ntry:\n socket.create_connection(('1.1.1.1', 443), 3)\n"
        " print('reached')\nexcept OSError as e: print('nothing', e)\" > network.txt"
    )
    house.models.then((shell(runtime, script),), (Say("done"),))
    await ask(lodger, "look outside")
    assert (lodger.folder / "network.txt").read_text().startswith("nothing")


async def test_a_cancelled_turn_ends_and_the_model_is_hung_up_on(house: House, lodger: Lodger) -> None:
    heard = Listener()
    house.models.then((Say("once upon a time"), Hold(asyncio.Event())))
    async with asyncio.timeout(WITHIN), asyncio.TaskGroup() as group:
        turn = group.create_task(lodger.agent.prompt("tell a long story", heard))
        await heard.heard("time")
        await lodger.agent.cancel()
        assert await turn is StopReason.CANCELLED
        told = house.models.asked()[0]
        await told.ended.wait()
    assert told.outcome == "left"
    heard = await ask(lodger, "and now?")
    assert "and now?" in heard.said


async def test_a_second_message_is_heard_where_the_agent_can(house: House, lodger: Lodger) -> None:
    if not lodger.agent.takes_followups:
        pytest.skip("this agent takes one message at a time; the host holds the others")
    first, second, go_on = Listener(), Listener(), asyncio.Event()
    house.models.then((Say("the first"), Hold(go_on)), (Say("the second"),))
    async with asyncio.timeout(WITHIN), asyncio.TaskGroup() as group:
        group.create_task(lodger.agent.prompt("one", first))
        await first.heard("the first")
        group.create_task(lodger.agent.prompt("two", second))
        go_on.set()
    # Claude answers each in its turn; Codex takes the second into the turn of the first.
    assert "".join(f"{first.said}{second.said}".split("\n")) == "the firstthe second"


async def test_a_limited_provider_is_asked_again_without_a_word(house: House, lodger: Lodger) -> None:
    house.models.then(Refuse(status=429, retry_after=0.1), Refuse(status=500), (Say("at last"),))
    assert (await ask(lodger, "hello?")).said == "at last"


async def test_a_refused_key_is_told_and_never_shown(house: House, lodger: Lodger) -> None:
    house.models.then(*[Refuse(status=401, message=f"{KEY} is not a key")] * 3)
    said = await trouble(lodger, "hello?")
    assert "does not accept our key" in said
    assert KEY not in said
    assert TroubleKind.CREDENTIAL in {each.kind for each in lodger.purse.troubles if each is not None}
    house.models.forget()
    assert "well again" in (await ask(lodger, "well again?")).said


async def test_a_connection_that_breaks_leaves_the_agent_usable(house: House, lodger: Lodger) -> None:
    house.models.then((Say("the line"), Cut()), (Say("again"),))
    # What an agent makes of it differs, also from time to time: it asks again, or tells of the break.
    assert await trouble(lodger, "hello?")
    house.models.forget()
    assert "still there" in (await ask(lodger, "still there?")).said


async def test_an_empty_purse_stops_every_request(house: House, lodger: Lodger) -> None:
    lodger.purse.empty = True
    said = await trouble(lodger, "hello?")
    assert BUDGET in said
    assert house.models.requests == []
    lodger.purse.empty = False
    assert "thank you" in (await ask(lodger, "thank you")).said


async def test_every_request_is_paid_for_once(house: House, lodger: Lodger) -> None:
    await ask(lodger, "hello")
    async with asyncio.timeout(WITHIN):
        while len(lodger.purse.settled) < len(lodger.purse.reserved):  # noqa: ASYNC110 - what runs ends soon
            await asyncio.sleep(0.01)
    last = [usage for usage in lodger.purse.settled.values() if usage is not None][-1]
    assert last.input > 0
    assert last.output > 0


async def test_it_knows_after_its_death_what_was_said_before(house: House, runtime: Runtime) -> None:
    first = await house.lodge("mortal", runtime)
    await ask(first, "my cow is called Elsa")
    session = first.agent.session
    assert session
    await house.kill(first.agent)
    with pytest.raises(AgentDied):
        await ask(first, "are you there?")
    house.age("mortal", runtime)
    second = await house.lodge("mortal", runtime, resume=session, model=runtime.models[1])
    assert second.agent.resumed
    house.models.forget()
    await ask(second, "what is she called?")
    asked = house.models.asked()[-1].talk
    assert asked is not None
    told = "\n".join(text for _, text in asked.history)
    assert "my cow is called Elsa" in told
    assert asked.model == runtime.models[1]
    await second.agent.close()


async def test_it_opens_a_new_session_where_there_is_nothing_to_load(house: House, runtime: Runtime) -> None:
    lodger = await house.lodge("stranger", runtime, resume="00000000-0000-4000-8000-000000000000")
    assert not lodger.agent.resumed
    assert "good day" in (await ask(lodger, "good day")).said
    await lodger.agent.close()


async def test_a_frozen_agent_answers_when_it_is_woken(lodger: Lodger) -> None:
    await lodger.agent.pause()
    await lodger.agent.unpause()
    assert "awake" in (await ask(lodger, "awake?")).said


async def test_many_tools_are_all_offered(house: House, runtime: Runtime) -> None:
    """A host may have more tools than a model is shown at once; each must still be within reach."""
    names = [f"demarch_tool_{number:02}" for number in range(40)]
    lodger = await house.lodge("many", runtime, tools=Toolbox(*names))
    house.models.forget()
    house.models.then((Call(names[-1]),), (Say("done"),))
    await ask(lodger, "use the last one")
    assert lodger.tools.calls == [(names[-1], {})]
    await lodger.agent.close()
