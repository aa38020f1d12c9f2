"""What the desk needs of the spending: extending a group's limit for a day, once per card."""

from datetime import date
from typing import Protocol
from uuid import UUID


class Limits(Protocol):
    async def granted(self, approval: UUID) -> str | None:
        """The key of the decision by which this approval extended a limit; None when none did."""
        ...

    async def extend(
        self, approval: UUID, *, key: str, folder: str, day: date, amount: int, person: str
    ) -> None:
        """Let the group spend more on that day. Raises NotPossible when the day is over."""
        ...
