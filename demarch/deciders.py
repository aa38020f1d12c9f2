"""Who decided what, and why: the decisions of people among the events of a log. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from demarch.kernel import KernelEvent, Run
from demarch.notices import person_s_words
from demarch.phrases import one_line, quoted

MOST = 1000  #: events that are looked through

_PHRASES: Mapping[str, str] = {
    "advance": "let {about} go from {0} to {1}",
    "override": "let {about} go from {0} to {1} although its gate was closed",
    "gate.rejected": "turned {about} down at {gate}",
    "gate.deferred": "put off {about} at {gate}",
    "rollback": "took {about} back from {0} to {1}",
    "skip": "let {about} skip {1}",
    "cancel": "cancelled {about}",
    "run.cancelled": "cancelled {about}",
    "run.paused": "made {about} ask before every further phase",
    "run.resumed": "let {about} move on by itself again",
    "run.extended": "gave {about} more to use",
    "discovery.promoted": "made an issue of {about}",
    "discovery.dismissed": "put {about} aside",
}
#: what settings were changed, and how that is said of them
_SETTINGS = {
    "auto_advance=False": "run.paused",
    "auto_advance=True": "run.resumed",
    "token budget ": "run.extended",
}
#: of these only such as somebody gave a reason for: others the run did by itself
_BY_REASON = frozenset({"advance"})

Item = dict[str, Any]


def decisions(
    events: Iterable[KernelEvent], runs: Sequence[Run] = (), titles: Mapping[str, str] | None = None
) -> list[Item]:
    """Oldest first; `key` is the one of the write, so that whoever caused it knows it again."""
    goals = {run.id: run.goal for run in runs} | dict(titles or {})
    named = (_setting(event) if event.type == "set" else event for event in events)
    return [_item(event, goals) for event in named if _decides(event)]


def decision_of(payload: Mapping[str, Any], goal: str) -> Item:
    """A gate that was turned down or put off, as the kernel keeps the latest of a run."""
    about = quoted(goal) if goal else f"run {payload['run_id']}"
    phrase = _PHRASES[f"gate.{payload['decision']}"]
    return {
        "at": int(payload["at"]),
        "by": one_line(str(payload["by"]), 80),
        "what": phrase.format(about=about, gate=_gate(payload["from_phase"], payload["to_phase"])),
        "why": one_line(str(payload["reason"]), 300),
        "type": f"gate.{payload['decision']}",
        "about": str(payload["run_id"]),
        "key": str(payload.get("key", "")),
    }


def _setting(event: KernelEvent) -> KernelEvent:
    """Settings that people decide about: told as what was done with the run, and without the setting."""
    kind = next((name for words, name in _SETTINGS.items() if event.reason.startswith(words)), event.type)
    return replace(event, type=kind, reason=event.reason.partition(": ")[2])


def _decides(event: KernelEvent) -> bool:
    if event.type not in _PHRASES:
        return False
    return event.type not in _BY_REASON or bool(person_s_words(event))


def _gate(here: str, there: str) -> str:
    """What was only noted knows no phases: there stands who noted it."""
    return f"the gate from {here} to {there}" if here and there else "its gate"


def _item(event: KernelEvent, goals: Mapping[str, str]) -> Item:
    found = event.source == "discovery"
    name = goals.get(event.run_id) or (person_s_words(event) if found else "")
    kind = "discovery" if found else "run"
    about = quoted(name) if name else f"{kind} {event.run_id}"
    return {
        "at": int(event.timestamp.timestamp()),
        "by": one_line(str(event.envelope.get("actor", "")), 80),
        "what": _PHRASES[event.type].format(
            event.from_state, event.to_state, about=about, gate=_gate(event.from_state, event.to_state)
        ),
        # What a discovery's event gives as its reason is its title.
        "why": "" if found else person_s_words(event),
        "type": event.type,
        "about": event.run_id,
        "key": str(event.envelope.get("key", "")),
    }
