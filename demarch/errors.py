"""How Demarch refuses: one tree of errors, named by what the caller can do about them.

DemarchError
├── InvalidCall          the caller must change the call (unknown operation, wrong parameters)
├── NotFound             no such run, issue, artifact, discovery
├── Conflict             the world has moved: the thing is no longer in the state the caller saw
├── NotPossible          this kernel or this state cannot do it; trying again will not help
└── KernelUnavailable    the kernel did not answer; nothing is known to have happened
    ├── EvidenceUnknown  nobody can say whether the write happened
    └── LogWentBack      the event log was set back behind what was read of it
"""

from collections.abc import Mapping


class DemarchError(Exception):
    """An operation was not executed. The message is a sentence for the person or agent who asked."""


class InvalidCall(DemarchError):
    """The call itself is wrong: unknown operation or parameters that do not fit."""


class NotFound(DemarchError):
    """What the call names does not exist."""


class Conflict(DemarchError):
    """The world moved since the caller looked. `now` is where it stands (a phase, a status).

    Mostly nothing was done; where something was (and undone again, or not), the message says what.
    """

    def __init__(self, message: str, *, now: str = "", untouched: bool = True) -> None:
        super().__init__(message)
        self.now = now
        self.untouched = untouched


class NotPossible(DemarchError):
    """Refused for a reason that trying again will not change."""


class KernelUnavailable(DemarchError):
    """The kernel did not answer in time or at all."""


class EvidenceUnknown(KernelUnavailable):
    """Whether a write happened cannot be found out; a person must look."""


class LogWentBack(KernelUnavailable):
    """What was read of the event log is not in it any more: the kernel was restored to an older state.

    `marks` is where to read on: what happened after the last event that was read lies behind it.
    """

    def __init__(self, message: str, *, marks: Mapping[str, int]) -> None:
        super().__init__(message)
        self.marks = marks
