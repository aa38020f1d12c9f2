"""`intercom intermute inbox`: what waits for an agent's terminal, printed and marked."""

import json

import pytest

from storage.database import Database
from tests.intermute.cli.installed import Install, Running

HERE = ("--project", "p", "--agent", "ben")


async def poke(database: Database, number: int, body: str, agent: str = "ben") -> None:
    await database.execute(
        "INSERT INTO intermute.pokes (project, agent, message_id, sender, body, created_at) "
        "VALUES ('p', $1, $2, 'ana', $3, now() + $4 * interval '1 second')",
        agent,
        f"m{number}",
        body,
        number,
    )


async def read(install: Install, running: Running, *more: str) -> str:
    ended = await install.run("inbox", "--unread-pokes", "--url", running.url, *HERE, *more)
    assert ended.status == 0, ended.complained
    return ended.printed


async def test_pokes_are_printed_and_once_marked_not_again(install: Install, database: Database) -> None:
    for number, body in enumerate(("first", "second \x1b[31mred\x07")):
        await poke(database, number, body)
    await poke(database, 9, "somebody else's", agent="cy")
    async with install.serving() as running:
        printed = await read(install, running)
        first, second = printed.split("\n---\n")
        assert "first" in first
        assert "second [31mred" in second
        assert "\x1b" not in printed
        assert json.loads(await read(install, running, "--json"))[0]["sender"] == "ana"
        assert await read(install, running, "--mark-surfaced") == printed
        assert await read(install, running) == ""
        assert json.loads(await read(install, running, "--json")) == []


async def test_the_environment_says_who_and_where(install: Install, database: Database) -> None:
    await poke(database, 1, "hello")
    async with install.serving() as running:
        ended = await install.run(
            "inbox",
            "--unread-pokes",
            INTERMUTE_URL=running.url,
            INTERMUTE_PROJECT="p",
            INTERMUTE_AGENT="ben",
        )
        assert (ended.status, "hello" in ended.printed) == (0, True)


async def test_a_service_that_is_not_there_is_said_in_a_sentence(install: Install) -> None:
    ended = await install.run("inbox", "--unread-pokes", "--url", "http://127.0.0.1:9", *HERE)
    assert ended.status == 1
    assert ended.complained.startswith("intercom: ")
    assert "Traceback" not in ended.complained


@pytest.mark.parametrize("arguments", [HERE, ("--unread-pokes",), ("--unread-pokes", "--project", "p")])
async def test_it_must_be_said_what_and_whose(install: Install, arguments: tuple[str, ...]) -> None:
    assert (await install.run("inbox", *arguments)).status == 2
