"""What became of each thing that wanted out, for the record."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    SERVED = "served"
    MALFORMED = "malformed"  #: no request a proxy understands
    NOT_HTTPS = "not_https"  #: plain HTTP, or something else than TLS inside the tunnel
    NOT_ALLOWED = "not_allowed"  #: the group may not reach this host or port
    NOT_PUBLIC = "not_public"  #: the name leads to an address that is not on the open internet
    OTHER_HOST = "other_host"  #: TLS inside the tunnel asks for another host than the tunnel is for
    UNKNOWN = "unknown"  #: nobody knows the name
    UNREACHABLE = "unreachable"
    BUSY = "busy"  #: too many at once or in a minute
    SLOW = "slow"  #: it did not say what it wants


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """One attempt to get out, ended. Names are the agent's word unless it was served."""

    key: str  #: whose container
    verdict: Verdict
    host: str = ""
    port: int = 0
    address: str = ""
    sent: int = 0  #: bytes from the agent
    received: int = 0
    seconds: float = 0.0


#: told of every passage; quick and never failing
Watch = Callable[[Passage], None]
