"""How an agent learns what became of what it asked for: a message of the host in its own conversation."""

from collections.abc import Mapping
from typing import Any, Protocol

from host.conversation.messages_store import HostWord
from host.decisions.approvals import Approval, State
from host.decisions.cards import PAST
from host.phrases import one_line, quoted, sentence
from storage.database import Connection


class AgentEar(Protocol):
    """What the desk needs of the lanes."""

    async def tell_agent(self, conn: Connection, word: HostWord) -> None:
        """Leave it a message, in the caller's transaction; a quiet one waits for the agent's next turn."""
        ...

    def wake(self, lane: str) -> None:
        """Have the agent read it now. After the commit."""
        ...


def outcome_for_agent(approval: Approval) -> str:
    """One sentence or two: what was asked, who decided, what came of it."""
    asked = f"Your request {quoted(approval.subject.get('asks', ''), 120)} (code {approval.code})"
    outcome = sentence(approval.outcome or approval.error or "", 600)
    if approval.state is State.PENDING:
        return f"{asked} was not carried out yet. {outcome}"
    if approval.verb is None or approval.decided_name is None:
        return f"{asked} is void. {outcome}"
    return f"{asked} was {PAST[approval.verb]} by {one_line(approval.decided_name, 40)}. {outcome}"


def details(approval: Approval) -> str:
    """Everything an agent wants to hand over, for the person who decides about it."""
    arguments: Mapping[str, Any] = approval.subject.get("arguments", {})
    lines = [f"{name}: {value}" for name, value in arguments.items()] or ["without any parameters"]
    return f"Code {approval.code}, {approval.subject.get('operation', 'request')}:\n" + "\n".join(lines)


class LaterEar:
    """Stands in for the lanes until they exist: they need the agents' tools, which need the desk."""

    def __init__(self) -> None:
        self._lanes: AgentEar | None = None

    def attach(self, lanes: AgentEar) -> None:
        self._lanes = lanes

    async def tell_agent(self, conn: Connection, word: HostWord) -> None:
        await self._attached.tell_agent(conn, word)

    def wake(self, lane: str) -> None:
        self._attached.wake(lane)

    @property
    def _attached(self) -> AgentEar:
        if self._lanes is None:
            raise RuntimeError("the lanes were not attached")
        return self._lanes
