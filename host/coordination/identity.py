"""Who a container is among the agents of intermute, and in which of its projects it works."""

from dataclasses import dataclass
from pathlib import PurePath

from demarch.projects import Projects
from host.people.registry import Group

PREFIX = "intercom:"  #: how the ids of our containers begin; nobody else may speak for one
FALLBACK = "dev"  #: the project nobody named; also that of the first key intermute makes


@dataclass(frozen=True, slots=True, kw_only=True)
class Me:
    """The agent of one lane. A container cannot choose who it is: its socket says so."""

    agent: str
    name: str
    project: str


def agent_of(lane: str) -> str:
    """The id of a lane's agent. A folder has no colon in it, so no two lanes have one."""
    return PREFIX + lane.replace("/", ":", 1)


def lane_of(agent: str) -> str | None:
    """The lane of one of our containers; None for an agent from elsewhere."""
    if not agent.startswith(PREFIX):
        return None
    return agent.removeprefix(PREFIX).replace(":", "/", 1)


class Whereabouts:
    """Projects of intermute are names: those of the folders that groups work on."""

    def __init__(self, projects: Projects, default: str) -> None:
        """`default` is what the setting says; "" leaves it to the folder of the default project."""
        self._projects = projects
        self._default = default

    def project(self, group: Group | None) -> str:
        return self._named(group.project) if group is not None and group.project else self.default

    @property
    def default(self) -> str:
        return self._default or (self._named(self._projects.default) if self._projects.default else FALLBACK)

    def me(self, lane: str, group: Group) -> Me:
        return Me(agent=agent_of(lane), name=lane, project=self.project(group))

    def _named(self, key: str) -> str:
        """The folder's name; where two folders are called alike, with the one above: two are not one."""
        path = PurePath(key)
        alike = sum(PurePath(other).name == path.name for other in self._projects)
        return (path.name if alike <= 1 else "/".join(path.parts[-2:])) or FALLBACK
