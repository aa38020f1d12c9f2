"""What every turn needs."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from bridges.messages import Content, Markup
from bridges.port import ChatBridge
from container.agent import Permission, PermissionRequest
from container.broker.port import Trouble
from host.conversation.continuity import Continuity
from host.conversation.enclosing import Enclosing
from host.conversation.files_out import FilesOut
from host.conversation.images import Images
from host.conversation.turns import Turn, Turns
from host.meter import Meter
from host.outgoing.outbox import Outbox
from storage.clock import Clock
from storage.database import Database

Permit = Callable[[Turn, PermissionRequest], Awaitable[Permission]]
TroubleOf = Callable[[Turn], Trouble | None]  #: why the latest request of a turn to its model got no answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    database: Database
    turns: Turns
    outbox: Outbox
    continuity: Continuity
    permit: Permit
    enclosing: Enclosing
    files_out: FilesOut
    clock: Clock
    meter: Meter
    trouble: TroubleOf = lambda turn: None
    images: Images | None = None  #: None: what is missing stays missing
    bridges: Mapping[str, ChatBridge] = field(default_factory=dict)  #: by network, for drafts

    def bridge(self, address: str) -> ChatBridge | None:
        return self.bridges.get(address.partition(":")[0])


def spoken(turn: Turn, text: str, ref: str | None) -> Content:
    """An agent's words in the turn's chat: in a group they answer the message that asked."""
    return Content(text=text, markup=Markup.MARKDOWN, reply_to=ref if in_group(turn) else None)


def in_group(turn: Turn) -> bool:
    return not turn.private and not turn.address.startswith("web:")
