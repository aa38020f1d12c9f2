"""Carrying out a decision: what the kernel is asked for each, how often, and what its answer means."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from bridges.splitting import shorten
from demarch.calls import parse
from demarch.errors import EvidenceUnknown, KernelUnavailable, NotPossible
from demarch.gates import evidence_words
from demarch.kernel import Extension, Outcome
from demarch.operations import OPERATIONS
from demarch.phrases import tokens
from demarch.projects import Projects
from host.decisions.approvals import Approval, Kind, Move
from host.decisions.approvals_store import Vote
from host.decisions.cards import LIMIT, PAST
from host.decisions.codes import Verb
from host.decisions.limits import Limits
from host.phrases import one_line, quoted
from host.spending.words import extended, left_as_it_is
from host.tools.writes import Writes
from storage.clock import Clock

TRIES = 3
BACKOFF = (1.0, 3.0)  #: seconds before the second and the third try


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a decision came to."""

    move: Move
    outcome: str  #: one sentence; stands on the card from now on
    data: Mapping[str, Any] | None = None  #: what the write answered
    post: str = ""  #: said in the chat besides
    vote: Vote | None = None  #: set when an earlier attempt turned out to have gone through
    subject: Mapping[str, Any] | None = None  #: of FAIL: what the question is now


class Lacking(KernelUnavailable):
    """The kernel is without what this takes; somebody may mend that. The message says what is missing."""


class Execution:
    """Knows the kernel, not the database: who decided what is the desk's business."""

    def __init__(self, *, projects: Projects, writes: Writes, limits: Limits, clock: Clock) -> None:
        self._projects = projects
        self._writes = writes
        self._limits = limits
        self._clock = clock

    async def carry_out(
        self, approval: Approval, earlier: list[Vote], renew: Callable[[], Awaitable[None]]
    ) -> Result:
        """Execute the approval's verb, at most once. `earlier`: attempts that may have gone through unseen.

        Raises DemarchError; KernelUnavailable only after several tries.
        """
        for pause in BACKOFF:
            try:
                return await self._once(approval, earlier)
            except (EvidenceUnknown, Lacking):
                raise
            except KernelUnavailable:
                await self._clock.sleep(pause)
                await renew()
        return await self._once(approval, earlier)

    async def _once(self, approval: Approval, earlier: list[Vote]) -> Result:
        """First ask whether one of the earlier attempts did it: nothing is executed on a guess."""
        if approval.kind is Kind.SPEND:
            return await self._extend(approval, earlier)
        await self._check_able(approval)
        for vote in earlier:
            written = await self._written(approval, vote)
            if written is not None:
                return self._result(approval, vote.verb, written, vote)
        if approval.verb is None:
            raise NotPossible("Nobody has decided this.")
        outcome = await self._perform(approval, approval.verb)
        return self._result(approval, approval.verb, outcome, None)

    async def _check_able(self, approval: Approval) -> None:
        """Raise Lacking when the kernel cannot do it, looking again first: it may have been mended."""
        operation = _asks_kernel(approval)
        if operation not in OPERATIONS:
            return
        kernel = self._projects.of(approval.project)
        if operation in kernel.capabilities().absent:
            await kernel.state()
        if why := kernel.capabilities().absent.get(operation):
            raise Lacking(why)

    async def _written(self, approval: Approval, vote: Vote) -> Outcome | None:
        if not _writes(approval, vote.verb):
            return None
        return await self._writes.written(
            _operation(approval, vote.verb),
            _arguments(approval, vote.verb),
            approval.key(vote.attempt),
            project=approval.project,
        )

    async def _perform(self, approval: Approval, verb: Verb) -> Outcome | None:
        if verb is Verb.NEXT:
            return await self._projects.of(approval.project).read(parse("next_work", {}))
        if not _writes(approval, verb):
            return None
        operation, arguments = _operation(approval, verb), _arguments(approval, verb)
        outcome = await self._writes.perform(
            operation,
            arguments,
            project=approval.project,
            actor=approval.decided_by or "",
            key=approval.key(approval.attempt),
        )
        self._writes.wake(operation, arguments)
        return outcome

    async def _extend(self, approval: Approval, earlier: list[Vote]) -> Result:
        """A spend limit: extended once per card, whoever tries how often."""
        granted = await self._limits.granted(approval.id)
        for vote in earlier:
            if granted == approval.key(vote.attempt):
                return self._result(approval, vote.verb, None, vote)
        if approval.verb is None:
            raise NotPossible("Nobody has decided this.")
        if approval.verb is Verb.EXTEND and granted is None:
            await self._limits.extend(
                approval.id,
                key=approval.key(approval.attempt),
                folder=approval.folder,
                day=date.fromisoformat(approval.subject["day"]),
                amount=approval.subject["grant"],
                person=approval.decided_by or "",
            )
        return self._result(approval, approval.verb, None, None)

    def _result(self, approval: Approval, verb: Verb, outcome: Outcome | None, vote: Vote | None) -> Result:
        if outcome is not None and outcome.data.get("advanced") is False and approval.kind is Kind.GATE:
            return _still_blocked(approval, outcome)
        move, words = _MEANING[approval.kind, verb]
        return Result(
            move=move,
            outcome=words(approval.subject, outcome),
            data=None if outcome is None else {"text": outcome.text, "data": dict(outcome.data)},
            post=shorten(outcome.text, LIMIT) if verb is Verb.NEXT and outcome is not None else "",
            vote=vote,
        )


def _still_blocked(approval: Approval, outcome: Outcome) -> Result:
    """Past a pause stands a gate with checks of its own: now it is about overriding them."""
    evidence = outcome.data.get("evidence")
    checks = evidence_words(evidence) if isinstance(evidence, Mapping) else ()
    return Result(
        move=Move.FAIL,
        outcome="Approved, but the gate itself did not let it through. Approving now overrides it.",
        subject={**approval.subject, "cause": "block", "evidence": list(checks), "reason": ""},
    )


def _writes(approval: Approval, verb: Verb) -> bool:
    """Whether anything changes outside the approval itself."""
    if approval.kind is Kind.INTENT:
        return verb is Verb.APPROVE
    return (approval.kind, verb) in _OPERATIONS


def _operation(approval: Approval, verb: Verb) -> str:
    if approval.kind is Kind.INTENT:
        return str(approval.subject["operation"])
    return _OPERATIONS[approval.kind, verb]


def _asks_kernel(approval: Approval) -> str:
    """The operation its decision takes, if any."""
    if approval.verb is Verb.NEXT:
        return "next_work"
    if approval.verb is None or not _writes(approval, approval.verb):
        return ""
    return _operation(approval, approval.verb)


def _arguments(approval: Approval, verb: Verb) -> dict[str, Any]:
    subject = approval.subject
    if approval.kind is Kind.INTENT:
        return dict(subject["arguments"])
    reason = f"{PAST[verb].capitalize()} by {one_line(approval.decided_name, 40)} ({approval.decided_by})"
    if approval.kind is Kind.DISCOVERY:
        return {"discovery_id": subject["discovery"], "reason": one_line(reason, 200)}
    arguments = {"run_id": approval.run, "reason": one_line(reason, 200)}
    if approval.kind is Kind.GATE:
        arguments |= {"from_phase": subject["from"], "to_phase": subject["to"]}
    if verb is Verb.APPROVE:
        arguments |= {"cause": subject["cause"]}
    if verb is Verb.EXTEND:
        arguments |= {"tokens": subject["grant"]}
    return arguments


_OPERATIONS = {
    (Kind.GATE, Verb.APPROVE): "approve_gate",
    (Kind.GATE, Verb.REJECT): "reject_gate",
    (Kind.GATE, Verb.DEFER): "defer_gate",
    (Kind.BUDGET, Verb.EXTEND): "extend_budget",
    (Kind.BUDGET, Verb.CANCEL): "cancel_run",
    (Kind.DISCOVERY, Verb.PROMOTE): "promote_discovery",
    (Kind.DISCOVERY, Verb.DISMISS): "dismiss_discovery",
}

_Words = Callable[[Mapping[str, Any], Outcome | None], str]


def _passed(subject: Mapping[str, Any], outcome: Outcome | None) -> str:
    goal = quoted(subject["goal"])
    return f"{goal} is done." if subject["last"] else f"{goal} is in {one_line(subject['to'], 40)}."


def _stays(subject: Mapping[str, Any], outcome: Outcome | None) -> str:
    return f"{quoted(subject['goal'])} stays in {one_line(subject['from'], 40)}."


def _waits(subject: Mapping[str, Any], outcome: Outcome | None) -> str:
    return f"{quoted(subject['goal'])} waits in {one_line(subject['from'], 40)}. /approvals asks it again."


def _extended(subject: Mapping[str, Any], outcome: Outcome | None) -> str:
    if outcome is not None and outcome.data.get("extension", Extension.TOKENS) != Extension.TOKENS:
        return one_line(outcome.text, 400)
    return f"{quoted(subject['goal'])} may use {tokens(subject['grant'])} tokens more."


def _stopped(subject: Mapping[str, Any], outcome: Outcome | None) -> str:
    return f"{quoted(subject['goal'])} is stopped; its work stays."


def _executed(subject: Mapping[str, Any], outcome: Outcome | None) -> str:
    return one_line(outcome.text if outcome else "", 400)


def _promoted(subject: Mapping[str, Any], outcome: Outcome | None) -> str:
    issue = one_line(outcome.data.get("bead_id") or "", 60) if outcome else ""
    return f"{quoted(subject['goal'])} is {f'the issue {issue}' if issue else 'an issue now'}."


def _dismissed(subject: Mapping[str, Any], outcome: Outcome | None) -> str:
    return f"{quoted(subject['goal'])} is put aside for good."


def _put_off(subject: Mapping[str, Any], outcome: Outcome | None) -> str:
    return f"{quoted(subject['goal'])} comes again tomorrow."


def _asked(end: str) -> _Words:
    """What was asked, so that the card can be read a year later, and what came of it."""
    return lambda subject, outcome: f"{one_line(subject['asks'], 200)}: {end}"


def _nothing(subject: Mapping[str, Any], outcome: Outcome | None) -> str:
    return f"{one_line(subject['asks'], 200)}: nothing was done, the agent is told."


_MEANING: Mapping[tuple[Kind, Verb], tuple[Move, _Words]] = {
    (Kind.GATE, Verb.APPROVE): (Move.FINISH, _passed),
    (Kind.GATE, Verb.REJECT): (Move.FINISH, _stays),
    (Kind.GATE, Verb.DEFER): (Move.DEFER, _waits),
    (Kind.BUDGET, Verb.EXTEND): (Move.FINISH, _extended),
    (Kind.BUDGET, Verb.CANCEL): (Move.FINISH, _stopped),
    (Kind.INTENT, Verb.APPROVE): (Move.FINISH, _executed),
    (Kind.INTENT, Verb.REJECT): (Move.DROP, _nothing),
    (Kind.FINISHED, Verb.NEXT): (Move.FINISH, lambda subject, outcome: "The next work was asked for."),
    (Kind.PERMISSION, Verb.APPROVE): (Move.FINISH, _asked("the agent goes on, this once.")),
    (Kind.PERMISSION, Verb.REJECT): (Move.DROP, _asked("the agent was told no.")),
    (Kind.SPAWN, Verb.APPROVE): (Move.FINISH, _asked("the helper is started.")),
    (Kind.SPAWN, Verb.REJECT): (Move.DROP, _asked("no helper is started, the agent is told.")),
    (Kind.DISCOVERY, Verb.PROMOTE): (Move.FINISH, _promoted),
    (Kind.DISCOVERY, Verb.DISMISS): (Move.FINISH, _dismissed),
    (Kind.DISCOVERY, Verb.LATER): (Move.FINISH, _put_off),
    (Kind.SPEND, Verb.EXTEND): (
        Move.FINISH,
        lambda subject, outcome: extended(subject["goal"], subject["grant"]),
    ),
    (Kind.SPEND, Verb.CANCEL): (Move.FINISH, lambda subject, outcome: left_as_it_is(subject["goal"])),
}
