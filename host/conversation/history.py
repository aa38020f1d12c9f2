"""What an agent is told of a conversation it could not load; nobody can pass for somebody else in it."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from asyncpg.protocol import Record

from host.conversation.conversations import Standing
from host.conversation.prompting import attribute, escaped, stamp
from storage import sql
from storage.database import Database

_SQL = sql.load("host", "history")
TURNS = 20  #: told word by word where there is no summary
LAST_TURNS = 5  #: told word by word beside a summary, at least
LONGEST = 40_000  #: characters in all; the newest words that fit are told
LONGEST_WORDS = 4_000  #: of one message or answer
_ABOUT = (
    "Said here earlier, before you joined or while you were away. It is told for your knowledge; "
    "answer only what comes after it."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A text for an agent, and whether somebody without a right has a part in it."""

    text: str = ""
    tainted: bool = False


class History:
    """Reads turns back as words."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def last_turn(self, lane: str, conversation: UUID) -> UUID | None:
        """The newest ended turn of a conversation."""
        found: UUID | None = await self._database.fetchval(_SQL["history.last"], lane, conversation)
        return found

    async def unknown(self, lane: str, standing: Standing, *, but: UUID | None = None) -> Told:
        """What the session of `standing` does not know of its conversation, beside the turn `but`."""
        since = standing.conversation
        if standing.is_sessions and standing.last_turn is not None:
            since = standing.last_turn
        covered = standing.summed_up if standing.summary else None
        summary = standing.summary if covered is not None and covered > since else ""
        turns = await self._database.fetch(_SQL["history.turns"], lane, since, but, TURNS)
        if not turns:
            return Told()
        kept = turns
        if summary and covered is not None:
            kept = turns[: max(LAST_TURNS, sum(turn["id"] > covered for turn in turns))]
        ids = [turn["id"] for turn in kept]
        words = await self._database.fetch(_SQL["history.words"], ids, LONGEST_WORDS + 1)
        return Told(text=render(summary, words), tainted=turns[0]["any_tainted"])


def render(summary: str, words: Sequence[Record]) -> str:
    """One element: what it is, a summary of the older part if there is one, then who said what. Pure."""
    said = [_said(each) for each in words]
    kept: list[str] = []
    room = LONGEST
    for each in reversed(said):
        room -= len(each)
        if kept and room < 0:
            break
        kept.append(each)
    parts = [f"<about>{_ABOUT}</about>"]
    if summary:
        parts.append(f"<summary>{escaped(summary)}</summary>")
    if len(kept) < len(said):
        parts.append(f'<omitted messages="{len(said) - len(kept)}"/>')
    return "\n".join(["<conversation_history>", *parts, *kept[::-1], "</conversation_history>"])


def _said(words: Record) -> str:
    """One message, answer or word of the host; other names than in a prompt, where they ask for an answer."""
    text = words["text"]
    if len(text) > LONGEST_WORDS:
        text = f"{text[:LONGEST_WORDS]} …"
    time = f'time="{stamp(words["at"])}"'
    match words["source"]:
        case "agent":
            return f"<answered {time}>{escaped(text)}</answered>"
        case "host":
            code = f' code="{attribute(words["code"])}"' if words["code"] else ""
            return f"<told{code} {time}>{escaped(text)}</told>"
        case _:
            return f'<said sender="{attribute(words["name"])}" {time}>{escaped(text)}</said>'
