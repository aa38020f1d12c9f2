"""Triage under everything at once: many hands, crashes anywhere, a failing kernel, days, the terminal."""

import asyncio
from pathlib import Path

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule

from bridges.messages import Person
from demarch.errors import DemarchError
from tests.conftest import TestServer
from tests.host.decisions.faulty import Fault
from tests.host.decisions.office import ANA, BEN, EVE, HOUR, MAIN, MIA, buttons, code_of
from tests.host.decisions.workshop import Workshop, run_machine

people = st.sampled_from([ANA, BEN, MIA, EVE])
verbs = st.sampled_from(["PROMOTE", "DISMISS", "LATER"])
which = st.integers(0, 7)
faults = st.sampled_from([[], [], [Fault.SILENT] * 3, [Fault.LOST] * 3, [Fault.UNSURE]])
DECIDED = ("promoted", "dismissed")


class TriageMachine(Workshop):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    @property
    def cards(self) -> bool:
        return bool(self.do(self.office.cards()))

    @precondition(lambda self: len(self.found) < 6)
    @rule(score=st.sampled_from([0.5, 0.6, 0.9]), told=st.booleans())
    def something_is_found(self, score: float, told: bool) -> None:
        self.do(self._find(score, told))

    async def _find(self, score: float, told: bool) -> None:
        title = f"thing {len(self.found)}"
        written = await self.office.terminal.write("register_finding", title=title, score=score)
        self.found.append(str(written.data["id"]))
        if told:
            await self.office.feed()

    @precondition(lambda self: self.cards)
    @rule(hands=st.lists(st.tuples(people, verbs), min_size=1, max_size=3), number=which, fault=faults)
    def hands_tap_at_once(self, hands: list[tuple[Person, str]], number: int, fault: list[Fault]) -> None:
        self.do(self._tap(hands, number, fault))

    async def _tap(self, hands: list[tuple[Person, str]], number: int, fault: list[Fault]) -> None:
        cards = await self.office.cards()
        card = cards[-1 - number % len(cards)]
        self.office.kernel.plan.extend(fault)
        data = [(hand, f"{verb.lower()}:{code_of(card)}") for hand, verb in hands]
        await self.office.run_all([self.office.press(card, "", hand, data=said) for hand, said in data])
        self.office.kernel.plan.clear()

    @precondition(lambda self: self.cards)
    @rule(verb=verbs, statements=st.integers(0, 25), lost=st.booleans())
    def the_host_dies_in_the_middle(self, verb: str, statements: int, lost: bool) -> None:
        self.do(self._die(verb, statements, [Fault.LOST] * 3 if lost else []))

    async def _die(self, verb: str, statements: int, fault: list[Fault]) -> None:
        await self.office.show()
        card = (await self.office.cards())[-1]
        self.office.kernel.plan.extend(fault)
        tap = self.office.press(card, "", ANA, data=f"{verb.lower()}:{code_of(card)}")
        async with asyncio.TaskGroup() as tasks:
            work = tasks.create_task(self.office.parts.desk.tap(tap, self.office.bridge))
            feed = tasks.create_task(self.office.consumer.step())
            await self.pass_time(statements)
            work.cancel()
            feed.cancel()
        self.office.kernel.plan.clear()
        self.office = await self.office.reborn()
        await self.office.parts.desk.recover()
        await self.office.run(tap)

    @rule(hours=st.sampled_from([1, 24]))
    def time_passes(self, hours: int) -> None:
        self.do(self._time(hours))

    async def _time(self, hours: int) -> None:
        await self.office.clock.advance(hours * HOUR)
        await self.office.parts.news.triage.look()
        await self.office.show()

    @precondition(lambda self: self.found)
    @rule(number=which, how=st.sampled_from(["promote", "dismiss"]), told=st.booleans())
    def the_terminal_is_faster(self, number: int, how: str, told: bool) -> None:
        self.do(self._terminal(self.found[number % len(self.found)], how, told))

    async def _terminal(self, discovery: str, how: str, told: bool) -> None:
        try:
            await self.office.terminal.write(f"{how}_discovery", discovery_id=discovery)
        except DemarchError:
            return
        if told:
            await self.office.feed()

    @rule(hand=st.sampled_from([ANA, MIA]), argument=st.sampled_from(["", "now"]))
    def somebody_asks_for_them(self, hand: Person, argument: str) -> None:
        group = self.office.registry.group("main")
        assert group is not None
        self.do(self.office.parts.news.discoveries.page(group, MAIN, hand.address, argument))

    @rule()
    def the_feed_comes_by(self) -> None:
        self.do(self.office.feed())

    @invariant()
    def one_card_is_asked_at_a_time(self) -> None:
        rows = self.do(
            self.office.database.fetch(
                "SELECT id FROM host.approvals WHERE kind = 'discovery' AND state IN ('pending', 'executing')"
            )
        )
        assert len(rows) <= 1

    @invariant()
    def only_the_open_card_has_buttons(self) -> None:
        self.do(self._buttons())

    async def _buttons(self) -> None:
        await self.office.show()
        for post in await self.office.cards():
            state = (await self.office.approval(code_of(post))).state
            assert bool(buttons(post)) == (state == "pending")

    @invariant()
    def what_people_decided_is_what_the_kernel_did(self) -> None:
        self.do(self._agree())

    async def _agree(self) -> None:
        """And at most once for each discovery, by somebody entitled."""
        rows = await self.office.database.fetch(
            "SELECT subject, verb, decided_by FROM host.approvals"
            " WHERE kind = 'discovery' AND state = 'done' AND verb <> 'later'"
        )
        decided = [row["subject"]["discovery"] for row in rows]
        assert len(decided) == len(set(decided))
        for row in rows:
            discovery = await self.office.kernel.discovery(row["subject"]["discovery"])
            assert discovery.status == {"promote": "promoted", "dismiss": "dismissed"}[row["verb"]]
            assert row["decided_by"] in {ANA.address, BEN.address}
        issues = await self.office.database.fetchval("SELECT count(*) FROM kernel.issues")
        promoted = await self.office.database.fetchval(
            "SELECT count(*) FROM kernel.discoveries WHERE status = 'promoted'"
        )
        assert issues == promoted

    def teardown(self) -> None:
        """Whatever happened: what nobody decided is asked about in the end."""
        try:
            self.do(self._ends())
        finally:
            super().teardown()

    async def _ends(self) -> None:
        await self.office.feed()
        for _ in range(2 * len(self.found) + 2):
            await self._time(24)
            cards = [card for card in await self.office.cards() if buttons(card)]
            if cards:
                await self.office.tap(cards[-1], "DISMISS")
            await self.office.feed()
        statuses = [(await self.office.kernel.discovery(each)).status for each in self.found]
        assert all(status in DECIDED for status in statuses)


def test_triage_keeps_its_promises(postgres: TestServer, tmp_path: Path) -> None:
    run_machine(TriageMachine, postgres, tmp_path, examples=8, steps=12)


@pytest.mark.full
def test_triage_keeps_its_promises_at_length(postgres: TestServer, tmp_path: Path) -> None:
    run_machine(TriageMachine, postgres, tmp_path, examples=80, steps=25)
