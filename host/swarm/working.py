"""One helper's life: on record first, allowed by a person where that is needed, worked with, ended."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

import structlog

from container.sandbox import ContainerError
from host.decisions.approvals import Draft, Kind
from host.decisions.asking import Asking
from host.meter import Meter
from host.phrases import one_line, quoted, sentence
from host.record.audit import Audit
from host.swarm.helper import Helper, Stage, prompt
from host.swarm.port import Assignment, HelperPlaces
from host.tools.intents import Intent, Intents, IntentState
from host.tools.writing import Wish
from storage.clock import Clock
from storage.database import Connection, Database

log = structlog.get_logger()

NOT_ALLOWED = "No person allowed it, so it was not started."
ENDED = "The turn it worked for has ended, and so has it."


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Everything about one helper that is to be."""

    wish: Wish
    helper: Helper
    assignment: Assignment
    asks: (
        Callable[[list[str]], Draft] | None
    )  #: what a person is asked first, given who is in the conversation


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """A job that is on record."""

    job: Job
    intent: Intent
    draft: Draft | None


class Working:
    def __init__(
        self,
        *,
        database: Database,
        intents: Intents,
        audit: Audit,
        asking: Asking,
        clock: Clock,
        meter: Meter,
        seconds: float,
    ) -> None:
        self._database = database
        self._intents = intents
        self._audit = audit
        self._asking = asking
        self._clock = clock
        self._meter = meter
        self._seconds = seconds
        self._places: HelperPlaces | None = None

    def attach(self, places: HelperPlaces) -> None:
        self._places = places

    async def record(self, job: Job) -> Recorded | None:
        """Put the wish on record, before anything is done; None when its turn has ended."""
        turn = job.helper.errand.turn
        async with self._database.transaction() as conn:
            if not await self._intents.hold_turn(conn, turn):
                return None
            now = self._clock.now()
            intent = await self._intents.record(conn, turn.id, job.wish.operation, job.wish.arguments, now)
            names = await self._intents.names(conn, turn.asked_by)
            await self._note(conn, job, "helper.asked")
        return Recorded(job=job, intent=intent, draft=job.asks(names) if job.asks else None)

    async def run(self, recorded: Recorded) -> None:
        """Until the helper has ended, whichever way; it never raises but when it is cancelled."""
        helper = recorded.job.helper
        began = self._clock.now()
        try:
            await self._allowed_and_worked(recorded)
        except asyncio.CancelledError:
            helper.fail(ENDED)
            await self._ended(recorded)
            raise
        except Exception:
            log.exception("helper.failed", lane=recorded.job.wish.lane, name=helper.name)
            helper.fail("An internal fault; it is logged.")
        self._meter.count("helpers", ended=helper.stage.value)
        self._meter.observe("helpers.work", (self._clock.now() - began).total_seconds())
        await self._ended(recorded)

    async def _allowed_and_worked(self, recorded: Recorded) -> None:
        helper = recorded.job.helper
        if recorded.draft is not None:
            helper.stage = Stage.ASKING
            if not await self._asking.ask(recorded.draft):
                helper.fail(NOT_ALLOWED)
                return
            helper.stage = Stage.STARTING
        if not await self._in_time(self._work(recorded.job)):
            helper.fail(f"It worked for {self._seconds / 60:g} minutes, which is the most, and was ended.")

    async def _in_time(self, work: Coroutine[Any, Any, None]) -> bool:
        """Do it for as long as a helper may; False when it had to be cut off."""
        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(work)
            alarm = tasks.create_task(self._clock.sleep(self._seconds))
            await asyncio.wait({task, alarm}, return_when=asyncio.FIRST_COMPLETED)
            in_time = task.done()
            task.cancel()
            alarm.cancel()
        return in_time

    async def _work(self, job: Job) -> None:
        helper = job.helper
        if self._places is None:
            raise RuntimeError("nobody lends containers to helpers")
        try:
            async with self._places.helper(job.assignment) as agent:
                helper.stage = Stage.WORKING
                helper.finish(await agent.prompt(prompt(helper.errand), helper))
        except ContainerError as error:
            how = "It ended early." if helper.stage is Stage.WORKING else "It could not be started:"
            helper.fail(f"{how} {sentence(error, 300)}")

    async def _ended(self, recorded: Recorded) -> None:
        """What became of it, on record. The result itself is the caller's."""
        helper = recorded.job.helper
        done = helper.stage is Stage.DONE
        said = {"text": one_line("It gave its result." if done else helper.result, 300)}
        state = IntentState.EXECUTED if done else IntentState.FAILED
        try:
            async with self._database.transaction() as conn:
                await self._intents.end(conn, recorded.intent.id, state, said, self._clock.now())
                await self._note(conn, recorded.job, "helper.ended", how=helper.stage.value)
        except Exception:  # one helper's record must not end the others
            log.exception("helper.end_not_recorded", lane=recorded.job.wish.lane)

    async def _note(self, conn: Connection, job: Job, action: str, **more: Any) -> None:
        errand = job.helper.errand
        about = {"name": errand.name, "runtime": errand.runtime, "folder": errand.folder}
        await self._audit.record(
            conn, actor=job.wish.actor, action=action, detail=job.wish.record() | about | more
        )


def draft(helper: Helper, wish: Wish, lines: tuple[str, ...], names: list[str]) -> Draft:
    """The card a person decides about; the task stands on it as the helper would read it."""
    errand, turn = helper.errand, helper.errand.turn
    where = f", in {quoted(errand.folder)}" if errand.folder else ""
    return Draft(
        kind=Kind.SPAWN,
        folder=turn.folder,
        address=turn.address,
        lane=turn.lane,
        dedupe=f"spawn:{turn.id}:{turn.attempt}:{errand.number}:{errand.name.casefold()}",
        subject={
            "asks": f"start a helper {quoted(errand.name, 40)} ({one_line(errand.runtime, 40)}){where}",
            "operation": wish.operation,
            "arguments": dict(wish.arguments),
            "lines": list(lines),
            "asked_by": names,
            "tainted": turn.tainted,
        },
    )
