"""What a kernel cannot do, in sentences: for /status, the page, the checklist and the terminal."""

from collections.abc import Sequence

from demarch.kernel import Capabilities
from demarch.operations import OPERATIONS
from host.phrases import listed, sentence

NAMED = 4  #: operations that are called by name


def shortcomings(capabilities: Capabilities) -> Sequence[str]:
    """One sentence per reason, with what is not offered because of it, and one per note."""
    by_reason: dict[str, list[str]] = {}
    for operation, reason in capabilities.absent.items():
        by_reason.setdefault(reason, []).append(operation.replace("_", " "))
    said = [f"{sentence(reason)} {_without(names)}" for reason, names in by_reason.items()]
    return [*said, *(sentence(note) for note in capabilities.notes if note not in by_reason)]


def _without(names: Sequence[str]) -> str:
    if len(names) >= len(OPERATIONS):
        return "Until then agents have no tools for runs and issues."
    return f"Not offered until then: {listed(names, NAMED)}."
