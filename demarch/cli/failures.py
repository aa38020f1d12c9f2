"""How a command fails to answer, told apart by whether it may have done something."""

from demarch.errors import KernelUnavailable


class NotStarted(KernelUnavailable):
    """The command was not even begun: no such binary, no such folder. Nothing has happened."""


class BrokeOff(KernelUnavailable):
    """The command began and did not end properly: too slow, killed, endless. It may have done its work."""


class Garbled(KernelUnavailable):
    """The command ended, and what it printed cannot be understood."""


class Failed(KernelUnavailable):
    """The command ended with an exit code that is no answer; `code` is that code."""

    def __init__(self, message: str, *, code: int) -> None:
        super().__init__(message)
        self.code = code
