"""Helpers share the places of the lanes' agents: none is waited for, and each is fitted for its own work."""

import asyncio

import pytest

from container.sandbox import StartFailed
from host.conversation.sessions import Sessions
from host.people.registry import Group
from host.swarm.places import SessionPlaces
from host.swarm.port import Assignment
from tests.clock import HandClock
from tests.host.conversation.agents import NoTools
from tests.host.conversation.outfits import RUNTIMES, PlainOutfitter
from tests.host.conversation.stable import Stable, group


def assignment(of: Group, *, runtime: str = "local", folder: str = "", number: int = 1) -> Assignment:
    return Assignment(
        lane=of.folder,
        number=number,
        group=of,
        runtime=runtime,
        folder=folder,
        tools=NoTools(),
        current_turn=lambda: None,
    )


def places_of(sessions: Sessions) -> SessionPlaces:
    return SessionPlaces(sessions, PlainOutfitter(), RUNTIMES)


async def test_a_helper_has_an_agent_of_its_own_until_it_is_done(clock: HandClock) -> None:
    stable = Stable(clock=clock)
    places = places_of(stable.sessions)
    main = group("main", "claude", "claude-big")
    async with places.helper(assignment(main, runtime="claude", folder="docs/guide")):
        agent = stable.launcher.lane("main#1")
        assert (agent.runtime, agent.fittings.model) == ("claude", "claude-big")
        assert agent.fittings.folder == "/workspace/group/docs/guide"
        assert agent.fittings.resume == ""
    assert not agent.alive


async def test_another_program_does_not_get_the_groups_model(clock: HandClock) -> None:
    stable = Stable(clock=clock)
    async with places_of(stable.sessions).helper(
        assignment(group("main", "claude", "claude-big"), runtime="codex")
    ):
        agent = stable.launcher.lane("main#1")
        assert (agent.runtime, agent.fittings.model) == ("codex", "")


async def test_a_program_that_is_not_here_is_refused(clock: HandClock) -> None:
    stable = Stable(clock=clock)
    with pytest.raises(StartFailed, match="“emacs” is not installed"):
        async with places_of(stable.sessions).helper(assignment(group("main"), runtime="emacs")):
            raise AssertionError("it was started")


async def test_who_holds_the_last_place_is_refused_and_not_kept_waiting(clock: HandClock) -> None:
    stable = Stable(clock=clock, most=2)
    places = places_of(stable.sessions)
    main = group("main")
    async with asyncio.timeout(10), stable.sessions.lend("main", main):
        async with places.helper(assignment(main)):
            with pytest.raises(StartFailed, match="every place for agents is taken"):
                async with places.helper(assignment(main, number=2)):
                    raise AssertionError("it was started")
        async with places.helper(assignment(main, number=2)):
            assert stable.launcher.most_living == 2
