"""Writes exactly once per key although the kernel shares no transaction with us: look, note, act, look again.

What is about to be done stands in the journal before the command runs. Whoever comes back to an entry without
an outcome, after a timeout, a crash or a second call, looks at what the kernel holds before anything is run.
"""

import asyncio
from collections.abc import Mapping
from datetime import timedelta

import structlog

from demarch.calls import parse
from demarch.cli.budgets import Extend
from demarch.cli.discoveries import Dismiss, Promote, Register
from demarch.cli.evidence import Astray, Declined, Deed, Said, Work
from demarch.cli.gates import Approve, Decide, Moves
from demarch.cli.journal import Attempt, Journal
from demarch.cli.orphans import at_work
from demarch.cli.process import Runner
from demarch.cli.starting import Start
from demarch.cli.steering import Cancel, Pace
from demarch.cli.tracking import Close, Create, Update
from demarch.errors import DemarchError, EvidenceUnknown, InvalidCall, KernelUnavailable, NotPossible
from demarch.kernel import Outcome
from demarch.operations import Call
from demarch.phrases import one_line
from storage.clock import Clock
from storage.database import Database

log = structlog.get_logger()

PATIENCE = timedelta(seconds=60)  #: for a command that outlived the program which ran it
_LOOK = 0.2  #: seconds
_UNENDING = "A command begun earlier still runs; nobody can say how it ends."


class Writes:
    """The write side of one project. One write at a time; projects run side by side."""

    def __init__(self, runner: Runner, db: Database, clock: Clock, project: str) -> None:
        self._runner = runner
        self._journal = Journal(db, clock, project)
        self._clock = clock
        self._deeds = _deeds(runner, clock)
        self._turn = asyncio.Lock()

    async def write(self, call: Call, *, actor: str, key: str) -> Outcome:
        """Execute once per key; a refused write leaves its key free. Raises DemarchError."""
        deed = self._deeds.get(call.operation.name)
        if deed is None:
            raise NotPossible(f"{call.operation.name} is not a write.")
        if not 1 <= len(key) <= 200:
            raise InvalidCall("A write needs a key of 1 to 200 characters.")
        async with self._turn:
            known = await self._journal.find(key)
            outcome = None if known is None else await self._looked(known)
            return outcome or await self._fresh(deed, call, one_line(actor, 200), key)

    async def written(self, key: str) -> Outcome | None:
        """What the key did, or None when it certainly did nothing."""
        async with self._turn:
            known = await self._journal.find(key)
            return None if known is None else await self._looked(known)

    async def _fresh(self, deed: Deed, call: Call, actor: str, key: str) -> Outcome:
        about = deed.about(call.params)
        for earlier in await self._journal.open_about(about) if about else ():
            await self._cleared(earlier)
        attempt = Attempt(
            key=key,
            operation=call.operation.name,
            about=about,
            params=call.params.model_dump(mode="json", exclude_unset=True),
            actor=actor,
            seen=await deed.see(call.params),
            begun_at=self._clock.now(),
        )
        await self._journal.begin(attempt)
        return await self._done(deed, _work(attempt, call), attempt)

    async def _cleared(self, earlier: Attempt) -> None:
        """Find out how an earlier write to the same thing ended while its traces are fresh."""
        try:
            await self._looked(earlier, told=False)
        except EvidenceUnknown as error:
            log.warning("write.unknown", operation=earlier.operation, about=earlier.about, why=str(error))
        except KernelUnavailable:
            raise
        except DemarchError as error:
            # Whoever comes back to that write is told, not whoever writes now.
            log.warning("write.refused", operation=earlier.operation, about=earlier.about, why=str(error))

    async def _done(self, deed: Deed, work: Work, attempt: Attempt) -> Outcome:
        try:
            said = await deed.act(work)
        except KernelUnavailable as error:
            log.warning("write.unsure", operation=attempt.operation, about=attempt.about, why=str(error))
            outcome = await self._proved(deed, work, attempt)
            if outcome is None:
                raise error.why if isinstance(error, Declined) else _not_done(error) from error
            return outcome
        except DemarchError:
            await self._journal.drop(attempt.key)
            raise
        outcome = await self._settled(deed, work, attempt, said)
        if outcome is None:
            raise KernelUnavailable("The kernel said it was done, but it is not to be found there.")
        return outcome

    async def _looked(self, attempt: Attempt, *, told: bool = True) -> Outcome | None:
        """The outcome of a write that was begun earlier, or None when it did not happen."""
        if attempt.outcome is not None:
            return attempt.outcome
        try:
            call = parse(attempt.operation, attempt.params)
        except InvalidCall as error:
            raise EvidenceUnknown(
                "Another version of this program began that write; a person must look."
            ) from error
        return await self._proved(self._deeds[attempt.operation], _work(attempt, call), attempt, told=told)

    async def _proved(self, deed: Deed, work: Work, attempt: Attempt, *, told: bool = True) -> Outcome | None:
        """What became of a command nobody heard the end of. It may still run, left behind by a crash."""
        patience = self._clock.now() + PATIENCE
        # Looked for before the kernel is: what is over by then shows there.
        while await at_work(self._runner.folder, work.name, attempt.about):
            if self._clock.now() >= patience:
                return await self._seen(deed, work, attempt)
            await self._clock.sleep(_LOOK)
        return await self._settled(deed, work, attempt, None, told=told)

    async def _seen(self, deed: Deed, work: Work, attempt: Attempt) -> Outcome:
        """What the kernel shows although the command does not end: only that it was done can be believed."""
        try:
            outcome = await deed.settle(work, None)
        except DemarchError as error:
            raise EvidenceUnknown(_UNENDING) from error
        if outcome is None:
            raise EvidenceUnknown(_UNENDING)
        await self._journal.finish(attempt.key, outcome)
        return outcome

    async def _settled(
        self, deed: Deed, work: Work, attempt: Attempt, said: Said | None, *, told: bool = True
    ) -> Outcome | None:
        """`told`: a refusal reaches the one whose write it was, so the entry may go."""
        try:
            outcome = await deed.settle(work, said)
        except KernelUnavailable:
            raise  # nobody knows yet: the entry stays, and whoever comes next looks again
        except DemarchError as error:
            if told and not isinstance(error, Astray):
                await self._journal.drop(attempt.key)
            raise
        if outcome is None:
            await self._journal.drop(attempt.key)
        else:
            await self._journal.finish(attempt.key, outcome)
        return outcome


def _work(attempt: Attempt, call: Call) -> Work:
    return Work(
        key=attempt.key,
        actor=attempt.actor,
        params=call.params,
        seen=attempt.seen,
        begun_at=attempt.begun_at,
    )


def _not_done(error: KernelUnavailable) -> KernelUnavailable:
    return KernelUnavailable(f"{error} Nothing was done.")


def _deeds(runner: Runner, clock: Clock) -> Mapping[str, Deed]:
    return {
        "create_issue": Create(runner),
        "update_issue": Update(runner),
        "close_issue": Close(runner, clock),
        "register_finding": Register(runner),
        "start_run": Start(runner),
        "approve_gate": Approve(runner, clock),
        "reject_gate": Decide(runner, clock, "rejected"),
        "defer_gate": Decide(runner, clock, "deferred"),
        "advance_phase": Moves(runner, clock),
        "pause_run": Pace(runner, clock, auto_advance=False),
        "resume_run": Pace(runner, clock, auto_advance=True),
        "cancel_run": Cancel(runner, clock),
        "extend_budget": Extend(runner, clock),
        "promote_discovery": Promote(runner),
        "dismiss_discovery": Dismiss(runner),
    }
