"""What the host needs of intermute, in the host's own words. Everything others wrote is untrusted.

All methods raise DemarchError with a sentence for the agent or person who asked.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from host.coordination.identity import Me


@dataclass(frozen=True, slots=True, kw_only=True)
class Fellow:
    """An agent of a project."""

    agent: str
    name: str
    project: str
    last_seen: datetime
    status: str = ""
    objective: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """Paths that somebody has reserved."""

    id: str
    agent: str
    name: str  #: what its agent is called, or its id
    project: str
    pattern: str
    exclusive: bool
    reason: str
    expires_at: datetime
    token: int = 0  #: grows with every grant; what is written with an older one is late
    ended: bool = False  #: it was given back
    waiting: bool = False  #: it is a place in line: not held yet, but before whoever asks now


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A message between agents."""

    id: str
    cursor: int
    sender: str
    to: Sequence[str]
    body: str
    sent_at: datetime
    subject: str = ""
    thread: str = ""
    importance: str = ""
    ack_required: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class NewLetter:
    to: Sequence[str]
    body: str
    cc: Sequence[str] = ()
    subject: str = ""
    thread: str = ""
    topic: str = ""
    importance: str = ""
    ack_required: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    cursor: int
    denied: Sequence[str] = ()  #: whose policy did not let it through


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    letters: Sequence[Letter]
    cursor: int  #: to read on from


@dataclass(frozen=True, slots=True, kw_only=True)
class Presentation:
    """What an agent says about itself."""

    capabilities: Sequence[str] = ()
    status: str = ""
    metadata: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    patterns: Sequence[str]
    exclusive: bool
    reason: str
    lasts: timedelta
    waits: timedelta = timedelta(0)  #: how long to stand in line where somebody is in the way


@dataclass(frozen=True, slots=True, kw_only=True)
class InLine:
    """Nothing is reserved yet; 1 is next."""

    place: int


class Coordination(Protocol):
    """intermute, as one of our containers may use it."""

    async def present(self, me: Me, presentation: Presentation) -> None: ...

    async def arrive(self, me: Me) -> None:
        """Be known there, without saying anything about oneself; cheap when it is already."""
        ...

    def alive(self, agents: Iterable[str]) -> None:
        """Signs of life of agents that are known there."""
        ...

    async def fellows(self, project: str) -> Sequence[Fellow]:
        """The agents with a recent sign of life, the latest first; a bounded number."""
        ...

    async def is_known(self, project: str, agent: str) -> bool:
        """Whether there is such an agent in the project, however long it has been silent."""
        ...

    async def send(self, me: Me, letter: NewLetter, key: str) -> Sent:
        """Once per key."""
        ...

    async def sent(self, me: Me, key: str) -> bool: ...

    async def inbox(self, me: Me, since: int, limit: int) -> Page: ...

    async def acknowledge(self, me: Me, letters: Sequence[str]) -> None: ...

    async def read(self, me: Me, letters: Sequence[str]) -> None: ...

    async def reserve(self, me: Me, wanted: Wanted, key: str) -> Sequence[Holding] | InLine:
        """All or nothing, once per key, which is the id of the (first) one or of the place.

        Raises `host.coordination.conflicts.Held`.
        """
        ...

    async def renew(self, me: Me, reservation: str, lasts: timedelta) -> Holding: ...

    async def reserved(self, me: Me, key: str) -> Holding | None: ...

    async def waits(self, me: Me, key: str) -> bool:
        """Whether it stands in line by this key."""
        ...

    async def leave_line(self, me: Me, patterns: Sequence[str] | None) -> Mapping[str, Sequence[str]]:
        """Give up the places for any of these patterns, or all; each with what it was for."""
        ...

    async def release(self, me: Me, reservation: str) -> None: ...

    async def conflicts(self, me: Me, patterns: Sequence[str], *, exclusive: bool) -> Sequence[Holding]:
        """Who stands in the way of these; the agent's own reservations do not."""
        ...

    async def holdings(self, project: str) -> Sequence[Holding]:
        """What is held in a project, the latest first; a bounded number."""
        ...

    async def own(self, me: Me) -> Sequence[Holding]:
        """What the agent holds."""
        ...

    async def known(self) -> Sequence[Me]:
        """Those of our containers that are known there."""
        ...

    async def forget(self, me: Me) -> None:
        """It is gone for good: its reservations are free, and it is not listed any more."""
        ...

    async def move(self, me: Me, now: Me) -> None:
        """It works on another project from now on: what it held in the old one is free."""
        ...
