"""The helpers of one turn of one lane."""

import asyncio
from collections.abc import Coroutine
from typing import Any
from uuid import UUID

from demarch.errors import NotPossible
from host.conversation.turns import Turn
from host.phrases import quoted
from host.swarm.helper import Helper


class Crew:
    """Knows who is in it and waits for them."""

    def __init__(self, turn: Turn) -> None:
        self.turn: tuple[UUID, int] = (turn.id, turn.attempt)
        self.helpers: dict[str, Helper] = {}
        self.tasks: set[asyncio.Task[None]] = set()

    def serves(self, turn: Turn | None) -> bool:
        return turn is not None and self.turn == (turn.id, turn.attempt)

    def name_for(self, wanted: str | None) -> str:
        """A name that nobody else has. Raises NotPossible when the wanted one is taken."""
        if wanted is not None and self.find(wanted) is not None:
            raise NotPossible(f"This turn has a helper {quoted(wanted)} already; give another name.")
        number = 1 + len(self.helpers)
        while wanted is None and self.find(f"Helper {number}") is not None:
            number += 1
        return wanted or f"Helper {number}"

    def start(self, tasks: asyncio.TaskGroup, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = tasks.create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        return task

    def find(self, name: str) -> Helper | None:
        return next((each for each in self.helpers.values() if each.name.casefold() == name.casefold()), None)

    def busy(self) -> list[Helper]:
        return [helper for helper in self.helpers.values() if not helper.over]

    def dismiss(self) -> None:
        for task in self.tasks:
            task.cancel()
