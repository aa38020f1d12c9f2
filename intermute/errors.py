"""How the coordination service refuses: one tree of errors, named by what the caller can do about them.

IntermuteError
├── InvalidRequest        the request is wrong; change it
│   └── TooLarge          it is larger than what is taken
├── NotAuthenticated      no credential, or none we know
├── NotAllowed            the credential is good, but not for this
├── NotFound              there is no such thing (in this project)
├── Conflict              the world is in the way: look at it again
├── LimitReached          too much, or too often; `retry_after` says when to come back, None: not by waiting
└── Unavailable           it cannot be done now; come back in `retry_after` seconds
    └── StorageDown       the database does not answer, or cannot keep anything

`code` is the word a program reads (JSON `error`), the message is for people (JSON `message`), `details` are
further members of the JSON answer.
"""

from collections.abc import Mapping
from typing import Any


class IntermuteError(Exception):
    """Nothing was done. The message is a sentence for whoever asked."""

    code = "failed"

    def __init__(self, message: str, *, code: str = "", details: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.code = code or type(self).code
        self.details = dict(details or {})


class InvalidRequest(IntermuteError):
    """The request itself is wrong."""

    code = "invalid_request"


class TooLarge(InvalidRequest):
    """The request is larger than what is taken."""

    code = "too_large"


class NotAuthenticated(IntermuteError):
    """There is no credential, or none we know."""

    code = "unauthorized"


class NotAllowed(IntermuteError):
    """The caller may not do this."""

    code = "forbidden"


class NotFound(IntermuteError):
    """What the request names does not exist, or not in this project."""

    code = "not_found"


class Conflict(IntermuteError):
    """Something that is there already is in the way."""

    code = "conflict"


class LimitReached(IntermuteError):
    """A limit of number or rate. `retry_after` is in seconds; None: waiting alone will not help."""

    code = "rate_limit"

    def __init__(
        self,
        message: str,
        *,
        retry_after: int | None = None,
        code: str = "",
        details: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message, code=code, details=details)
        self.retry_after = retry_after


class Unavailable(IntermuteError):
    """It cannot be done now. `retry_after` is in seconds."""

    code = "unavailable"

    def __init__(
        self, message: str, *, retry_after: int = 1, code: str = "", details: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(message, code=code, details=details)
        self.retry_after = retry_after


class StorageDown(Unavailable):
    """The database does not answer, or cannot keep anything."""

    code = "storage_unavailable"
