"""Whoever registers as whatever: nobody takes what is another's, and a refusal changes nothing."""

import asyncio
import itertools
import random
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any

import pytest
from asyncpg.protocol import Record
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from intermute.agents.registration import Registered, Registration, Wanted
from intermute.agents.standings import Standings
from intermute.agents.tokens import digest
from intermute.caller import Caller, Mode
from intermute.errors import Conflict, IntermuteError, NotAllowed
from intermute.events.journal import Journal
from storage.database import Database
from storage.ids import uuid7
from tests.clock import START, HandClock

SESSIONS = ("0d9c1b6e-93f7-4c1e-8c47-8b6f0e3f6a11", "1d9c1b6e-93f7-4c1e-8c47-8b6f0e3f6a12")
HOSTED = "intercom:office"
GRACE = timedelta(minutes=5)

ids = st.sampled_from(["", "", "a", "b", HOSTED])
names = st.sampled_from(["", "x", "y"])
sessions = st.sampled_from(["", *SESSIONS])
projects = st.sampled_from(["p", "q"])

Rows = dict[str, Record]


class RegistrationMachine(RuleBasedStateMachine):
    url = ""

    def __init__(self) -> None:
        super().__init__()
        self._runner = asyncio.Runner()
        self._stack = AsyncExitStack()
        self.db: Database = self.do(self._stack.enter_async_context(Database.open(self.url, size=2)))
        self.do(self.db.execute("TRUNCATE intermute.agents"))
        self.clock = HandClock()
        numbers, chance = itertools.count(1), random.Random(1)  # noqa: S311 - the same tokens in every run
        self.registration = Registration(
            self.db,
            Journal(self.db, self.clock),
            self.clock,
            lambda: uuid7(START, next(numbers)),
            chance.randbytes,
            Standings(self.db),
            GRACE,
        )

    def do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self._runner.run(work)

    def teardown(self) -> None:
        self.do(self._stack.aclose())
        self._runner.close()

    def rows(self) -> Rows:
        return {row["id"]: row for row in self.do(self.db.fetch("SELECT * FROM intermute.agents"))}

    def attempt(self, caller: Caller, wanted: Wanted) -> tuple[Rows, Rows, Registered | IntermuteError]:
        before = self.rows()
        done: Registered | IntermuteError
        try:
            done = self.do(self.registration.register(caller, wanted))
        except (Conflict, NotAllowed) as refusal:
            done = refusal
        after = self.rows()
        if isinstance(done, IntermuteError):
            assert after == before
        else:
            self.check(caller, wanted, before, after, done)
        return before, after, done

    def check(self, caller: Caller, wanted: Wanted, before: Rows, after: Rows, done: Registered) -> None:
        id_, now = done.agent.id, after[done.agent.id]
        assert id_ == wanted.id or not wanted.id
        assert now["token_hash"] == digest(done.token)
        assert (now["project"], now["last_seen"]) == (wanted.project, self.clock.now())
        assert now["session_id"] == wanted.session_id or not wanted.session_id
        assert now["name"] == wanted.name or not wanted.name
        was = before.get(id_)
        if was is not None:
            assert now["contact_policy"] == was["contact_policy"]
            assert now["created_at"] == was["created_at"]
            assert caller.mode is Mode.HOST or not was["guarded"] or caller.proven == id_
            assert was["project"] == wanted.project or caller.mode is not Mode.KEY
        for other in before.keys() - {id_}:
            changed = {name for name, value in before[other].items() if after[other][name] != value}
            assert changed <= {"session_id"}
            assert not changed or before[other]["session_id"] == wanted.session_id
            assert not changed or not before[other]["guarded"]
            assert not changed or caller.mode is not Mode.KEY or before[other]["project"] == wanted.project

    @rule(id_=ids, name=names, session=sessions, project=projects, keyed=st.booleans())
    def register(self, id_: str, name: str, session: str, project: str, keyed: bool) -> None:
        caller = Caller(mode=Mode.KEY, project=project) if keyed else Caller(mode=Mode.LOCAL)
        wanted = Wanted(id=id_, name=name, session_id=session, project=project)
        before, _, done = self.attempt(caller, wanted)
        if id_ == HOSTED:
            assert isinstance(done, NotAllowed)
            return
        known = before.get(id_)
        if known is not None and known["project"] == project and not session:
            assert isinstance(done, Registered)
        taken = [row for row in before.values() if row["session_id"] == session and row["project"] == project]
        if session and taken and taken[0]["id"] != id_ and name != taken[0]["name"]:
            alive = taken[0]["last_seen"] > self.clock.now() - GRACE
            assert isinstance(done, IntermuteError) or not alive

    @rule(session=sessions, project=projects)
    def register_the_hosts(self, session: str, project: str) -> None:
        caller = Caller(mode=Mode.HOST, project=project, agent=HOSTED)
        _, after, done = self.attempt(caller, Wanted(id=HOSTED, session_id=session, project=project))
        if isinstance(done, Registered):
            assert after[HOSTED]["guarded"]
        else:  # it came with a session that is another agent's
            assert session

    @rule(project=projects, id_=ids)
    def come_again_with_the_token(self, project: str, id_: str) -> None:
        known = self.rows().get(id_)
        if known is None or not known["session_id"]:
            return
        caller = Caller(mode=Mode.LOCAL, agent=id_, proven=id_)
        wanted = Wanted(session_id=known["session_id"], project=known["project"])
        _, _, done = self.attempt(caller, wanted)
        assert isinstance(done, Registered)
        assert done.agent.id == id_

    @rule(seconds=st.sampled_from([1, 299, 301]))
    def wait(self, seconds: int) -> None:
        self.do(self.clock.advance(seconds))

    @rule(id_=ids, policy=st.sampled_from(["auto", "block_all"]))
    def decide(self, id_: str, policy: str) -> None:
        self.do(self.db.execute("UPDATE intermute.agents SET contact_policy = $2 WHERE id = $1", id_, policy))


@pytest.mark.parametrize("examples", [40, pytest.param(400, marks=pytest.mark.full)])
def test_registrations_take_nothing_from_others(database_url: str, examples: int) -> None:
    RegistrationMachine.url = database_url
    run_state_machine_as_test(
        RegistrationMachine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
