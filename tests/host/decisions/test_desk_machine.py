"""The desk under everything at once: many hands, crashes anywhere, a failing kernel, time, the terminal."""

import asyncio
from pathlib import Path

import pytest
from asyncpg import Record
from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule

from bridges.messages import ButtonTap, Person
from demarch.errors import DemarchError
from host.decisions.approvals import State
from host.outgoing.outbox import Post
from tests.conftest import TestServer
from tests.host.decisions.faulty import Fault
from tests.host.decisions.office import (
    ANA,
    BEN,
    CHAIN,
    EVE,
    HOUR,
    MAIN,
    MIA,
    Office,
    buttons,
    code_of,
    first_line,
)
from tests.host.decisions.workshop import Workshop, run_machine

people = st.sampled_from([ANA, BEN, MIA, EVE])
verbs = st.sampled_from(["APPROVE", "REJECT", "DEFER"])
which = st.integers(0, 5)
faults = st.sampled_from([[], [Fault.SILENT], [Fault.SILENT] * 3, [Fault.LOST] * 3, [Fault.UNSURE]])
ENTITLED = {ANA.address, BEN.address}


class DeskMachine(Workshop):
    def __init__(self) -> None:
        super().__init__()
        self.runs: list[str] = []
        self.taps: list[str] = []

    @precondition(lambda self: len(self.runs) < 3)
    @rule()
    def a_gate_blocks(self) -> None:
        self.do(self._gate())

    async def _gate(self) -> None:
        run = await self.office.terminal.run(f"run {len(self.runs)}", **CHAIN)
        self.runs.append(run)
        await self.office.terminal.verdict(run, "needs-changes", findings=2)
        await self.office.terminal.advance(run)
        await self.office.feed()

    @precondition(lambda self: self.runs)
    @rule(hand=people, verb=verbs, number=which, fault=faults)
    def somebody_taps(self, hand: Person, verb: str, number: int, fault: list[Fault]) -> None:
        self.do(self._tap([(hand, verb)], number, fault))

    @precondition(lambda self: self.runs)
    @rule(hands=st.lists(st.tuples(people, verbs), min_size=2, max_size=4), number=which, fault=faults)
    def many_tap_at_once(self, hands: list[tuple[Person, str]], number: int, fault: list[Fault]) -> None:
        self.do(self._tap(hands, number, fault))

    async def _tap(self, hands: list[tuple[Person, str]], number: int, fault: list[Fault]) -> None:
        card = await self._some_card(number)
        self.office.kernel.plan.clear()
        self.office.kernel.plan.extend(fault)
        taps = [self._press(card, verb, hand) for hand, verb in hands]
        self.taps += [tap.tap_id for tap in taps]
        await self.office.run_all(taps)
        self.office.kernel.plan.clear()

    def _press(self, card: Post, verb: str, hand: Person) -> ButtonTap:
        return self.office.press(card, verb, hand, data=f"{verb.lower()}:{code_of(card)}")

    async def _some_card(self, number: int) -> Post:
        """Any card ever shown, also one without buttons by now: chats are slow to show an edit."""
        await self.office.show()
        cards = await self.office.cards()
        return cards[number % len(cards)]

    @precondition(lambda self: self.runs)
    @rule(hand=people, verb=verbs, number=which, statements=st.integers(0, 25), lost=st.booleans())
    def the_host_dies_in_the_middle(
        self, hand: Person, verb: str, number: int, statements: int, lost: bool
    ) -> None:
        self.do(self._die(hand, verb, number, statements, [Fault.LOST] * 3 if lost else []))

    async def _die(self, hand: Person, verb: str, number: int, statements: int, fault: list[Fault]) -> None:
        card = await self._some_card(number)
        self.office.kernel.plan.extend(fault)
        tap = self._press(card, verb, hand)
        async with asyncio.TaskGroup() as tasks:
            work = tasks.create_task(self.office.parts.desk.tap(tap, self.office.bridge))
            await self.pass_time(statements)
            work.cancel()
        self.office.kernel.plan.clear()
        self.office.bridge.answers.pop(tap.tap_id, None)
        self.office = await self.office.reborn()
        await self.office.parts.desk.recover()
        # The update was not acknowledged as handled, so it comes again.
        self.taps.append(tap.tap_id)
        await self.office.run(tap)

    @rule(seconds=st.sampled_from([60.0, HOUR / 2, HOUR]))
    def time_passes(self, seconds: float) -> None:
        self.do(self._time(seconds))

    async def _time(self, seconds: float) -> None:
        await self.office.clock.advance(seconds)
        await self.office.parts.desk._expiry.look()
        await self.office.show()

    @precondition(lambda self: self.runs)
    @rule(
        number=which,
        how=st.sampled_from(["approve_gate", "reject_gate", "cancel_run", "advance_phase"]),
        told=st.booleans(),
    )
    def the_terminal_is_faster(self, number: int, how: str, told: bool) -> None:
        self.do(self._terminal(self.runs[number % len(self.runs)], how, told))

    async def _terminal(self, run: str, how: str, told: bool) -> None:
        try:
            await self.office.terminal.write(how, run_id=run)
        except DemarchError:
            return
        if told:
            await self.office.feed()

    @rule(hand=st.sampled_from([ANA, MIA]))
    def somebody_lists(self, hand: Person) -> None:
        self.do(self.office.parts.desk.relist(MAIN, hand.address))

    @rule()
    def the_feed_comes_by(self) -> None:
        self.do(self.office.feed())

    @invariant()
    def nothing_is_carried_out_twice(self) -> None:
        self.do(self._once())

    async def _once(self) -> None:
        """One execution each time a question was put, however many hands and crashes."""
        rows = await self.office.database.fetch("SELECT approval, attempt, round FROM host.votes")
        rounds = {f"{row['approval']}/{row['attempt']}": (row["approval"], row["round"]) for row in rows}
        written = await self.office.database.fetch("SELECT key FROM kernel.writes WHERE actor LIKE 'tg:%'")
        done = [rounds[row["key"]] for row in written]
        assert len(done) == len(set(done))

    @invariant()
    def every_tap_was_answered_once(self) -> None:
        assert all(len(self.office.bridge.answers.get(tap, [])) == 1 for tap in self.taps)

    @invariant()
    def the_record_and_the_cards_agree(self) -> None:
        self.do(self._agree())

    async def _agree(self) -> None:
        await self.office.show()
        rows = await self.office.database.fetch("SELECT * FROM host.approvals")
        for row in rows:
            assert row["state"] != State.EXECUTING
            await _check_decision(self.office, row)
            async with self.office.database.transaction() as conn:
                posts = await self.office.outbox.of_approval(conn, row["id"])
            assert posts
            assert {bool(buttons(post)) for post in posts} == {row["state"] == State.PENDING}
            assert len({first_line(post) for post in posts}) == 1


async def _check_decision(office: Office, row: Record) -> None:
    """What is done was done by somebody entitled, in the kernel, with their verb."""
    if row["state"] != State.DONE:
        return
    assert row["decided_by"] in ENTITLED
    key = f"{row['id']}/{row['attempt']}"
    actor = await office.database.fetchval("SELECT actor FROM kernel.writes WHERE key = $1", key)
    assert actor == row["decided_by"]


def test_the_desk_keeps_its_promises(postgres: TestServer, tmp_path: Path) -> None:
    run_machine(DeskMachine, postgres, tmp_path, examples=12, steps=12)


@pytest.mark.full
def test_the_desk_keeps_its_promises_at_length(postgres: TestServer, tmp_path: Path) -> None:
    run_machine(DeskMachine, postgres, tmp_path, examples=120, steps=25)
