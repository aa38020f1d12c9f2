"""Who asks, as the credential says, and which project and agent that lets them speak for."""

from dataclasses import dataclass
from enum import Enum

from intermute.errors import InvalidRequest, NotAllowed


class Mode(Enum):
    LOCAL = "local"  #: a program on this machine, without a key
    KEY = "key"  #: somebody with the key of one project
    HOST = "host"  #: the host itself, for one of its containers


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """`agent` is what X-Agent-ID says (may be empty), `proven` the agent whose token or socket came along."""

    mode: Mode
    project: str = ""  #: the key's; for the host the container's; empty for a local program
    agent: str = ""
    proven: str = ""

    @property
    def bound(self) -> bool:
        """Whether this caller is held to one project."""
        return self.mode is not Mode.LOCAL

    def writing(self, project: str) -> str:
        """The project of a write whose body names one. Raises InvalidRequest, NotAllowed."""
        if self.bound and not project.strip():
            raise InvalidRequest("The request must name its project.", code="project_required")
        return self.only(project)

    def only(self, project: str) -> str:
        """The project a request is about: the caller's own where it names none. Raises NotAllowed."""
        if not self.bound:
            return project
        if project and project != self.project:
            raise NotAllowed("This key belongs to another project.", code="project_mismatch")
        return self.project

    def within(self, project: str) -> str:
        """Like `only`, where a bound caller's own project quietly wins."""
        return self.project if self.bound else project
