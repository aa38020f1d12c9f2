"""A log that grows, whose clock is set and which is restored, read page by page: every row is told once."""

import asyncio
import json
from collections.abc import Coroutine
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar, TypeVar, cast

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from demarch.cli.commands import Command
from demarch.cli.events import TOLD, Events
from demarch.cli.process import Result, Runner
from demarch.errors import LogWentBack
from demarch.feed import passed
from demarch.kernel import Marks

T = TypeVar("T")

many = st.integers(80, 250)


@dataclass(frozen=True, slots=True)
class Row:
    id: int
    source: str
    second: int
    mark: int  #: what it is known by, whatever its id


class Log:
    """Answers as `ic events tail` does, without being a process."""

    def __init__(self, shares: int) -> None:
        self.shares = shares
        self.rows: list[Row] = []

    async def ask(self, command: Command) -> Result:
        given = dict(word[2:].split("=", 1) for word in command.argv if "=" in word)
        share = -(-int(given["limit"]) // self.shares)
        found: list[Row] = []
        for source in (*TOLD, "interspect"):
            after = int(given.get(f"since-{source}", 0))
            own = [row for row in self.rows if row.source == source and row.id > after]
            found += sorted(own, key=lambda row: (row.second, row.id))[:share]
        return Result(code=0, out="".join(map(_line, found)), err="")


def _line(row: Row) -> str:
    at = datetime.fromtimestamp(row.second, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return (
        json.dumps(
            {"id": row.id, "source": row.source, "type": "set", "reason": str(row.mark), "timestamp": at}
        )
        + "\n"
    )


class LogMachine(RuleBasedStateMachine):
    restores: ClassVar[bool]  #: else the clock is set back now and then

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.now = 1_000_000
        self.number = 0
        self.last: dict[str, int] = {}
        self.marks: Marks = {}
        self.told: list[int] = []

    @initialize(shares=st.sampled_from([4, 5, 6]), before=st.integers(0, 700))
    def begin(self, shares: int, before: int) -> None:
        self.log = Log(shares)
        self.events = Events(cast(Runner, self.log))
        for _ in range(before):
            self._add("phase", 1)
        self.marks = self.do(self.events.head())
        self.history = {row.mark for row in self.log.rows}

    @rule(source=st.sampled_from([*TOLD, "interspect"]), later=st.integers(1, 9), count=st.integers(1, 150))
    def things_happen(self, source: str, later: int, count: int) -> None:
        for _ in range(count):
            self._add(source, later)

    @precondition(lambda self: not self.restores)
    @rule(source=st.sampled_from(TOLD), before=st.integers(0, 30), ahead=st.integers(1, 30), behind=many)
    def the_clock_is_set_back(self, source: str, before: int, ahead: int, behind: int) -> None:
        """Some rows in time, some from a clock that is fast, many after that was noticed."""
        for count, jump in ((before, 0), (ahead, 5000), (behind, -6000)):
            self.now += jump
            for _ in range(count):
                self._add(source, 1)

    @rule(limit=st.integers(1, 60), times=st.integers(1, 9))
    def it_is_looked(self, limit: int, times: int) -> None:
        for _ in range(times):
            self._look(limit)

    @precondition(lambda self: self.restores)
    @rule(
        source=st.sampled_from(TOLD),
        lost=st.integers(1, 150),
        looks=st.integers(0, 4),
        new=st.integers(0, 300),
    )
    def it_is_restored(self, source: str, lost: int, looks: int, new: int) -> None:
        """Rows come and go again, some of them were told; then the log may grow past where it was."""
        rows, last = list(self.log.rows), dict(self.last)
        for _ in range(lost):
            self._add(source, 1)
        for _ in range(looks):
            self._look(50)
        self.log.rows, self.last = rows, last
        self.now += 2
        for _ in range(new):
            self._add(source, 1)

    def _add(self, source: str, later: int) -> None:
        self.now += later
        self.number += 1
        self.last[source] = self.last.get(source, 0) + 1
        self.log.rows.append(Row(self.last[source], source, self.now, self.number))

    def _look(self, limit: int) -> int:
        try:
            found = self.do(self.events.behind(self.marks, limit))
        except LogWentBack as back:
            self.marks = back.marks
            found = self.do(self.events.behind(self.marks, limit))
        assert len(found) <= limit
        self.told += [int(event.reason) for event in found]
        self.marks = passed(self.marks, found)
        return len(found)

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(work)

    def teardown(self) -> None:
        try:
            if hasattr(self, "log"):
                self._check()
        finally:
            self.loop.close()

    def _check(self) -> None:
        looks = 0
        while self._look(50):
            looks += 1
            assert looks <= len(self.log.rows), "told for ever"
        assert len(self.told) == len(set(self.told)), "told twice"
        there = {row.mark for row in self.log.rows if row.source in TOLD}
        assert there - self.history <= set(self.told), "lost"
        assert not self.history & set(self.told), "history was told"


def run_machine(*, restores: bool, examples: int, steps: int) -> None:
    LogMachine.restores = restores
    run_state_machine_as_test(
        LogMachine,
        settings=settings(max_examples=examples, stateful_step_count=steps, database=None, deadline=None),
    )


@pytest.mark.parametrize("restores", [False, True])
def test_every_row_is_told_once(restores: bool) -> None:
    run_machine(restores=restores, examples=15, steps=8)


@pytest.mark.full
@pytest.mark.parametrize("restores", [False, True])
def test_every_row_is_told_once_at_length(restores: bool) -> None:
    run_machine(restores=restores, examples=300, steps=20)
