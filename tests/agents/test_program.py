"""People talk to Claude Code, Codex and Gemini CLI through the whole program."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from container.agent import Runtime
from tests.agents.install import ANA, Install
from tests.servers.models import KEY, Call, Endless, Hold, Refuse, Say, Spent, Talk
from tests.servers.models.script import Answer

pytestmark = [pytest.mark.docker, pytest.mark.asyncio(loop_scope="module")]

#: US dollars per million tokens: what the model says costs, so that a test may spend a day's ten dollars
PRICE = {"input": 0.001, "output": 10}
FETCHES = {
    "claude": Call("WebFetch", {"url": "https://example.org/secret", "prompt": "read it"}),
    "gemini": Call("web_fetch", {"prompt": "read https://example.org/secret"}),
}


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def running(runtime: Runtime) -> AsyncIterator[Install]:
    prices = json.dumps(dict.fromkeys(runtime.models, PRICE))
    settings = {"INTERCOM_MODELS__ANSWER": "2", "INTERCOM_SPEND__PRICES": prices}
    async with Install.running(runtime, settings) as install:
        yield install


@pytest.fixture
def install(running: Install) -> Iterator[Install]:
    """The shared install, with nothing left over from the test before."""
    running.models.forget()
    yield running
    running.models.forget()


def words(talk: Talk) -> Answer:
    """Answers an outcome and whatever else nobody wrote a line for."""
    return (Say("I was told: approved" if "approved" in talk.words else f"heard: {talk.words[-150:]}"),)


async def test_a_person_gets_an_answer(install: Install) -> None:
    install.models.then((Say("The sea is calm today."),))
    await install.ask("how is the sea?", "The sea is calm today.")


async def test_the_agent_reads_what_is_to_be_done(install: Install) -> None:
    def script(talk: Talk) -> Answer:
        return (Say(f"I read: {talk.results[0][:300]}"),) if talk.results else (Call("demarch_next_work"),)

    install.models.script = script
    shown = await install.ask("what should I work on?", "I read:")
    assert "in_progress" in shown.text or "ready to be worked on" in shown.text


async def test_the_agent_writes_what_needs_nobody(install: Install) -> None:
    install.models.then((Call("demarch_create_issue", {"title": "mend the fence"}),), (Say("written down"),))
    await install.ask("the fence is broken", "written down")
    status, listed = await install.program.command("kernel", "issue", "list")
    assert (status, "mend the fence" in listed) == (0, True)


async def test_what_needs_a_person_waits_for_one_and_the_agent_hears_of_it(install: Install) -> None:
    install.models.script = words
    install.models.then(
        (Call("demarch_start_run", {"title": "paint the barn"}),), (Say("I asked for leave"),)
    )
    await install.ask("start painting", "I asked for leave")
    card = await install.card("approve", "paint the barn")
    install.tap(card, "approve")
    await install.see(lambda shown: "I was told: approved" in shown.text)
    _, listed = await install.program.command("kernel", "run", "list")
    assert "paint the barn" in listed


async def test_stop_ends_a_running_turn(install: Install) -> None:
    install.models.then((Say("Once upon a time"), Hold(asyncio.Event())))
    install.say("tell me a story")
    await install.models.until(lambda models: any(each.words_sent for each in models.asked()))
    install.say("/stop")
    told = install.models.asked()[0]
    async with asyncio.timeout(20):
        await told.ended.wait()
    assert told.outcome == "left"
    await install.ask("still there?", "still there?")


async def test_a_follow_up_is_heard(install: Install) -> None:
    go_on = asyncio.Event()
    install.models.then((Say("first things first."), Hold(go_on)), (Say("and then the hens."),))
    install.say("feed the cows")
    await install.models.until(lambda models: any(each.words_sent for each in models.asked()))
    install.say("and the hens")
    # Codex drops the answer under way and begins another with both in mind; the others finish it first.
    await install.see(lambda shown: shown.text.startswith(("Read:", "Queued:")) or "hens" in shown.text)
    go_on.set()
    await install.see(lambda shown: "and then the hens." in shown.text)
    last = install.models.asked()[-1].talk
    assert last is not None
    assert "and the hens" in last.words


async def test_a_request_to_leave_the_container_is_put_on_a_card(install: Install) -> None:
    fetch = FETCHES.get(install.runtime.name)
    if fetch is None:
        pytest.skip("Codex has no tool of its own that leads outside")
    install.models.then((fetch,), (Say("then without it"),))
    install.say("read that page")
    card = await install.card("reject", "https://example.org/secret")
    install.tap(card, "reject")
    await install.see(lambda shown: "then without it" in shown.text)


async def test_a_provider_that_refuses_us_is_explained(install: Install) -> None:
    install.models.then(*[Refuse(status=401, message=f"{KEY} is wrong")] * 3)
    shown = await install.ask("hello?", "does not accept our key")
    assert KEY not in shown.text
    assert "API Error" not in shown.text
    assert "{" not in shown.text
    install.models.forget()
    await install.ask("better now?", "better now?")


async def test_an_answer_without_end_is_cut_and_explained(install: Install) -> None:
    install.models.script = lambda talk: (Endless(every=0.05),)
    await install.ask("talk for an hour", "longer than 2 s")
    assert install.models.asked()[0].outcome == "left"
    install.models.forget()
    await install.ask("enough?", "enough?")


async def test_another_model_goes_on_with_the_conversation(install: Install) -> None:
    install.models.then((Say("Elsa, a fine name."),))
    await install.ask("my cow is called Elsa", "Elsa, a fine name.")
    other = install.runtime.models[1]
    await install.ask(f"/model {other}", other)
    install.models.forget()
    await install.ask("what is she called?", "what is she called?")
    asked = install.models.asked()[-1].talk
    assert asked is not None
    assert asked.model == other
    assert "my cow is called Elsa" in "\n".join(text for _, text in asked.history)
    await install.ask(f"/model {install.runtime.models[0]}", install.runtime.models[0])


async def test_the_conversation_survives_the_hosts_death(install: Install) -> None:
    install.models.then((Say("A black one, I see."),))
    await install.ask("my other cow is black", "A black one, I see.")
    await install.program.kill()
    await install.program.start()
    install.models.forget()
    await install.ask("which colour has she?", "which colour has she?")
    asked = install.models.asked()[-1].talk
    assert asked is not None
    assert "my other cow is black" in "\n".join(text for _, text in asked.history)


async def test_a_spent_budget_stops_the_agent_and_a_person_may_extend_it(install: Install) -> None:
    install.models.then((Say("That was dear."), Spent(output=1_000_000)))
    await install.ask("think hard", "That was dear.")
    await install.ask("think harder", "spend limit of this group is reached")
    assert not any("think harder" in each.talk.words for each in install.models.asked() if each.talk)
    card = await install.card("extend", "Spend limit reached")
    install.tap(card, "extend")
    await install.see(lambda shown: "Extended by" in shown.text)
    install.models.then((Say("I can think again."),))
    await install.ask("and now?", "I can think again.")


async def test_the_key_is_in_no_log_no_chat_and_no_file_of_the_agent(install: Install) -> None:
    assert KEY not in install.program.log.read_text(errors="replace")
    assert not any(KEY in shown.text for shown in install.server.messages(ANA))
    home = install.program.home
    for folder in ("groups", "state", "conversations"):
        for file in (home / folder).rglob("*"):
            if file.is_file():
                assert KEY.encode() not in file.read_bytes(), file


async def test_a_stopped_host_leaves_no_container(install: Install) -> None:
    assert await install.containers()
    status, _ = await install.program.stop()
    assert status == 0, install.program.last_words()
    assert await install.containers() == []
