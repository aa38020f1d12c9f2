"""How much, how often and how long: the numbers of the service that an operator may set."""

from dataclasses import dataclass, field
from datetime import timedelta

MAX_BODY = 1 << 20  #: bytes of a request
MAX_FRAME = 32_768  #: bytes of a WebSocket frame: what the original's client reads at most


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Defaults are the original's, where it has the number at all."""

    reservations: int = 10  #: active ones of an agent in a project
    ttl: timedelta = timedelta(minutes=30)  #: of a reservation that names none
    longest_ttl: timedelta = timedelta(hours=24)
    grace: timedelta = timedelta(
        minutes=5
    )  #: without a sign of life an agent is gone, and its locks are freed
    sweep_every: timedelta = timedelta(seconds=15)
    waiting: int = 10  #: places of an agent in a project's wait queue
    broadcasts: int = 10  #: a minute and sender
    live: int = 10  #: a minute and pair of sender and recipient
    connections: int = 4096
    sockets: int = 2048
    listed_for: timedelta = timedelta(days=1)  #: after that silence an agent is no longer listed by default


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """What is kept for how many days; 0 keeps it for ever."""

    messages: int = 0
    events: int = 0
    reservations: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveRules:
    """Live delivery into terminals: off unless an operator turns it on."""

    enabled: bool = False
    #: foreground commands of a pane that may be typed into
    agents: tuple[str, ...] = field(default=("claude", "codex", "gemini"))
    socket: str = ""  #: of the tmux server; empty: tmux finds its own
