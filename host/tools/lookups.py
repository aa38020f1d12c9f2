"""What agents read of the kernel, with what only the host knows: who looked when, who decided in chats."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from demarch import changes
from demarch.calls import parse
from demarch.kernel import Outcome
from demarch.operations import Call
from demarch.parameters import Decisions, WhatChanged
from demarch.projects import Projects
from demarch.telling import decisions as tell
from host.decisions.approvals import Approval, Kind
from host.decisions.approvals_store import Approvals
from host.decisions.cards import PAST
from host.decisions.codes import Verb
from host.decisions.questions import about
from host.people.registry import Group
from host.phrases import one_line
from host.tools.offered import check_offered
from storage import sql
from storage.clock import Clock
from storage.database import Database

_SQL = sql.load("host", "looks")
#: a decision in chat and what the kernel's log tells of it are at most this far apart, where it names no key
_APART = timedelta(seconds=60)
_DEEDS: Mapping[str, frozenset[Verb]] = {
    "advance": frozenset({Verb.APPROVE}),
    "override": frozenset({Verb.APPROVE}),
    "gate.rejected": frozenset({Verb.REJECT, Verb.APPROVE}),
    "gate.deferred": frozenset({Verb.DEFER, Verb.APPROVE}),
    "cancel": frozenset({Verb.CANCEL, Verb.APPROVE}),
    "run.cancelled": frozenset({Verb.CANCEL, Verb.APPROVE}),
    "run.paused": frozenset({Verb.APPROVE}),
    "run.resumed": frozenset({Verb.APPROVE}),
    "run.extended": frozenset({Verb.EXTEND, Verb.APPROVE}),
    "discovery.promoted": frozenset({Verb.PROMOTE, Verb.APPROVE}),
    "discovery.dismissed": frozenset({Verb.DISMISS, Verb.APPROVE}),
}


class Lookups:
    """Reads for a group's agents."""

    def __init__(self, *, projects: Projects, database: Database, approvals: Approvals, clock: Clock) -> None:
        self._projects = projects
        self._database = database
        self._approvals = approvals
        self._clock = clock

    async def read(self, group: Group, name: str, arguments: Mapping[str, Any], *, lane: str = "") -> Outcome:
        """Raises DemarchError. `lane` is the conversation whose own look this is."""
        check_offered(self._projects, group, name)
        call = parse(name, arguments)
        if isinstance(call.params, WhatChanged) and call.params.since is None and lane:
            return await self._since_last_time(group, lane)
        outcome = await self._projects.kernel(group.project).read(call)
        if isinstance(call.params, Decisions):
            return await self._with_chats(group, call, call.params, outcome)
        return outcome

    async def _since_last_time(self, group: Group, lane: str) -> Outcome:
        """What changed since this conversation last asked; only an answer counts as a look."""
        project, now = self._projects.key(group.project), self._clock.now()
        last: datetime | None = await self._database.fetchval(_SQL["looks.last"], lane, project)
        since = last or now - timedelta(seconds=changes.DAY)
        call = parse("what_changed", {"since": since.isoformat()})
        outcome = await self._projects.of(project).read(call)
        # The kernel CLI tells times in whole seconds: what follows within this one is not told yet.
        await self._database.execute(_SQL["looks.look"], lane, project, now.replace(microsecond=0))
        return outcome

    async def _with_chats(self, group: Group, call: Call, asked: Decisions, outcome: Outcome) -> Outcome:
        """What people decided on cards, in the place of what the kernel tells of the same."""
        now = self._clock.now()
        async with self._database.transaction() as conn:
            decided = await self._approvals.decided(
                conn,
                project=self._projects.key(group.project),
                run=asked.run_id.lower() if asked.run_id else "",
                folders=None if group.main else [group.folder],
                since=asked.since_when(now),
                limit=asked.limit,
            )
        told = [item for item in outcome.data["decisions"] if not _is_of(item, decided)]
        items = sorted([*told, *map(_item, decided)], key=lambda item: int(item["at"]))[-asked.limit :]
        return Outcome(text=tell.listed(items, now), data={"decisions": items})


def _is_of(item: Mapping[str, Any], decided: Sequence[Approval]) -> bool:
    """Whether what the kernel tells is the doing of one of these."""
    if item["key"]:
        return any(str(item["key"]).startswith(f"{each.id}/") for each in decided)
    return any(_fits(item, each) for each in decided)


def _fits(item: Mapping[str, Any], approval: Approval) -> bool:
    subject = approval.subject.get("discovery") if approval.kind is Kind.DISCOVERY else approval.run
    if approval.decided_at is None or item["about"] != subject:
        return False
    if approval.verb not in _DEEDS.get(str(item["type"]), ()):
        return False
    return abs(approval.decided_at.timestamp() - int(item["at"])) <= _APART.total_seconds()


def _item(approval: Approval) -> dict[str, Any]:
    verb = approval.verb or Verb.APPROVE
    subject = approval.subject
    gate = f" at the gate from {subject['from']} to {subject['to']}" if approval.kind is Kind.GATE else ""
    return {
        "at": int(approval.decided_at.timestamp()) if approval.decided_at else 0,
        "by": one_line(approval.decided_name or approval.decided_by, 80),
        "what": f"{PAST[verb]} {about(approval)}{gate}",
        "why": one_line(approval.outcome or "", 300),
        "type": f"{approval.kind.value}.{verb.value}",
        "about": subject["discovery"] if approval.kind is Kind.DISCOVERY else approval.run,
        "key": str(approval.id),
        "code": approval.code,
    }
