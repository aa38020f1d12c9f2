"""Whatever dies and whenever: order per chat, every message answered once, one turn per lane."""

import asyncio
import re

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule

from container.agent import TurnEvents
from storage.errors import DatabaseUnavailable
from tests.conftest import TestServer
from tests.host.conversation.agents import ScriptedAgent
from tests.host.conversation.machines import HouseMachine, run_machine

CHATS = ("tg:1000", "web:local", "tg:-1", "tg:-1/42")  #: the first two share a lane


class LanesMachine(HouseMachine):
    """People write, agents hang, die and write, the host is killed."""

    followups = False
    most_agents = 2

    def prepare(self) -> None:
        self.numbers = 0
        self.gate = asyncio.Event()
        self.gate.set()
        self.running: dict[str, int] = {}
        self.faults: list[str] = []
        self.house.launcher.script = self.script
        self.house.launcher.takes_followups = self.followups
        self.run(self._register())

    async def _register(self) -> None:
        await self.house.registry.ensure_main(["tg:1000"])
        await self.house.registry.add_group("tg:-1", "team")

    async def script(self, agent: ScriptedAgent, text: str, events: TurnEvents) -> None:
        self.running[agent.key] = self.running.get(agent.key, 0) + 1
        try:
            self._look_for_faults(agent)
            events.text(" ".join(re.findall(r"#\d+", text)))
            await self.gate.wait()
        finally:
            self.running[agent.key] -= 1

    def _look_for_faults(self, agent: ScriptedAgent) -> None:
        session = self.house.sessions.live.get(agent.key)
        if self.running[agent.key] > 1 and not self.followups:
            self.faults.append("two prompts at once in one lane")
        if session is None or session.turn is None:
            return
        if session.turn.id in self.house.record.written and len(agent.prompts) == 1:
            self.faults.append("a turn that had written was run again")

    @rule(chat=st.sampled_from(CHATS), asks=st.booleans(), pieces=st.integers(0, 30))
    def write(self, chat: str, asks: bool, pieces: int) -> None:
        self.numbers += 1
        self.run(self._write(f"{'@Amtiskaw ' if asks else ''}#{self.numbers}", chat, pieces))

    async def _write(self, text: str, chat: str, pieces: int) -> None:
        message = self.house.message(text, address=chat)
        while True:
            try:
                await self.house.receive(message)
                break
            except DatabaseUnavailable:
                continue  # as a bridge does: what was not confirmed is brought again
        await self.go_on(pieces)

    @rule(pieces=st.integers(1, 60), seconds=st.sampled_from([0, 1, 5]))
    def time_passes(self, pieces: int, seconds: int) -> None:
        self.run(self.go_on(pieces))
        self.run(self.house.clock.advance(seconds))

    @rule(open_=st.booleans())
    def hold_agents_or_let_them_go(self, open_: bool) -> None:
        (self.gate.set if open_ else self.gate.clear)()

    @rule(which=st.integers(0, 2))
    def an_agent_dies(self, which: int) -> None:
        living = [agent for agent in self.house.launcher.agents if agent.alive]
        if living:
            self.run(self._kill(living[which % len(living)]))

    async def _kill(self, agent: ScriptedAgent) -> None:
        agent.die()
        await self.go_on(3)

    @rule()
    def an_agent_writes(self) -> None:
        for session in self.house.sessions.live.values():
            if session.turn is not None and self.running.get(session.lane):  # it has read what to do
                self.house.record.written[session.turn.id] = ["Created an issue."]

    @rule(breaks=st.integers(1, 4), committed=st.booleans())
    def the_database_breaks(self, breaks: int, committed: bool) -> None:
        self.database.breaks, self.database.committed = breaks, committed

    @rule()
    def the_host_is_killed(self) -> None:
        self.crash_and_restart()

    @invariant()
    def no_more_agents_than_allowed(self) -> None:
        agents = self.house.launcher.agents
        assert sum(agent.alive and not agent.paused for agent in agents) <= 2

    async def check_the_end(self) -> None:
        self.gate.set()
        self.database.breaks = 0
        await self.until(self._at_rest)
        await self._check_turns()
        await self._check_chats()
        assert not self.faults

    async def _at_rest(self) -> bool:
        left = await self.house.database.fetchval(
            "SELECT (SELECT count(*) FROM host.messages WHERE turn IS NULL AND triggers)"
            " + (SELECT count(*) FROM host.turns WHERE state = 'running')"
            " + (SELECT count(*) FROM host.posts WHERE sent_version < version AND failed IS NULL)"
        )
        return bool(left == 0)

    async def _check_turns(self) -> None:
        """Messages are in turns in the order they came, and a turn is in one chat."""
        rows = await self.house.database.fetch(
            "SELECT m.address, m.text, m.turn, t.state, p.content->>'text' AS said, t.address AS asked_in"
            " FROM host.messages m JOIN host.turns t ON t.id = m.turn"
            " LEFT JOIN host.posts p ON p.slot = 'answer:' || t.id"
            " WHERE m.source = 'person' ORDER BY m.id"
        )
        last: dict[str, object] = {}
        for row in rows:
            assert row["address"] == row["asked_in"]
            assert last.get(row["address"], row["turn"]) <= row["turn"]
            last[row["address"]] = row["turn"]
            if row["state"] == "done" and not self.followups:
                number = re.findall(r"#\d+", row["text"])[0]
                assert number in row["said"].split()
            assert row["said"]

    async def _check_chats(self) -> None:
        """Each chat shows each answer once; a kill may cost one message that was sent but not noted."""
        rows = await self.house.database.fetch(
            "SELECT address, refs FROM host.posts WHERE content->>'text' <> ''"
        )
        noted = {(row["address"], ref) for row in rows for ref in row["refs"]}
        bridges = (self.house.bridge, self.house.web)
        shown = {(chat, ref) for bridge in bridges for chat, refs in bridge.chats.items() for ref in refs}
        assert all(len(row["refs"]) == 1 for row in rows)
        assert noted <= shown
        assert len(shown - noted) <= self.crashes * len(CHATS)


class FollowUpsMachine(LanesMachine):
    followups = True


QUICK = settings(
    max_examples=12,
    stateful_step_count=20,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.reuse, Phase.generate],  # a failure is shrunk by the long run, which has the time
)
LONG = settings(QUICK, max_examples=150, stateful_step_count=40, phases=list(Phase))


@pytest.mark.parametrize("machine", [LanesMachine, FollowUpsMachine])
def test_lanes_keep_their_promises(postgres: TestServer, machine: type[LanesMachine]) -> None:
    run_machine(machine, postgres, QUICK)


@pytest.mark.full
@pytest.mark.parametrize("machine", [LanesMachine, FollowUpsMachine])
def test_lanes_keep_their_promises_at_length(postgres: TestServer, machine: type[LanesMachine]) -> None:
    run_machine(machine, postgres, LONG)
