"""The settings of intermute, the coordination service, inside the host and alone."""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, NonNegativeInt, PositiveFloat, PositiveInt, StringConstraints

from host.settings_pieces import Piece

_DAYS = Field(ge=0, le=36_500)


def _place(path: Path) -> Path:
    if not path.is_absolute():
        raise ValueError("it is the absolute path of a socket")
    return path


class RetentionSettings(Piece):
    """Days that are kept; 0 keeps for ever. What is older goes with `intercom intermute prune`."""

    messages: Annotated[int, _DAYS] = 0
    events: Annotated[int, _DAYS] = 0
    reservations: Annotated[int, _DAYS] = 0  #: that have ended


class LiveSettings(Piece):
    """Delivery into the terminals of agents."""

    enabled: bool = False
    #: foreground commands of a pane that is typed into
    agents: tuple[Annotated[str, Field(min_length=1, max_length=64)], ...] = ("claude", "codex", "gemini")
    per_minute: PositiveInt = 10  #: of one sender to one recipient
    socket: str = ""  #: of the tmux server; "" is the one tmux itself takes


class IntermuteSettings(Piece):
    enabled: bool = True  #: inside `intercom up`
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 7338  #: 0 takes any free one
    socket: Annotated[Path, AfterValidator(_place)] | None = None  #: a Unix socket besides
    keys_file: Path | None = None  #: see `host.coordination.rules.keys_file`
    #: what the project of groups that name none is called there; "" is the name of INTERCOM_PROJECT's folder
    project: Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)] = ""
    db_pool: Annotated[int, Field(ge=2, le=100)] = 8  #: connections to the database of its own
    connections: PositiveInt = 4096
    sockets: PositiveInt = 2048  #: WebSockets and event streams among them
    reservations: PositiveInt = 10  #: active ones of an agent in a project
    ttl: PositiveInt = 30 * 60  #: seconds of a reservation that names none
    longest_ttl: PositiveInt = 24 * 3600
    grace: PositiveFloat = 300.0  #: seconds without a sign of life until an agent's reservations are freed
    sweep_every: PositiveFloat = 15.0
    waiting: NonNegativeInt = 10  #: places of an agent in the queues of a project
    broadcasts: PositiveInt = 10  #: of one sender in a minute
    listed_for: PositiveFloat = 24 * 3600.0  #: seconds of silence until an agent is not listed any more
    live: LiveSettings = LiveSettings()
    retention: RetentionSettings = RetentionSettings()
