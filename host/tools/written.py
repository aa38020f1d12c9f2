"""What a turn has caused outside its sandbox; where our record is unsure the kernel is asked."""

import asyncio
from contextlib import suppress
from uuid import UUID

import structlog

from demarch.errors import DemarchError
from host.phrases import one_line, sentence
from host.tools.intents import Intent, Intents, IntentState
from host.tools.underway import Underway
from host.tools.writes import SEND_MESSAGE, SPAWN_AGENT, Writes
from storage.clock import Clock
from storage.database import Database

log = structlog.get_logger()

PATIENCE = 30.0  #: seconds for writes that are under way


class WrittenRecord:
    """Answers, for a turn that was cut off, whether running it again would do something twice."""

    def __init__(
        self, *, database: Database, intents: Intents, writes: Writes, underway: Underway, clock: Clock
    ) -> None:
        self._database = database
        self._intents = intents
        self._writes = writes
        self._underway = underway
        self._clock = clock

    async def had_written(self, turn: UUID) -> list[str]:
        """One line per write that was executed, waits for a decision, or may have happened."""
        with suppress(TimeoutError):  # what hangs longer is asked of the kernel, or told as unknown
            async with asyncio.timeout(PATIENCE):
                await self._underway.quiet(turn)
        async with self._database.transaction() as conn:
            intents = await self._intents.of_turn(conn, turn)
        lines = [await self._line(intent) for intent in intents]
        return [line for line in lines if line]

    async def _line(self, intent: Intent) -> str:
        if intent.operation == SPAWN_AGENT:
            return ""  # a helper writes nothing but messages, and it ended with the turn
        if intent.state is IntentState.PENDING:
            return f"{_name(intent)} waits for a decision (code {intent.code})."
        if intent.state is IntentState.EXECUTED:
            # Messages are counted as posts of the turn by whoever asks.
            return "" if intent.operation == SEND_MESSAGE else _done(intent, intent.result or {})
        if intent.state is IntentState.RECORDED:
            return await self._resolved(intent)
        return ""

    async def _resolved(self, intent: Intent) -> str:
        """Recorded and then cut off: the kernel knows by the key, or nobody does."""
        try:
            outcome = await self._writes.written(
                intent.operation, intent.arguments, intent.key, project=intent.project
            )
        except DemarchError as error:
            log.warning("intent.unknown", operation=intent.operation, reason=str(error))
            return f"{_name(intent)}: nobody can say whether it was done ({one_line(error, 200)})."
        state = IntentState.FAILED if outcome is None else IntentState.EXECUTED
        result = {"text": "cut off before it was done"} if outcome is None else {"text": outcome.text}
        async with self._database.transaction() as conn:
            await self._intents.end(conn, intent.id, state, result, self._clock.now())
        return "" if outcome is None else _done(intent, result)


def _done(intent: Intent, result: object) -> str:
    text = result.get("text", "") if isinstance(result, dict) else ""
    return sentence(text, 200) or f"{_name(intent)} was done."


def _name(intent: Intent) -> str:
    words = intent.operation.replace("_", " ")
    return f"{words[0].upper()}{words[1:]}"
