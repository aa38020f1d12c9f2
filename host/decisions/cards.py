"""Cards: what an approval looks like in every state. Pure: approval, people and time in, content out."""

import re
from dataclasses import dataclass
from datetime import datetime, tzinfo

from bridges.messages import Button, Content, Tone
from bridges.splitting import shorten, units
from host.decisions.approvals import HARMLESS, VERBS, Approval, Kind, State
from host.decisions.codes import Verb, button_data
from host.decisions.questions import context, question
from host.phrases import listed, one_line, quoted, sentence
from host.times import at_moment, moment, stamp

_RUN_AT_END = re.compile(r"\s*\(run ([\w-]{1,64})\)\.?$")
LIMIT = 4096  #: UTF-16 units of the smallest message any network takes
PAST = {
    Verb.APPROVE: "approved",
    Verb.REJECT: "rejected",
    Verb.DEFER: "deferred",
    Verb.EXTEND: "extended",
    Verb.CANCEL: "cancelled",
    Verb.NEXT: "asked for the next work after",
    Verb.PROMOTE: "promoted",
    Verb.DISMISS: "dismissed",
    Verb.LATER: "put off",
}
_SIGNS = {
    Verb.APPROVE: "✅",
    Verb.REJECT: "⛔",
    Verb.DEFER: "⏸️",
    Verb.EXTEND: "✅",
    Verb.CANCEL: "🛑",
    Verb.NEXT: "🏁",
    Verb.PROMOTE: "✅",
    Verb.DISMISS: "🗑️",
    Verb.LATER: "⏸️",
}
_LABELS = {Verb.VIEW: "VIEW RESULTS", Verb.NEXT: "START NEXT"}
_TONES = {
    Verb.APPROVE: Tone.GOOD,
    Verb.EXTEND: Tone.GOOD,
    Verb.PROMOTE: Tone.GOOD,
    Verb.REJECT: Tone.BAD,
    Verb.CANCEL: Tone.BAD,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What a card needs besides its approval."""

    group: str  #: the group's title; untrusted
    deciders: tuple[str, ...]  #: names of those who may decide; untrusted
    now: datetime
    zone: tzinfo
    project: str = ""  #: what its project is called, where there are several
    typed: bool = False  #: the network has no buttons: say what to reply


def card(approval: Approval, view: View) -> Content:
    """The card of an approval as it stands now."""
    if approval.state is State.PENDING:
        return _pending(approval, view)
    lines = [_ended(approval, view), *_rest(approval), *_context(approval), "", _small(approval, view)]
    return Content(text=_fit(lines), headline=True)


def _pending(approval: Approval, view: View) -> Content:
    asked = question(approval)
    error = [sentence(approval.error, 300)] if approval.error else []
    typed = [_typed(approval)] if view.typed else []
    lines = [asked.headline, *error, *asked.lines, *typed, "", _until(approval, view), _small(approval, view)]
    return Content(text=_fit(lines), headline=True, buttons=() if view.typed else (_buttons(approval),))


def _buttons(approval: Approval) -> tuple[Button, ...]:
    return tuple(
        Button(
            label=_LABELS.get(verb, verb.upper()),
            data=button_data(verb, approval.code),
            tone=_TONES.get(verb, Tone.PLAIN),
        )
        for verb in VERBS[approval.kind]
    )


def _typed(approval: Approval) -> str:
    *words, last = [f"{verb.upper()} {approval.code}" for verb in VERBS[approval.kind]]
    return f"Reply {', '.join(words)} or {last}."


def _until(approval: Approval, view: View) -> str:
    """Asked when, until when, by whom it is decided."""
    said = "Told" if approval.kind is Kind.FINISHED else "Asked"
    asked = f"{said} {stamp(approval.created_at, view.now, view.zone)}"
    parts = [asked, _expiry(approval, view), _deciders(approval, view)]
    return " · ".join(part for part in parts if part)


def _expiry(approval: Approval, view: View) -> str:
    if approval.expires_at is None or approval.kind is Kind.FINISHED:
        return ""
    what = "defers itself" if approval.kind in (Kind.GATE, Kind.BUDGET) else "expires"
    return f"{what} {at_moment(approval.expires_at, view.now, view.zone)}"


def _deciders(approval: Approval, view: View) -> str:
    if set(VERBS[approval.kind]) <= HARMLESS:
        return ""
    names = listed([one_line(name, 40) for name in view.deciders])
    return f"approvers: {names}" if names else "nobody may decide this yet: an owner must be set"


def _small(approval: Approval, view: View) -> str:
    about = [_named(approval), f"project {one_line(view.project, 80)}" if view.project else ""]
    return " · ".join([*filter(None, about), f"code {approval.code}"])


def _named(approval: Approval) -> str:
    if approval.kind is Kind.DISCOVERY:
        return f"discovery {one_line(approval.subject['discovery'], 64)}"
    run = approval.run or _outcome(approval).run
    return f"run {one_line(run, 64)}" if run else ""


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What the kernel answered, cut for a card: effect first, the rest below, the id in the small print."""

    effect: str
    rest: str = ""
    run: str = ""


def _outcome(approval: Approval) -> _Outcome:
    said = one_line(approval.outcome or "", 400)
    named = _RUN_AT_END.search(said)
    words = said[: named.start()] if named else said
    run = named.group(1) if named else ""
    for end in re.finditer(r"\.(?= )", words):
        effect = words[: end.end()]
        # A full stop inside a title is none.
        if effect.count("“") == effect.count("”") and effect.count('"') % 2 == 0:
            return _Outcome(effect, words[end.end() :].strip(), run)
    return _Outcome(words, run=run)


def _rest(approval: Approval) -> tuple[str, ...]:
    if approval.decided_by is None or approval.kind is Kind.FINISHED or approval.state is State.CLOSED:
        return ()  # nothing was cut off the first line
    rest = _outcome(approval).rest
    return (sentence(rest, 400),) if rest else ()


def _ended(approval: Approval, view: View) -> str:
    """The first line of a card that has no buttons."""
    outcome = sentence(approval.outcome or "", 400)
    if approval.kind is Kind.FINISHED and approval.state is not State.EXECUTING:
        return question(approval).headline
    if approval.state is State.EXECUTING:
        return f"⏳ Working: {decided(approval, view)}"
    if approval.state is State.CLOSED:
        return f"↪️ {outcome}"
    if approval.decided_by is None or approval.verb is None or approval.decided_at is None:
        return f"{'⏸️' if approval.state is State.DEFERRED else '⌛'} {outcome}"
    name = one_line(approval.decided_name or approval.decided_by, 40)
    when = stamp(approval.decided_at, approval.created_at, view.zone)
    effect = sentence(_outcome(approval).effect, 400)
    return f"{_SIGNS[approval.verb]} {PAST[approval.verb].capitalize()} by {name}, {when}: {effect}"


def _context(approval: Approval) -> tuple[str, ...]:
    said = context(approval)
    if approval.kind is Kind.FINISHED and approval.outcome:
        said = (*said, sentence(approval.outcome, 400))
    return said


def decided(approval: Approval, view: View) -> str:
    """`Ben approved this at 14:05.`: to whoever comes too late."""
    if approval.verb is None or approval.decided_at is None:
        return sentence(approval.outcome or "This is not open any more", 180)
    name = one_line(approval.decided_name or approval.decided_by, 40)
    return f"{name} {PAST[approval.verb]} this {at_moment(approval.decided_at, view.now, view.zone)}."


def too_late(approval: Approval, view: View) -> str:
    """What a tap on a card that is not open for it is told."""
    if approval.state is State.DEFERRED:
        return f"{sentence(decided(approval, view), 150)} /approvals asks it again."
    if approval.state is State.CLOSED:
        return sentence(approval.outcome or "This is closed.", 190)
    return sentence(decided(approval, view), 190)


def only_approvers(view: View) -> str:
    """Not entitled: who is."""
    group = quoted(view.group, 40)
    if not view.deciders:
        return f"Nobody may decide this yet: {group} has no owner or approver."
    return shorten(f"Only approvers of {group} decide this: {listed(view.deciders, 5)}.", 190)


OUT_OF_DATE = "This card is out of date; /approvals shows the open ones."


def deferred_by_itself(approval: Approval, view: View) -> str:
    when = _plain_stamp(approval, view)
    return f"Deferred by itself at {when}: nobody decided in time. /approvals asks it again."


def expired(approval: Approval, view: View) -> str:
    return f"Expired at {_plain_stamp(approval, view)}: nobody decided in time, so nothing was done."


def moved_on(phase: str, since: datetime | None, view: View) -> str:
    """The run is not where the card saw it."""
    when = f" since {moment(since, view.now, view.zone)}" if since else ""
    return f"The run has moved on: it is in {one_line(phase, 40)}{when}. Nothing was done."


def kernel_silent(tries: int, reason: str, view: View) -> str:
    until = stamp(view.now, view.now, view.zone)
    tried = f"Not done: the kernel did not answer (tried {tries} times until {until})."
    return f"{tried} {sentence(reason, 160)} Tap again to retry."


def _plain_stamp(approval: Approval, view: View) -> str:
    return stamp(view.now, approval.created_at, view.zone)


def _fit(lines: list[str]) -> str:
    """Everything together below the limit; the long middle gives way, first and last lines stay."""
    text = "\n".join(lines)
    while units(text) > LIMIT - 96 and len(lines) > 4:
        longest = max(range(1, len(lines) - 2), key=lambda index: units(lines[index]))
        lines = [*lines[:longest], *lines[longest + 1 :]]
        text = "\n".join(lines)
    return shorten(text, LIMIT)
