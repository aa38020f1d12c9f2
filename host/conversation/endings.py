"""Ends turns that got no answer, and keeps what the host itself has to tell an agent."""

from bridges.messages import Content
from host.conversation.means import Means
from host.conversation.messages_store import HostWord, keep_host_message
from host.conversation.turns import Turn, TurnState, answer_slot
from host.outgoing.outbox import PostKind
from storage.database import Connection
from storage.ids import NewId


class Endings:
    """Writes what people and agents learn of a turn that nobody answers."""

    def __init__(self, means: Means, new_id: NewId) -> None:
        self._means = means
        self._new_id = new_id

    async def end(
        self, turn: Turn, state: TurnState, text: str = "", for_agent: str = "", *, error: str | None = None
    ) -> None:
        """End a turn without an answer, saying so in its place."""
        async with self._means.database.transaction() as conn:
            if text:
                await self.say(conn, turn, PostKind.ANSWER, text, answer_slot(turn, 0))
            if for_agent:
                word = HostWord(
                    lane=turn.lane,
                    folder=turn.folder,
                    address=turn.address,
                    text=for_agent,
                    tainted=turn.tainted,
                    quiet=True,
                )
                await self.tell_agent(conn, word)
            passed = await self._means.outbox.withdraw_passing(conn, turn.id)
            await self._means.turns.end(conn, turn, state, error and error[:500])
        for each in {turn.address, *passed}:
            self._means.outbox.wake(each)
        self._means.meter.count("turns.ended", state=state.value)

    async def say(self, conn: Connection, turn: Turn, kind: PostKind, text: str, slot: str) -> None:
        """Put a sentence of the host's into the turn's chat; wake the outbox after the commit."""
        await self._means.outbox.put(
            conn,
            address=turn.address,
            kind=kind,
            content=Content(text=text),
            folder=turn.folder,
            slot=slot,
            turn=turn.id if kind is PostKind.ANSWER else None,
        )

    async def tell_agent(self, conn: Connection, word: HostWord) -> None:
        """Let the lane's agent read something; then wake the lane."""
        await keep_host_message(conn, self._new_id(), word, self._means.clock.now())
