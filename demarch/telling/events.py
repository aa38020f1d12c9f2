"""Events of the kernel's log in words, for people who ask what happened."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from demarch.kernel import KernelEvent
from demarch.notices import reason_words
from demarch.phrases import ago, one_line

_PHRASES: Mapping[str, str] = {
    "advance": "went from {0} to {1}",
    "override": "went from {0} to {1} although its gate was closed",
    "rollback": "went back from {0} to {1}",
    "skip": "will skip {1}",
    "block": "was held at the gate from {0} to {1}",
    "pause": "waits for a person between {0} and {1}",
    "cancel": "was cancelled in {0}",
    "set": "got new settings",
    "budget.warning": "nears its token budget",
    "budget.exceeded": "used up its token budget",
    "gate.rejected": "was turned down at the gate from {0} to {1}",
    "gate.deferred": "has a gate decision put off, from {0} to {1}",
    "discovery.submitted": "was registered",
    "discovery.deduped": "was found again",
    "discovery.promoted": "became an issue",
    "discovery.dismissed": "was dismissed",
}


def line(event: KernelEvent, now: datetime) -> str:
    """One event on one line."""
    phrase = _PHRASES.get(event.type)
    subject = "discovery" if event.source == "discovery" else "run"
    what = phrase.format(event.from_state, event.to_state) if phrase else event.type.replace("_", " ")
    actor = event.envelope.get("actor")
    by = f", by {one_line(str(actor), 80)}" if actor else ""
    why = f": {words}" if (words := reason_words(event)) else ""
    return f"{ago(now, event.timestamp)}{by}: {subject} {event.run_id} {what}{why}"


def listed(events: Sequence[KernelEvent], now: datetime) -> str:
    return "\n".join(line(event, now) for event in events) if events else "Nothing happened."
