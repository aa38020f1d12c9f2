"""Who may write to whom, by the recipients' policies."""

import pytest

from intermute.agents.contacting import Contacting
from intermute.agents.standings import Standings
from intermute.globs.pattern import overlap
from storage.database import Database
from tests.clock import HandClock
from tests.intermute.agents import rows


@pytest.fixture
def contacting(database: Database, clock: HandClock, standings: Standings) -> Contacting:
    return Contacting(database, clock, standings, overlap)


async def test_open_agents_and_strangers_take_everything(database: Database, contacting: Contacting) -> None:
    await rows.agent(database, "bob")
    assert await contacting.denied("p", "alice", ["bob", "stranger"]) == set()


async def test_a_sender_bound_to_a_project_is_not_stopped_by_who_is_called_so_elsewhere(
    database: Database, contacting: Contacting
) -> None:
    await rows.agent(database, "bob", policy="block_all", project="q")
    assert await contacting.denied("p", "alice", ["bob"]) == {"bob"}
    assert await contacting.denied("p", "alice", ["bob"], bound=True) == set()
    assert await contacting.denied("q", "alice", ["bob"], bound=True) == {"bob"}


async def test_block_all_takes_nothing_not_even_from_contacts(
    database: Database, contacting: Contacting
) -> None:
    await rows.agent(database, "bob", policy="block_all")
    await database.execute("INSERT INTO intermute.contacts VALUES ('bob', 'alice', now())")
    assert await contacting.denied("p", "alice", ["bob", "carol"]) == {"bob"}


async def test_contacts_only_takes_contacts_and_who_is_in_the_thread(
    database: Database, contacting: Contacting
) -> None:
    await rows.agent(database, "bob", policy="contacts_only")
    assert await contacting.denied("p", "alice", ["bob"], "t") == {"bob"}
    await database.execute("INSERT INTO intermute.threads VALUES ('p', 'alice', 't', 1, 1)")
    # Whoever comes into a thread by writing to somebody else there has not been written to by this one.
    assert await contacting.denied("p", "alice", ["bob"], "t") == {"bob"}
    await database.execute("INSERT INTO intermute.threads VALUES ('p', 'bob', 't', 1, 1)")
    assert await contacting.denied("p", "alice", ["bob"], "t") == set()
    assert await contacting.denied("p", "alice", ["bob"]) == {"bob"}
    assert await contacting.denied("q", "alice", ["bob"], "t") == {"bob"}
    await database.execute("INSERT INTO intermute.contacts VALUES ('bob', 'alice', now())")
    assert await contacting.denied("p", "alice", ["bob"]) == set()
    assert await contacting.denied("p", "eve", ["bob"]) == {"bob"}


async def test_auto_takes_also_from_who_works_on_the_same_files(
    database: Database, clock: HandClock, contacting: Contacting
) -> None:
    await rows.agent(database, "bob", policy="auto")
    await rows.agent(database, "carol", policy="contacts_only")
    await rows.hold(database, clock, "bob", "src/*")
    await rows.hold(database, clock, "carol", "src/*")
    assert await contacting.denied("p", "alice", ["bob", "carol"]) == {"bob", "carol"}
    await rows.hold(database, clock, "alice", "src/main.go")
    assert await contacting.denied("p", "alice", ["bob", "carol"]) == {"carol"}
    assert await contacting.denied("q", "alice", ["bob"]) == {"bob"}
    await clock.advance(3600)
    assert await contacting.denied("p", "alice", ["bob"]) == {"bob"}


async def test_a_terminal_has_a_policy_of_its_own(database: Database, contacting: Contacting) -> None:
    await rows.agent(database, "bob")
    await rows.agent(database, "carol", policy="block_all", live="open")
    asked = ["bob", "carol", "stranger"]
    assert await contacting.denied_live("p", "alice", asked) == {"bob", "stranger"}
    await database.execute("INSERT INTO intermute.contacts VALUES ('bob', 'alice', now())")
    assert await contacting.denied_live("p", "alice", asked) == {"stranger"}


async def test_auto_looks_also_through_many_files(
    database: Database, clock: HandClock, contacting: Contacting
) -> None:
    await rows.agent(database, "bob", policy="auto")
    await rows.hold(database, clock, "alice", "src/main.go")
    for number in range(30):
        await rows.hold(database, clock, "bob", f"docs/{number}/*")
    assert await contacting.denied("p", "alice", ["bob"]) == {"bob"}
    await rows.hold(database, clock, "bob", "src/*")
    assert await contacting.denied("p", "alice", ["bob"]) == set()
