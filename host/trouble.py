"""One notice about an agent that does not start: edited while it is tried again, gone when it has started."""

from dataclasses import dataclass

from bridges.messages import Content
from host.outbox import Outbox, PostKind
from host.sentences import never_started, not_started
from storage.database import Database


@dataclass(slots=True, kw_only=True)
class Trouble:
    """The notice of one lane's start."""

    database: Database
    outbox: Outbox
    slot: str
    folder: str
    address: str

    async def wait(self, reason: str, tried: int, of: int, pause: float) -> None:
        await self._tell(not_started(reason, tried, of, pause))

    async def give_up(self, reason: str, tries: int) -> None:
        await self._tell(never_started(reason, tries))

    async def pass_by(self) -> None:
        """It has started after all; the notice may be one of an earlier run."""
        async with self.database.transaction() as conn:
            told = await self.outbox.withdraw(conn, self.slot)
        if told is not None:
            self.outbox.wake(self.address)

    async def _tell(self, text: str) -> None:
        async with self.database.transaction() as conn:
            await self.outbox.put(
                conn,
                address=self.address,
                kind=PostKind.NOTICE,
                content=Content(text=text),
                folder=self.folder,
                slot=self.slot,
            )
        self.outbox.wake(self.address)
