"""What the server saw, with the moment it saw it (monotonic, the same in all processes)."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request, whatever became of it."""

    method: str
    params: dict[str, Any]
    at: float
    status: int  #: HTTP; 0 when the connection was dropped before the work was done


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A message the bot delivered or changed, as it was then."""

    method: str
    chat: int
    thread: int | None
    message_id: int
    text: str
    buttons: tuple[str, ...]  #: callback data
    at: float

    def wire(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What somebody who tapped was told. One per tap."""

    tap_id: str
    chat: int
    message_id: int
    user: int
    text: str
    alert: bool
    at: float

    def wire(self) -> dict[str, Any]:
        return asdict(self)
