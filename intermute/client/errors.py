"""What a call to the service can raise, by what the caller can do about it.

ClientError
├── Unreachable              nobody answered in time: nothing is known; a write with an id may be repeated
├── Strange                  an answer, but not one of this service
└── Refused                  the service said no, and nothing was done
    ├── Invalid              400, 405, 413: the request itself is wrong
    ├── Unauthenticated      401
    ├── Forbidden            403
    │   └── PolicyDenied     no recipient takes messages from this sender
    ├── Missing              404
    ├── Conflict             409: an old version, an id that is taken
    │   └── ReservationConflict   somebody else holds what was asked for
    ├── Limited              429
    └── Unavailable          503: later again
"""

import json
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from intermute.client.shapes import Holding


class ClientError(Exception):
    """A call did not bring what it should."""


class Unreachable(ClientError):
    """No answer came. A write may have been done."""


class Strange(ClientError):
    """The answer cannot be understood."""


class Refused(ClientError):
    """`code` is the word for programs, `details` everything the answer said besides."""

    def __init__(self, status: int, code: str, message: str, details: Mapping[str, Any]) -> None:
        super().__init__(message or f"The service answered {status}.")
        self.status = status
        self.code = code
        self.details = dict(details)


class Invalid(Refused):
    """The request is wrong as it is."""


class Unauthenticated(Refused):
    """There is no key, or not one the service knows."""


class Forbidden(Refused):
    """This caller may not do that."""


class PolicyDenied(Forbidden):
    """`denied` are the recipients, none of whom takes messages from this sender."""

    @property
    def denied(self) -> list[str]:
        return [str(agent) for agent in self.details.get("denied", ())]


class Missing(Refused):
    """What the request names is not there."""


class Conflict(Refused):
    """Something that is there already is in the way."""


class ReservationConflict(Conflict):
    """`holdings` are the reservations in the way, with their holders."""

    @property
    def holdings(self) -> list[Holding]:
        try:
            return [Holding.model_validate(each) for each in self.details.get("conflicts", ())]
        except ValidationError as error:
            raise Strange("The conflicts cannot be understood.") from error


class Limited(Refused):
    """A limit of number or rate is reached."""

    @property
    def retry_after(self) -> int | None:
        return _seconds(self.details)


class Unavailable(Refused):
    """The service cannot do it now."""

    @property
    def retry_after(self) -> int | None:
        return _seconds(self.details)


_BY_CODE = {"policy_denied": PolicyDenied, "reservation_conflict": ReservationConflict}
_BY_STATUS: dict[int, type[Refused]] = {
    400: Invalid,
    401: Unauthenticated,
    403: Forbidden,
    404: Missing,
    405: Invalid,
    409: Conflict,
    413: Invalid,
    429: Limited,
    503: Unavailable,
}


def refused(status: int, content: bytes) -> Refused:
    """The error an answer stands for, whoever gave it."""
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        found = None
    details = found if isinstance(found, dict) else {}
    code, message = str(details.pop("error", "")), str(details.pop("message", ""))
    kind = _BY_STATUS.get(status, Refused)
    closer = _BY_CODE.get(code, kind)
    return (closer if issubclass(closer, kind) else kind)(status, code, message or code, details)


def _seconds(details: Mapping[str, Any]) -> int | None:
    seconds = details.get("retry_after")
    return seconds if isinstance(seconds, int) else None
