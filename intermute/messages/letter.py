"""A message as its sender gave it, and what became of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

ASYNC = "async"  #: into the inbox
LIVE = "live"  #: typed into the recipient's terminal, and nowhere else
BOTH = "both"
TRANSPORTS = (ASYNC, LIVE, BOTH)

MOST_RECIPIENTS = 1000
#: what is larger (in characters), or goes to more, is in no group: the others would wait for it
LARGE = 65_536
MANY = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """`denied` are those the sender named whom it may not write to; they are in no other list."""

    project: str
    id: str
    sender: str
    to: Sequence[str]
    cc: Sequence[str] = ()
    bcc: Sequence[str] = ()
    denied: Sequence[str] = ()
    thread_id: str = ""
    subject: str = ""
    topic: str = ""
    body: str = ""
    importance: str = ""
    transport: str = ASYNC
    ack_required: bool = False
    asked: bool = False  #: whether the recipients' policies have been asked
    bound: bool = False  #: whether the sender is held to the project, so that nobody elsewhere is meant

    @property
    def kinds(self) -> dict[str, str]:
        """Each recipient once, as what it was named first."""
        kinds = dict.fromkeys(self.to, "to")
        for kind, agents in (("cc", self.cc), ("bcc", self.bcc)):
            for agent in agents:
                kinds.setdefault(agent, kind)
        return kinds

    @property
    def large(self) -> bool:
        return len(self.body) > LARGE or len(self.to) + len(self.cc) + len(self.bcc) > MANY

    def without(self, denied: set[str]) -> "Letter":
        """The letter to everybody else, its policies asked."""

        def left(agents: Sequence[str]) -> Sequence[str]:
            return [agent for agent in agents if agent not in denied]

        return replace(
            self,
            to=left(self.to),
            cc=left(self.cc),
            bcc=left(self.bcc),
            denied=[agent for agent in self.kinds if agent in denied],
            asked=True,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """`delivery` says how the message went to each of those in `to`."""

    message_id: str
    cursor: int
    recipients: int = 0
    denied: Sequence[str] = ()
    delivery: Mapping[str, str] = field(default_factory=dict)
