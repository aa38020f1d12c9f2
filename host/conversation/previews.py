"""Shows an answer while it grows, no more often than a chat bears: as a draft or by edits of a message."""

from collections.abc import Callable, Sequence

import structlog

from host.conversation.means import Means, in_group, spoken
from host.conversation.prompted import Prompted
from host.conversation.turns import Turn, answer_slot
from host.outgoing.contents import with_activity
from host.outgoing.outbox import PostKind
from storage.errors import StorageError

log = structlog.get_logger()

FIRST_PREVIEW = 1.0
PRIVATE_PACE = 1.0
GROUP_PACE = 3.0
#: seconds after which an unchanged draft is shown again: networks let it fade after half a minute
DRAFT_AGAIN = 20.0
_DRAFTS = 2**31 - 1


class Previews:
    """Of several prompts the first that is not done is shown. What is shown is never needed later."""

    def __init__(self, means: Means, turn: Callable[[], Turn], prompts: Sequence[Prompted]) -> None:
        self._means = means
        self._turn = turn
        self._prompts = prompts
        self._drafts = not in_group(turn())
        self._shown: tuple[int, str, str] | None = None
        self._shown_after = 0.0

    async def run(self) -> None:
        """Until cancelled."""
        pace = GROUP_PACE if in_group(self._turn()) else PRIVATE_PACE
        await self._means.clock.sleep(FIRST_PREVIEW)
        while True:
            prompted = next((each for each in self._prompts if not each.done), None)
            if prompted is not None:
                await self._look(prompted)
            await self._means.clock.sleep(pace)

    async def _look(self, prompted: Prompted) -> None:
        text, activity = prompted.so_far()
        now = self._means.clock.now().timestamp()
        seen = (prompted.place, text, activity)
        faded = self._drafts and now - self._shown_after >= DRAFT_AGAIN
        if (text or activity) and (seen != self._shown or faded):
            self._shown, self._shown_after = seen, now
            self._drafts = self._drafts and await self._draft(prompted, text, activity)
            if not self._drafts:
                await self._store(prompted, text, activity)

    async def _draft(self, prompted: Prompted, text: str, activity: str) -> bool:
        turn = self._turn()
        bridge = self._means.bridge(turn.address)
        if bridge is None:
            return False
        number = (turn.id.int + prompted.place) % _DRAFTS + 1
        try:
            return await bridge.draft(turn.address, number, with_activity(spoken(turn, text, None), activity))
        except Exception:  # a preview is not worth a turn
            log.exception("draft.failed", lane=turn.lane)
            return False

    async def _store(self, prompted: Prompted, text: str, activity: str) -> None:
        turn = self._turn()
        try:
            async with self._means.database.transaction() as conn:
                await self._means.outbox.put(
                    conn,
                    address=turn.address,
                    kind=PostKind.PREVIEW,
                    content=spoken(turn, text, prompted.ref),
                    folder=turn.folder,
                    slot=answer_slot(turn, prompted.place),
                    turn=turn.id,
                    activity=activity,
                )
        except StorageError as error:
            log.warning("preview.failed", lane=turn.lane, reason=str(error))
        else:
            self._means.outbox.wake(turn.address)
