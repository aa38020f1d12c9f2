"""Claude Code, Codex and Gemini CLI with helpers, and with a way out: the whole program, real containers."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from container.agent import Runtime
from tests.agents.install import ANA, Install
from tests.agents.test_agents import shell
from tests.servers.models import Call, Hold, Say, Talk
from tests.servers.models.script import Answer

pytestmark = [pytest.mark.docker, pytest.mark.asyncio(loop_scope="module")]

HELPER = "a helper of another agent"
#: what an agent finds where its proxy would be, for two hosts
PROBE = """python3 - > probe.txt 2>&1 <<'EOF'
import socket
for host in ("allowed.example.com", "other.example.com"):
    try:
        with socket.create_connection(("127.0.0.1", 8182), 5) as proxy:
            proxy.sendall(f"CONNECT {host}:443 HTTP/1.1\\r\\n\\r\\n".encode())
            print(host, proxy.recv(1000).split(b"\\r\\n")[0].decode())
    except OSError as error:
        print(host, "no way out")
EOF"""


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def running(runtime: Runtime) -> AsyncIterator[Install]:
    async with Install.running(runtime, {"INTERCOM_AGENT__HELPERS": "2"}) as install:
        yield install


@pytest.fixture
def install(running: Install) -> Iterator[Install]:
    """The shared install, with nothing left over from the test before."""
    running.models.forget()
    yield running
    running.models.forget()


def of_helper(talk: Talk) -> bool:
    return HELPER in talk.words


async def audited(install: Install) -> list[str]:
    _, printed = await install.program.command("audit", "tail", "--json")
    return [json.loads(line)["action"] for line in printed.splitlines()]


async def alone(install: Install) -> None:
    """Wait until the caller's container is the only one."""
    async with asyncio.timeout(20):
        while len(await install.containers()) != 1:  # noqa: ASYNC110 - an engine's word is no event
            await asyncio.sleep(0.1)


async def test_a_helper_works_and_its_caller_gives_one_answer(install: Install) -> None:
    def script(talk: Talk) -> Answer:
        if of_helper(talk):
            read = (Call("demarch_next_work"),)
            return (Say("42 sheep, all white"),) if talk.results else read
        if talk.rounds == 0:
            return (Call("spawn_agent", {"task": "count the sheep", "name": "Scout"}),)
        if talk.rounds == 1:
            return (Call("await_agent", {"name": "Scout"}),)
        return (Say(f"My helper found: {talk.results[-1]}"),)

    install.models.script = script
    before = len(install.server.messages(ANA))
    shown = await install.ask("how many sheep?", "42 sheep, all white")
    assert "My helper found" in shown.text
    said = [each.text for each in install.server.messages(ANA)[before:] if "42 sheep" in each.text]
    assert len(said) == 1
    helpers = [each.talk for each in install.models.asked() if each.talk and of_helper(each.talk)]
    ours = {name for talk in helpers for name in talk.tools if "intercom" in name}
    assert not [name for name in ours if name.endswith(("spawn_agent", "await_agent", "start_run"))]
    assert any("ready to be worked on" in result for talk in helpers for result in talk.results)
    await alone(install)
    assert {"helper.asked", "helper.ended"} <= set(await audited(install))


async def test_stop_ends_the_helpers_too(install: Install) -> None:
    gemini = install.runtime.name == "gemini"

    def script(talk: Talk) -> Answer:
        if of_helper(talk):
            return (Say("one, two,"), Hold(asyncio.Event()))
        if talk.rounds == 0:
            return (Call("spawn_agent", {"task": "count the stars", "name": "Slow"}),)
        # Gemini CLI keeps no answer of a tool that was stopped, and its provider then takes no history of it.
        return (Say("I wait"), Hold(asyncio.Event())) if gemini else (Call("await_agent"),)

    def counting() -> bool:
        return any(
            each.talk is not None and of_helper(each.talk) and each.words_sent
            for each in install.models.asked()
        )

    install.models.script = script
    install.say("how many stars?")
    await install.models.until(lambda models: counting())
    assert len(await install.containers()) == 2
    install.say("/stop")
    await alone(install)
    install.models.forget()
    await install.ask("still there?", "You said")
    assert b"still there?" in install.models.asked()[-1].raw


async def test_more_helpers_than_are_free_need_a_person(install: Install) -> None:
    def script(talk: Talk) -> Answer:
        if of_helper(talk):
            return (Say("nothing to be seen"),)
        if talk.rounds < 3:
            return (Call("spawn_agent", {"task": f"look at field {talk.rounds}", "name": f"F{talk.rounds}"}),)
        if talk.rounds == 3:
            return (Call("await_agent", {"name": "F2"}),)
        return (Say(f"Field two: {talk.results[-1]}"),)

    install.models.script = script
    install.say("look at the fields")
    card = await install.card("approve", "look at field 2")
    assert "start a helper" in card.text
    install.tap(card, "approve")
    await install.see(lambda shown: "Field two:" in shown.text and "nothing to be seen" in shown.text)
    await alone(install)


async def test_only_allowed_hosts_are_behind_the_proxy(install: Install) -> None:
    probe = install.program.home / "groups" / "main" / "probe.txt"

    async def probed() -> list[str]:
        await install.ask("/reset", "")  # another grant means another container; this is not about loading
        install.models.then((shell(install.runtime, PROBE),), (Say("looked around"),))
        await install.ask("look outside", "looked around")
        return probe.read_text().splitlines()

    assert await probed() == ["allowed.example.com no way out", "other.example.com no way out"]
    status, printed = await install.program.command(
        "group", "egress", "main", "--allow", "allowed.example.com"
    )
    assert status == 0, printed
    first, second = await probed()
    # Nobody knows that name, here or elsewhere: it was looked up, which the other was not.
    assert first.startswith(("allowed.example.com HTTP/1.1 502", "allowed.example.com HTTP/1.1 504"))
    assert second == "other.example.com HTTP/1.1 403 Forbidden"
    assert {"group.profile_set", "egress.refused"} <= set(await audited(install))
