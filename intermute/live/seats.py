"""Where the recipients of a message sit, and whether they can be typed to at this moment."""

from collections.abc import Sequence
from dataclasses import dataclass

from intermute.agents.agent import AT_PROMPT, focus
from storage import sql
from storage.clock import Clock
from storage.database import Database

_SQL = sql.load("intermute", "windows")


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """`target` is the place of its terminal; empty: it has none."""

    agent: str
    target: str
    focus: str

    @property
    def ready(self) -> bool:
        return self.focus == AT_PROMPT and bool(self.target)


class Seats:
    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    async def of(self, project: str, agents: Sequence[str], window: str = "") -> Sequence[Seat]:
        """The seat of each, in their order. A `window` that is none of theirs leaves them all without one."""
        now = self._clock.now()
        rows = await self._db.fetch(_SQL["windows.terminals"], project, list(agents), now, window)
        missing = bool(window) and all(row["window_uuid"] != window for row in rows)
        by_agent = {row["id"]: row for row in rows}
        return [
            Seat(
                agent=agent,
                target="" if missing else by_agent[agent]["tmux_target"] or "",
                focus=focus(by_agent[agent]["focus_state"] or "", by_agent[agent]["focus_at"], now),
            )
            for agent in agents
        ]
