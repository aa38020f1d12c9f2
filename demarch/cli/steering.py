"""Runs are paused, resumed and stopped. What such a command did shows in the run itself."""

from collections.abc import Mapping
from typing import Any

from demarch import parameters as takes
from demarch.cli import decided, runs
from demarch.cli.commands import command
from demarch.cli.evidence import Said, Work, done
from demarch.cli.history import history
from demarch.cli.parsing import Data, complaint, line_of, moment_of, number_of, plain, text_of
from demarch.cli.process import Runner
from demarch.cli.trail import newest
from demarch.errors import Conflict, EvidenceUnknown, NotPossible
from demarch.kernel import Outcome
from demarch.phrases import ago, quoted
from demarch.telling import runs as tell
from storage.clock import Clock


class Steering:
    """What pausing, resuming and stopping share."""

    def __init__(self, runner: Runner, clock: Clock) -> None:
        self._runner = runner
        self._clock = clock

    def about(self, params: takes.RunAction) -> str:
        return params.run_id.lower()

    async def see(self, params: takes.RunAction) -> Mapping[str, Any]:
        data = await self.active(params.run_id)
        events = await history(self._runner, text_of(data, "id"))
        return {"id": text_of(data, "id"), "phase": line_of(data, "phase"), "mark": newest(events)}

    async def active(self, run_id: str) -> Data:
        """The run, if something can still happen to it."""
        data = await runs.get(self._runner, run_id)
        if (status := line_of(data, "status")) != "active":
            then = moment_of(data, "completed_at") or moment_of(data, "updated_at")
            when = f" ({ago(self._clock.now(), then)})" if then else ""
            raise Conflict(f"The run {quoted(text_of(data, 'goal'))} is {status}{when}.", now=status)
        return data

    async def refuse(self, work: Work, why: str) -> NotPossible:
        """After a "no" of the kernel: the state of the run says why, or the kernel does."""
        data = await self.active(work.seen["id"])
        return NotPossible(f"The kernel refused it for {quoted(text_of(data, 'goal'))}: {why}.")

    async def announce(self, work: Work, how: str) -> None:
        phase = work.seen["phase"]
        made = decided.decision(work, how, work.seen["id"], phase, phase)
        await decided.announce(self._runner, f"run.{how}", made)


class Cancel(Steering):
    """Nothing brings a cancelled run back: one that was active before and is cancelled now was cancelled."""

    async def act(self, work: Work) -> Said | None:
        result = await done(self._runner, command("run.cancel", work.seen["id"]))
        if result.code:
            raise await self.refuse(work, complaint(result.out, result.err))
        return None

    async def settle(self, work: Work, said: Said | None) -> Outcome | None:
        data = await runs.get(self._runner, work.seen["id"])
        if text_of(data, "status") != "cancelled":
            return None
        await self.announce(work, "cancelled")
        answer = {"id": work.seen["id"], "status": "cancelled", "phase": line_of(data, "phase")}
        return Outcome(text=tell.cancelled(runs.run_of(data)), data=answer)


class Pace(Steering):
    """Whether a run moves on by itself."""

    def __init__(self, runner: Runner, clock: Clock, *, auto_advance: bool) -> None:
        super().__init__(runner, clock)
        self._auto_advance = auto_advance

    async def act(self, work: Work) -> Said | None:
        told = command("run.set", work.seen["id"], auto_advance=self._auto_advance)
        result = await done(self._runner, told)
        if result.code:
            raise await self.refuse(work, complaint(result.out, result.err))
        return {"updated": True} if plain(result.out) == "updated" else None

    async def settle(self, work: Work, said: Said | None) -> Outcome | None:
        data = await runs.get(self._runner, work.seen["id"])
        run = runs.run_of(data, await runs.usage(self._runner, data))
        if said is None and run.auto_advance is not self._auto_advance:
            await self._somebody_else(work)
            return None
        await self.announce(work, "resumed" if self._auto_advance else "paused")
        return Outcome(text=tell.paced(run), data=runs.run_data(data, run.used))

    async def _somebody_else(self, work: Work) -> None:
        """Unless the settings were touched since, ours was not set."""
        events = await history(self._runner, work.seen["id"])
        since = (event for event in events if number_of(event, "id") > work.seen["mark"])
        if any(line_of(event, "event_type") == "set" for event in since):
            raise EvidenceUnknown(
                "The settings of the run were changed in the meantime; "
                "nobody can say whether this was done before."
            )
