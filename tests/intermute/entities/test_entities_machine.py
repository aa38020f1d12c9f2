"""Whatever is done to entities, in whatever order: they and their log are as a dictionary has them."""

import asyncio
import itertools
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from intermute.entities.entity import START, Entity
from intermute.entities.kind import Kind
from intermute.entities.kinds import KINDS, TASK
from intermute.entities.store import Entities
from intermute.errors import Conflict, InvalidRequest, NotFound
from intermute.events.journal import Journal
from intermute.limits import Retention
from intermute.retention import Pruner
from storage.database import Database
from storage.ids import uuid7
from tests.clock import START as BEGIN
from tests.clock import HandClock

_NUMBERS = itertools.count(1)
PROJECTS = ("p", "q")
IDS = ("one", "two", "three")
STATUSES = ("", "done", "running", "draft", "wild")
LOG = "SELECT type, data FROM intermute.events WHERE project = $1 ORDER BY cursor"

Key = tuple[str, str]


@dataclass(frozen=True, kw_only=True)
class Model:
    """What is known of one entity of the kind under test."""

    title: str
    status: str
    version: int
    rank: float
    at: float  #: what its list is sorted by after the rank
    agent: str = ""


class EntitiesMachine(RuleBasedStateMachine):
    """A model beside the real ones, of one kind; each run has projects of its own."""

    url = ""

    def __init__(self) -> None:
        super().__init__()
        self._runner = asyncio.Runner()
        self._stack = AsyncExitStack()
        self.db = self.do(self._stack.enter_async_context(Database.open(self.url, size=2)))
        self.clock = HandClock()
        self.journal = Journal(self.db, self.clock)
        self.store = Entities(self.db, self.journal, self.clock, lambda: uuid7(BEGIN, next(_NUMBERS)))
        self.number = next(_NUMBERS)
        self.entities: dict[Key, Model] = {}
        self.told: list[tuple[str, Key]] = []

    @initialize(kind=st.sampled_from(KINDS))
    def choose(self, kind: Kind) -> None:
        self.kind = kind

    def do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self._runner.run(work)

    def teardown(self) -> None:
        self.do(self._stack.aclose())
        self._runner.close()

    def project(self, name: str) -> str:
        return f"{name}{self.number}"

    def given(self, title: str, status: str, rank: int) -> dict[str, Any]:
        members: dict[str, Any] = dict.fromkeys((member.name for member in self.kind.members), "")
        lists = {"steps", "acceptance_criteria", "success_criteria", "error_recovery"} & members.keys()
        members.update(dict.fromkeys(lists, ()))
        members["name" if self.kind.name == "session" else "title"] = title
        if "status" in members:
            members["status"] = status
        if "score" in members:
            members["score"] = float(rank)
        if "priority" in members:
            members["priority"] = ("low", "high", "medium")[rank % 3]
        return members

    def modelled(self, entity: Entity) -> Model:
        title = entity.data["name" if self.kind.name == "session" else "title"]
        at = entity.created_at if self.kind.listed_by_birth else entity.updated_at
        return Model(
            title=title,
            status=entity.data.get("status", ""),
            version=entity.version,
            rank=self.kind.rank(entity.data),
            at=at.timestamp(),
            agent=entity.data.get("agent", "") if self.kind is TASK else "",
        )

    def allowed(self, status: str) -> bool:
        choices = [member.choice for member in self.kind.members if member.name == "status"]
        return not choices or status == "" or (choices[0] is not None and status in choices[0].words)

    def default(self) -> str:
        choices = [m.choice.default for m in self.kind.members if m.name == "status" and m.choice]
        return choices[0] if choices else ""

    @rule(
        project=st.sampled_from(PROJECTS),
        name=st.sampled_from(IDS),
        status=st.sampled_from(STATUSES),
        rank=st.integers(-2, 2),
    )
    def create(self, project: str, name: str, status: str, rank: int) -> None:
        work = self.store.create(
            self.kind, self.project(project), self.given(f"made {rank}", status, rank), entity_id=name
        )
        if not self.allowed(status):
            with pytest.raises(InvalidRequest):
                self.do(work)
        elif (project, name) in self.entities:
            with pytest.raises(Conflict):
                self.do(work)
        else:
            entity = self.do(work)
            self.entities[project, name] = self.modelled(entity)
            assert entity.version == 1
            assert entity.data.get("status", "") == ("" if not self.default() else status or self.default())
            self.told.append((self.kind.created, (project, name)))

    @rule(
        project=st.sampled_from(PROJECTS),
        name=st.sampled_from(IDS),
        status=st.sampled_from(STATUSES),
        rank=st.integers(-2, 2),
        behind=st.integers(0, 1),
    )
    def renew(self, project: str, name: str, status: str, rank: int, behind: int) -> None:
        if not self.kind.replaceable:
            return
        before = self.entities.get((project, name))
        version = (before.version if before else 1) - behind
        work = self.store.replace(
            self.kind,
            self.project(project),
            name,
            self.given(f"renewed {rank}", status, rank),
            version=version,
        )
        if before is None:
            with pytest.raises(NotFound):
                self.do(work)
        elif self.kind.versioned and behind:
            with pytest.raises(Conflict):
                self.do(work)
        elif not self.allowed(status):
            with pytest.raises(InvalidRequest):
                self.do(work)
        else:
            entity = self.do(work)
            assert entity.version == before.version + 1
            assert entity.data.get("status", "") == (status or before.status)
            self.entities[project, name] = self.modelled(entity)
            self.told.append((self.kind.told(entity.data), (project, name)))

    @rule(project=st.sampled_from(PROJECTS), name=st.sampled_from(IDS))
    def remove(self, project: str, name: str) -> None:
        self.do(self.store.remove(self.kind, self.project(project), name))
        if self.entities.pop((project, name), None):
            self.told.append((self.kind.removed, (project, name)))

    @rule(project=st.sampled_from(PROJECTS), name=st.sampled_from(IDS), agent=st.sampled_from(["ana", "ben"]))
    def assign(self, project: str, name: str, agent: str) -> None:
        if self.kind is not TASK:
            return
        before = self.entities.get((project, name))
        work = self.store.assign(self.project(project), name, agent, version=None)
        if before is None:
            with pytest.raises(NotFound):
                self.do(work)
            return
        after = self.modelled(self.do(work))
        assert after == replace(
            before, agent=agent, status="running", version=before.version + 1, at=after.at
        )
        self.entities[project, name] = after
        self.told.append(("task.assigned", (project, name)))

    @rule(seconds=st.sampled_from([0.000001, 1, 3600]))
    def wait(self, seconds: float) -> None:
        self.do(self.clock.advance(seconds))

    @rule(limit=st.integers(1, 4))
    def page_through(self, limit: int) -> None:
        for project in PROJECTS:
            expected = [key for key in self.entities if key[0] == project]
            found: list[str] = []
            after = START
            while True:
                page = self.do(
                    self.store.page(self.kind, self.project(project), {}, limit=limit, after=after)
                )
                assert len(page.entities) <= limit
                found += [entity.id for entity in page.entities]
                if page.after is None:
                    break
                after = page.after
            by_place = {name: self.entities[project, name] for _, name in expected}
            order = sorted(by_place, key=lambda name: (by_place[name].rank, by_place[name].at, name))
            assert found == order[::-1]

    @rule()
    def prune(self) -> None:
        """Of what is still there the last event stays, and it shows it as it is."""
        later = HandClock(self.clock.now() + timedelta(hours=25))
        self.do(Pruner(self.db, later, Retention(events=1)).prune())
        last = {key: number for number, (_, key) in enumerate(self.told)}
        self.told = [
            event
            for number, event in enumerate(self.told)
            if event[1] in self.entities and last[event[1]] == number
        ]
        for project, name in self.entities:
            entity = self.do(self.store.read(self.kind, self.project(project), name))
            pictures = [row["data"] for row in self.log(project) if row["data"]["entity_id"] == name]
            assert pictures == [{"entity_id": name, "data": entity.shape()}]

    def log(self, project: str) -> list[Any]:
        rows: list[Any] = self.do(self.db.fetch(LOG, self.project(project)))
        return rows

    @invariant()
    def the_log_tells_everything_once_and_in_order(self) -> None:
        for project in PROJECTS:
            told = [(row["type"], row["data"]["entity_id"]) for row in self.log(project)]
            assert told == [(type_, name) for type_, (home, name) in self.told if home == project]

    @invariant()
    def every_entity_is_as_it_was_left(self) -> None:
        for (project, name), model in self.entities.items():
            entity = self.do(self.store.read(self.kind, self.project(project), name))
            assert self.modelled(entity) == model


@pytest.mark.parametrize("examples", [30, pytest.param(300, marks=pytest.mark.full)])
def test_entities_are_as_a_dictionary_has_them(database_url: str, examples: int) -> None:
    class Machine(EntitiesMachine):
        url = database_url

    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )
