"""What the broker must know of a provider's API: its routes, its bodies, its errors, how it counts."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from container.agent import ModelApi
from container.broker.checked import Checked
from container.broker.counting import Counter
from container.broker.port import Grant
from container.broker.values import Json

#: what a request keeps of its headers, whichever API it is for
COMMON_HEADERS = frozenset({"content-type", "accept", "user-agent"})
LONGEST_HEADER = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Where a request goes below the provider's base URL."""

    path: str
    query: Mapping[str, str]
    model: str = ""  #: "" when the body names it
    priced: bool = True  #: False: the provider asks no money for it
    streamed: bool = False  #: True when the path says so


class Dialect(Protocol):
    """One API. Everything here is pure."""

    @property
    def api(self) -> ModelApi: ...

    def route(self, path: str, query: Mapping[str, str]) -> Route | None:
        """Where a POST to `path` (below the API's own prefix) goes; None: nowhere."""
        ...

    def headers(self, given: Mapping[str, str], grant: Grant) -> dict[str, str]:
        """What is passed on of the container's headers; the names in `given` are in lower case."""
        ...

    def check(self, route: Route, body: Json, grant: Grant, *, depth: int) -> Checked:
        """Raises NotAllowed. `body` may be changed."""
        ...

    def bound(self, body: Json, most: int) -> None:
        """Let the answer be so many tokens long at most, thoughts included."""
        ...

    def counter(self) -> Counter:
        """Reads the usage out of an answer as it passes by."""
        ...

    def error(self, sentence: str, status: int) -> bytes:
        """The body of an answer that tells an error."""
        ...

    def error_event(self, sentence: str) -> bytes:
        """The same within a stream of events; it ends the stream."""
        ...


def passed_on(given: Mapping[str, str], known: frozenset[str]) -> dict[str, str]:
    """The headers among `given` that are known and not too long."""
    return {
        name: value
        for name, value in given.items()
        if name in known and len(value) <= LONGEST_HEADER and value.isprintable()
    }
