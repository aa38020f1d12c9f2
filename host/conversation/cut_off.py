"""Turns that were cut off: run again what wrote nothing, never what wrote; then people are asked."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from host.conversation.sentences import ended, ended_for_agent, given_up, overdue, sent_by_tool
from host.conversation.talk import SILENCE
from host.conversation.turns import Turn, Turns

#: attempts of one turn in all, by what cut it off
ATTEMPTS_AFTER_RESTART = 3
ATTEMPTS_AFTER_DEATH = 2


class Cause(StrEnum):
    """What cut a turn off."""

    RESTART = "restart"  #: this program ended, or could not store how the turn went
    DEATH = "death"  #: the agent or its sandbox ended
    EXCESS = "excess"  #: the agent was ended because it took more than it may: it would again
    REFUSAL = "refusal"  #: the agent answered with an error
    SILENCE = "silence"  #: the agent was ended because nothing came from it


class Verdict(StrEnum):
    """What becomes of a turn that was cut off."""

    AGAIN = "again"
    ASK = "ask"
    GIVE_UP = "give_up"


@dataclass(frozen=True, slots=True, kw_only=True)
class CutOff:
    """A turn that still stands as running although nobody works on it."""

    turn: Turn
    cause: Cause
    reason: str = ""

    @property
    def why(self) -> str:
        """What people may be told about the agent's end, to stand within a sentence."""
        told = self.cause in {Cause.DEATH, Cause.EXCESS}
        return self.reason[:1].lower() + self.reason[1:] if told else ""


class Written(Protocol):
    """Knows what an agent has caused outside its sandbox; where the record is unsure it asks the kernel."""

    async def had_written(self, turn: UUID) -> list[str]:
        """One line per write of the turn that was executed or waits for a decision; empty when none was."""
        ...


def judge(cut_off: CutOff, done: Sequence[str]) -> Verdict:
    """The rule. Pure."""
    if done:
        return Verdict.ASK
    attempts = {Cause.RESTART: ATTEMPTS_AFTER_RESTART, Cause.DEATH: ATTEMPTS_AFTER_DEATH}
    return Verdict.AGAIN if cut_off.turn.attempt < attempts.get(cut_off.cause, 0) else Verdict.GIVE_UP


async def what_was_done(turn: Turn, written: Written, turns: Turns) -> list[str]:
    """Everything a repetition would do twice."""
    said = await turns.messages_said(turn)
    return [*await written.had_written(turn.id), *([sent_by_tool(said)] if said else [])]


def farewell_for_agent(cut_off: CutOff) -> str:
    """What the agent that is asked next reads: it may find what it began, and would go on with it."""
    return ended_for_agent(cut_off.why) if cut_off.cause is Cause.EXCESS else ""


def farewell(cut_off: CutOff) -> str:
    """What the chat reads when a turn is given up."""
    if cut_off.cause is Cause.SILENCE:
        return overdue(SILENCE / 60)
    if cut_off.cause is Cause.EXCESS:
        return ended(cut_off.why)
    reasons = {
        Cause.RESTART: "this program was restarted every time the agent worked on it",
        Cause.DEATH: cut_off.why or "the agent's sandbox ended while it worked on it",
        Cause.REFUSAL: f"the agent reported an error ({cut_off.reason})",
    }
    return given_up(reasons[cut_off.cause], cut_off.turn.attempt)
