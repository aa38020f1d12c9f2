"""Who may speak for an agent, and what requests tell about who is alive."""

import asyncio
from contextlib import AsyncExitStack, suppress

import pytest

from intermute.agents.guards import Guards
from intermute.agents.standings import KEPT_FOR, Standings
from intermute.caller import Caller, Mode
from intermute.errors import NotAllowed
from storage.database import Database
from storage.errors import DatabaseUnavailable
from tests.clock import START, HandClock
from tests.intermute.agents import rows
from tests.intermute.calling import Http

LOCAL = Caller(mode=Mode.LOCAL)


async def test_anybody_speaks_for_a_plain_id_and_for_one_nobody_registered(
    database: Database, guards: Guards
) -> None:
    await rows.agent(database, "plain")
    await guards.check(LOCAL, "plain")
    await guards.check(LOCAL, "stranger")
    await guards.check(Caller(mode=Mode.KEY, project="p"), "plain")


async def test_a_guarded_id_takes_its_token_or_its_own_socket(database: Database, guards: Guards) -> None:
    await rows.agent(database, "office", guarded=True)
    for refused in (LOCAL, Caller(mode=Mode.KEY, project="p", agent="office", proven="other")):
        with pytest.raises(NotAllowed):
            await guards.check(refused, "office")
    await guards.check(Caller(mode=Mode.LOCAL, agent="office", proven="office"), "office")
    await guards.check(Caller(mode=Mode.HOST, project="p", agent="office"), "office")


async def test_a_container_speaks_for_nobody_else(database: Database, guards: Guards) -> None:
    await rows.agent(database, "plain")
    with pytest.raises(NotAllowed):
        await guards.check(Caller(mode=Mode.HOST, project="p", agent="office"), "plain")


async def test_an_id_of_a_container_is_closed_before_anybody_registered_it(
    database: Database, guards: Guards
) -> None:
    for caller in (LOCAL, Caller(mode=Mode.KEY, project="p"), Caller(mode=Mode.HOST, project="p")):
        with pytest.raises(NotAllowed):
            await guards.check(caller, "intercom:office")
    await rows.agent(database, "intercom:shop")  # however it came to be there
    with pytest.raises(NotAllowed):
        await guards.check(LOCAL, "intercom:shop")
    await guards.check(Caller(mode=Mode.HOST, project="p", agent="intercom:office"), "intercom:office")


@pytest.mark.parametrize(
    "alike", [" intercom:office", "intercom:office\n", "Intercom:office", "\u2003INTERCOM:x"]
)
async def test_nobody_passes_for_a_container_by_an_id_that_looks_like_one(guards: Guards, alike: str) -> None:
    with pytest.raises(NotAllowed):
        await guards.check(LOCAL, alike)


async def test_an_id_that_becomes_guarded_here_is_closed_at_once(
    database: Database, guards: Guards, standings: Standings
) -> None:
    await rows.agent(database, "plain")
    await guards.check(LOCAL, "plain")
    await database.execute("UPDATE intermute.agents SET guarded = true WHERE id = 'plain'")
    standings.forget("plain")
    with pytest.raises(NotAllowed):
        await guards.check(LOCAL, "plain")


async def test_a_sign_of_life_is_written_once_in_fifteen_seconds(
    database: Database, guards: Guards, clock: HandClock
) -> None:
    await rows.agent(database, "a")
    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        writing = tasks.create_task(guards.run())
        await clock.advance(60)
        guards.touch("a")
        while await rows.seen(database, "a") == START:
            pass
        first = await rows.seen(database, "a")
        await clock.advance(14)
        guards.touch("a")
        await rows.agent(database, "b")
        guards.touch("b")
        while await rows.seen(database, "b") == START:
            pass
        assert await rows.seen(database, "a") == first
        await clock.advance(1)
        guards.touch("a")
        while await rows.seen(database, "a") == first:
            pass
        writing.cancel()


async def test_signs_of_life_outlive_a_fault_of_the_database(
    database: Database, guards: Guards, clock: HandClock
) -> None:
    await rows.agent(database, "a")
    await clock.advance(60)
    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        writing = tasks.create_task(guards.run())
        await database.execute("ALTER TABLE intermute.agents RENAME TO hidden")
        guards.touch("a")
        await clock.until_sleeping()
        await database.execute("ALTER TABLE intermute.hidden RENAME TO agents")
        guards.touch("a")
        await clock.advance(1)
        while await rows.seen(database, "a") == START:
            pass
        writing.cancel()


async def test_questions_of_one_moment_share_a_statement(database: Database, standings: Standings) -> None:
    await rows.agent(database, "a", policy="block_all")
    async with asyncio.TaskGroup() as tasks:
        asking = [tasks.create_task(standings.of(("a", f"x{number}"))) for number in range(50)]
    assert all(task.result()["a"].policy == "block_all" for task in asking)
    assert not asking[0].result()["x0"].registered


async def test_a_question_given_up_leaves_the_others_their_answer(
    database: Database, standings: Standings
) -> None:
    await rows.agent(database, "a", guarded=True)
    async with database.transaction() as conn, asyncio.TaskGroup() as tasks:
        await conn.execute("LOCK TABLE intermute.agents IN ACCESS EXCLUSIVE MODE")
        leading = tasks.create_task(standings.of(("a",)))
        following = tasks.create_task(standings.of(("a",)))
        await asyncio.sleep(0)
        leading.cancel()
        with suppress(asyncio.CancelledError):
            await leading
        await conn.execute("COMMIT; BEGIN")
        async with asyncio.timeout(5):
            answers = await following
    assert answers["a"].guarded


async def test_what_another_replica_changes_is_seen_within_a_second(
    database: Database, standings: Standings
) -> None:
    await rows.agent(database, "a")
    assert (await standings.of(("a",)))["a"].policy == "open"
    await database.execute("UPDATE intermute.agents SET contact_policy = 'block_all'")
    assert (await standings.of(("a",)))["a"].policy == "open"
    async with asyncio.timeout(KEPT_FOR + 1):
        while (await standings.of(("a",)))["a"].policy == "open":
            pass


async def test_what_was_read_before_a_change_is_not_kept(database: Database, standings: Standings) -> None:
    await rows.agent(database, "a")
    async with asyncio.timeout(10), database.transaction() as conn, asyncio.TaskGroup() as tasks:
        await conn.execute("LOCK TABLE intermute.agents IN ACCESS EXCLUSIVE MODE")
        asking = tasks.create_task(standings.of(("a",)))
        for _ in range(5):
            await asyncio.sleep(0)
        standings.forget("a")  # as whoever changed it does after the commit
        await conn.execute("COMMIT; BEGIN")
        assert (await asking)["a"].policy == "open"
        await conn.execute("UPDATE intermute.agents SET contact_policy = 'block_all'; COMMIT; BEGIN")
        assert (await standings.of(("a",)))["a"].policy == "block_all"


async def test_questions_that_shared_a_statement_share_its_fault(
    database: Database, standings: Standings
) -> None:
    await rows.agent(database, "a")
    async with asyncio.timeout(20), asyncio.TaskGroup() as tasks, database.transaction() as conn:
        await conn.execute("LOCK TABLE intermute.agents IN ACCESS EXCLUSIVE MODE")
        first, *others = [tasks.create_task(_refused(standings)) for _ in range(5)]
        await _break_who_waits(database)
        assert await first
        await _break_who_waits(database)
        assert all([await other for other in others])
    assert (await standings.of(("a",)))["a"].registered


async def _break_who_waits(database: Database) -> None:
    waiting = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE wait_event_type = 'Lock' AND datname = current_database()"
    )
    while not await database.fetch(waiting):
        pass


async def _refused(standings: Standings) -> bool:
    try:
        await standings.of(("a",))
    except DatabaseUnavailable:
        return True
    return False


async def test_an_open_socket_keeps_the_agent_of_its_own_project_alive(
    alpha: Http, beta: Http, clock: HandClock, database: Database
) -> None:
    for client, id_, project in ((alpha, "a", "alpha"), (beta, "b", "beta")):
        await client.post("/api/agents", {"id": id_, "project": project})
    async with asyncio.timeout(10), AsyncExitStack() as stack:
        for id_ in ("a", "b"):
            await stack.enter_async_context(beta.session.ws_connect(f"{beta.url}/ws/agents/{id_}"))
        await clock.advance(120)
        while await rows.seen(database, "b") == START:
            pass
    assert await rows.seen(database, "a") == START
