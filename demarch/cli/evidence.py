"""How a write is made sure of: what it looks at before, what it runs, what proves that it happened."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from demarch.cli.commands import Command
from demarch.cli.failures import Failed
from demarch.cli.marks import name_of
from demarch.cli.parsing import complaint
from demarch.cli.process import Result, Runner
from demarch.errors import Conflict, DemarchError, KernelUnavailable, NotFound, NotPossible
from demarch.kernel import Outcome

Said = Mapping[str, Any]  #: what a command that certainly did its work answered

_USAGE = 3  #: the exit code of `ic` for words it does not know; nothing was done then
_BUSY = re.compile(r"\b(?:locked|busy|timeout|timed out|another process)\b")


class Declined(KernelUnavailable):
    """The command ended with "no". Most likely nothing was done; `why` is to be said when that is sure."""

    def __init__(self, why: DemarchError) -> None:
        super().__init__(str(why))
        self.why = why


class Astray(Conflict):
    """Something else was done than was asked for, and cannot be undone: this key is spent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """One attempt at a write."""

    key: str
    actor: str
    params: Any  #: of the operation
    seen: Mapping[str, Any]  #: what `see` found before
    begun_at: datetime

    @property
    def name(self) -> str:
        """The key as it stands in the kernel."""
        return name_of(self.key)


class Deed(Protocol):
    """What one operation does to the kernel."""

    def about(self, params: Any) -> str:
        """The run, issue or discovery it changes; "" when it makes something new."""
        ...

    async def see(self, params: Any) -> Mapping[str, Any]:
        """What stands there now, as far as it matters later. Refuses what cannot be done."""
        ...

    async def act(self, work: Work) -> Said | None:
        """Run the commands. None: it ended well and did not say so.

        Raises KernelUnavailable where nobody knows yet, any other DemarchError when nothing was done.
        """
        ...

    async def settle(self, work: Work, said: Said | None) -> Outcome | None:
        """Look at what the kernel holds, finish what is half done, and tell it; None: it did not happen.

        With `said` it certainly did. Raises EvidenceUnknown when the kernel cannot say.
        """
        ...


async def done(runner: Runner, command: Command) -> Result:
    """Run a write of `ic` whose exit code is an answer. Raises what `Runner.ask` does."""
    try:
        return await runner.ask(command)
    except Failed as error:
        if error.code == _USAGE:
            raise NotPossible(str(error)) from error
        raise


async def filed(runner: Runner, command: Command) -> Result:
    """Run a write of `bd`, which says 1 to everything it did not do, and to some things it did."""
    result = await done(runner, command)
    if result.code:
        raise Declined(refusal(complaint(result.out, result.err)))
    return result


def refusal(why: str) -> DemarchError:
    """What a tracker's "no" means to the one who asked."""
    low = why.lower()
    if _BUSY.search(low):
        return KernelUnavailable(f"The tracker is busy; nothing was done ({why}).")
    if "not found" in low or "no issue" in low:
        return NotFound(f"The tracker does not find it: {why}.")
    return NotPossible(
        f"The tracker refused: {why.rstrip('.')}." if why else "The tracker refused, and did not say why."
    )
