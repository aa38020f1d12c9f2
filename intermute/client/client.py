"""One way into the service: its rooms as attributes, for one project and, where given, one agent."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from intermute.client.agents import Agents
from intermute.client.entities import (
    Entities,
    Epic,
    Insight,
    Insights,
    Journey,
    Journeys,
    Session,
    Spec,
    Story,
    Task,
    Tasks,
)
from intermute.client.errors import ClientError
from intermute.client.events import Events, listening
from intermute.client.messages import Messages
from intermute.client.reservations import Reservations
from intermute.client.wire import Wire

URL = "http://127.0.0.1:7338"


class Client:
    """All calls raise ClientError; see `intermute.client.errors` for its branches."""

    def __init__(self, wire: Wire, project: str) -> None:
        self._wire = wire
        self._project = project
        self.agents = Agents(wire, project)
        self.messages = Messages(wire, project)
        self.reservations = Reservations(wire, project)
        self.specs = Entities(wire, project, Spec, "specs")
        self.epics = Entities(wire, project, Epic, "epics")
        self.stories = Entities(wire, project, Story, "stories")
        self.tasks = Tasks(wire, project, Task, "tasks")
        self.insights = Insights(wire, project, Insight, "insights")
        self.sessions = Entities(wire, project, Session, "sessions")
        self.journeys = Journeys(wire, project, Journey, "cujs")

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        url: str = URL,
        *,
        project: str = "",
        key: str = "",
        agent: str = "",
        token: str = "",
        socket: str = "",
    ) -> AsyncIterator["Client"]:
        """`agent` and `token` say and prove who speaks; `socket` is a Unix socket instead of the URL."""
        async with Wire.open(url, key=key, agent=agent, token=token, socket=socket) as wire:
            yield cls(wire, project)

    async def well(self) -> bool:
        """Whether the service answers and can do its work."""
        try:
            await self._wire.do("GET", "/health")
        except ClientError:
            return False
        return True

    def events(
        self, agent: str = "", *, since: int | None = None, types: Sequence[str] = ()
    ) -> AbstractAsyncContextManager[Events]:
        """What happens from now on, or since a cursor: to an agent and its project, or in the project."""
        return listening(self._wire, self._project, agent=agent, since=since, types=types)
