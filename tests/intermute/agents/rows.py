"""Rows of agents as tests need them, written past the service."""

from datetime import datetime

from storage.database import Database
from tests.clock import START, HandClock


async def agent(
    database: Database,
    id: str,  # noqa: A002 - the column's name
    *,
    project: str = "p",
    guarded: bool = False,
    policy: str = "open",
    live: str = "contacts_only",
    seen: datetime = START,
) -> None:
    """An agent that registered at `seen`."""
    await database.execute(
        "INSERT INTO intermute.agents (id, project, session_id, name, guarded, contact_policy,"
        " live_contact_policy, created_at, last_seen) VALUES ($1, $2, '', $1, $3, $4, $5, $6, $6)",
        id,
        project,
        guarded,
        policy,
        live,
        seen,
    )


async def seen(database: Database, agent: str) -> datetime:
    found = await database.fetchval("SELECT last_seen FROM intermute.agents WHERE id = $1", agent)
    assert isinstance(found, datetime)
    return found


async def hold(database: Database, clock: HandClock, agent: str, pattern: str, *, project: str = "p") -> None:
    """A path the agent holds for an hour."""
    await database.execute(
        "INSERT INTO intermute.reservations (id, project, agent, pattern, anchor, exclusive, token,"
        " created_at, expires_at) SELECT $1, $2, $3, $4, '', true, count(*) + 1, $5,"
        " $5::timestamptz + '1 hour' FROM intermute.reservations",
        f"{agent}-{pattern}-{project}",
        project,
        agent,
        pattern,
        clock.now(),
    )
