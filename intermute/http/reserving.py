"""What a request to reserve, look up, renew or transfer says."""

from typing import Annotated

from pydantic import Field

from intermute.errors import InvalidRequest
from intermute.http.endpoint import Given
from intermute.http.fields import MOST, Cursor, Id, Limit, LimitMost, Line, Text
from intermute.limits import Limits
from intermute.reservations.claim import PATTERNS, Wanted

Paths = Annotated[list[Text], Field(max_length=PATTERNS)]


class Reserving(Given):
    """The original's names, and those of its own plans: `agent`, `path`, `glob_patterns`, `shared`."""

    id: Id = ""
    agent_id: Id = ""
    agent: Id = ""
    project: Id = ""
    path_pattern: Text = ""
    path: Text = ""
    patterns: Paths = Field(default_factory=list)
    glob_patterns: Paths = Field(default_factory=list)
    exclusive: bool | None = None
    shared: bool | None = None
    reason: Line = ""
    ttl_minutes: int = 0
    wait: bool = False
    wait_seconds: int = 0

    def wanted(self, project: str, limits: Limits) -> Wanted:
        """Raises InvalidRequest."""
        if self.shared is not None and self.exclusive is self.shared:
            raise InvalidRequest("It is either shared or exclusive.", code="shared_or_exclusive")
        single = [text for text in (self.path_pattern, self.path) if text]
        waiting = self.wait or self.wait_seconds > 0
        return Wanted(
            project=project,
            agent=self.agent_id or self.agent,
            patterns=(*single, *self.patterns, *self.glob_patterns),
            exclusive=bool(self.exclusive) if self.shared is None else not self.shared,
            reason=self.reason,
            ttl_minutes=self.ttl_minutes,
            id=self.id,
            wait_seconds=(self.wait_seconds if self.wait_seconds > 0 else _long(limits)) if waiting else 0,
        )


class Listing(Given):
    project: Id = ""
    agent: Id = ""
    cursor: Cursor = 0
    limit: LimitMost = MOST


class Checking(Given):
    """`exclusive` is true unless it is the word false. What `agent` holds itself is not in its way."""

    project: Id = ""
    pattern: Text = ""
    exclusive: Text = "true"
    agent: Id = ""


class Fencing(Given):
    project: Id = ""
    path: Text
    token: Annotated[int, Field(ge=0, le=2**63 - 1)]


class Renewing(Given):
    ttl_minutes: int = 0


class Transferring(Given):
    agent_id: Id = ""
    agent: Id = ""


class Lining(Given):
    project: Id = ""
    agent: Id = ""
    cursor: Cursor = 0
    limit: Limit = 100


def _long(limits: Limits) -> int:
    """As long as a reservation lasts by default: by then the one in the way is over, unless it is renewed."""
    return max(1, int(limits.ttl.total_seconds()))
