"""What an undecided card says, per kind: what it is about, what each button will do."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from demarch.kernel import Extension
from demarch.phrases import duration, tokens
from host.decisions.approvals import Approval, Kind
from host.phrases import listed, one_line, quoted, sentence
from host.spending.money import usd

EVIDENCE = 8  #: lines of evidence on a card
LINE = 240  #: UTF-16 units of one line of it

_CANCEL = "Cancel → the run stops; its work stays."
_TRIAGE = "Promote → it becomes an issue.  Dismiss → it is put aside for good. "
#: phases as something one does to a run
_STEPS = {
    "brainstorm-reviewed": "close the brainstorm of",
    "strategized": "strategize",
    "planned": "plan",
    "executing": "execute",
    "review": "review",
    "polish": "polish",
    "reflect": "reflect on",
    "done": "finish",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """The parts of an undecided card between its first line and the small print."""

    headline: str
    lines: tuple[str, ...]


def question(approval: Approval) -> Question:
    return _QUESTIONS[approval.kind](approval.subject)


def about(approval: Approval) -> str:
    """The thing itself, for sentences about it: `"refactor auth"`."""
    if approval.kind in (Kind.INTENT, Kind.PERMISSION, Kind.SPAWN):
        return quoted(approval.subject["asks"], 120)
    return quoted(approval.subject["goal"])


def context(approval: Approval) -> tuple[str, ...]:
    """What a decided card still says about why it was asked."""
    return _CONTEXTS[approval.kind](approval.subject)


def _gate(subject: Mapping[str, Any]) -> Question:
    here, there, goal = subject["from"], subject["to"], quoted(subject["goal"])
    step = _STEPS.get(there)
    asks = f"{step} {goal}?" if step else f"let {goal} go to {one_line(there, 40)}?"
    anyway = " anyway" if subject["cause"] == "block" else ""
    return Question(
        headline=f"🚪 Your decision: {asks}",
        lines=(
            *_why(subject),
            f"Approve → the run goes from {one_line(here, 40)} to {one_line(there, 40)}{anyway}.",
            f"Reject → it stays in {one_line(here, 40)}; it asks again only after a new attempt.",
        ),
    )


def _why(subject: Mapping[str, Any]) -> Sequence[str]:
    """The reason, and what is open: one check in its sentence, several below each other."""
    checks = [sentence(line, LINE) for line in subject["evidence"]]
    reason = sentence(subject["reason"], LINE)
    if not checks:
        return [reason] if reason else []
    if len(checks) == 1:
        return [line for line in (reason, f"One check is open: {checks[0]}") if line]
    shown = [f"· {line}" for line in checks[:EVIDENCE]]
    if len(checks) > EVIDENCE:
        shown.append(f"· … and {len(checks) - EVIDENCE} more")
    return [line for line in (reason, f"{len(checks)} checks are open:", *shown) if line]


def _budget(subject: Mapping[str, Any]) -> Question:
    return Question(
        headline=f"💰 Budget reached: {quoted(subject['goal'])} used {tokens(subject['used'])}"
        f" of {tokens(subject['budget'])} tokens",
        lines=(f"Extend → {_extension(subject)}.  {_CANCEL}",),
    )


def _extension(subject: Mapping[str, Any]) -> str:
    """What EXTEND does where the run lives: not every kernel can raise a budget."""
    grant, pace = subject["grant"], subject["pace"]
    match subject.get("extension", Extension.TOKENS):
        case Extension.FOLLOW_UP:
            budget = tokens(subject["budget"] + grant)
            return f"a new run with {budget} tokens goes on from where this one is, which ends"
        case Extension.DISPATCHES:
            return f"it may start {subject['percent']} % more agents"
    lasts = f", about {duration(grant / pace)} at this pace" if pace > 0 else ""
    return f"{tokens(grant)} more ({subject['percent']} %{lasts})"


def _finished(subject: Mapping[str, Any]) -> Question:
    return Question(
        headline=f"🏁 Done: {quoted(subject['goal'])} in {duration(subject['seconds'])},"
        f" {tokens(subject['used'])} tokens",
        lines=tuple(sentence(line, LINE) for line in subject["lines"]),
    )


def _intent(subject: Mapping[str, Any]) -> Question:
    return Question(
        headline=f"🙋 The agent asks: {one_line(subject['asks'], 200)}?",
        lines=(
            *_asked(subject),
            *(one_line(line, LINE) for line in subject["lines"][:EVIDENCE]),
            f"Approve → {_inside(subject['effect'])}  Reject → nothing happens; the agent is told.",
        ),
    )


def _asked(subject: Mapping[str, Any]) -> Sequence[str]:
    people = [one_line(name, 40) for name in subject["asked_by"]]
    said = [f"From a message of {listed(people)}."] if people else []
    if subject["tainted"]:
        said.append(
            "Careful: words of somebody without a role here, or of another agent, are in that conversation."
        )
    return [" ".join(said)] if said else []


def _permission(subject: Mapping[str, Any]) -> Question:
    return Question(
        headline=f"🙋 The agent's program asks: {one_line(subject['asks'], 200)}?",
        lines=(
            *_asked(subject),
            *subject["lines"],  # all of it, as it would run: made fit for a card when it was asked
            "Approve → it goes on, this once.  Reject → it is told no.",
        ),
    )


def _spawn(subject: Mapping[str, Any]) -> Question:
    return Question(
        headline=f"🙋 The agent asks: {one_line(subject['asks'], 200)}?",
        lines=(
            *_asked(subject),
            *subject["lines"],
            "Approve → it works in a container of its own.  Reject → the agent is told no.",
        ),
    )


def _spend(subject: Mapping[str, Any]) -> Question:
    grant, pace, model = subject["grant"], subject["pace"], one_line(subject["model"], 60)
    share = f"{subject['percent']} %" if subject["percent"] else "so that it fits"
    lasts = f", about {duration(grant / pace)} at this pace" if pace > 0 else ""
    return Question(
        headline=f"💰 Spend limit reached: {quoted(subject['goal'])} used {usd(subject['used'])}"
        f" of {usd(subject['limit'])} today",
        lines=(
            f"The next request to {model} may cost {usd(subject['needs'])}, so it was not made.",
            f"Extend → {usd(grant)} more today ({share}{lasts}); what was stopped can be asked again.",
            "Cancel → the limit stays; it counts anew at midnight.",
        ),
    )


def _discovery(subject: Mapping[str, Any]) -> Question:
    place = f" ({subject['number']} of {subject['total']})" if subject["total"] > 1 else ""
    return Question(
        headline=f"🔎 Worth an issue{place}: {quoted(subject['goal'])}?",
        lines=(*_found(subject), f"{_TRIAGE} Later → it comes again tomorrow."),
    )


def _found(subject: Mapping[str, Any]) -> tuple[str, ...]:
    """What is known of it: from whom, how relevant, what it says."""
    origin = f"Found by {one_line(subject['source'], 60)}" if subject["source"] else "Found"
    told = (sentence(subject["summary"], LINE), one_line(subject["url"], 300))
    return (f"{origin}, relevance {subject['score'] * 100:.0f} %.", *(line for line in told if line))


def _spend_context(subject: Mapping[str, Any]) -> tuple[str, ...]:
    return (f"{usd(subject['used'])} of {usd(subject['limit'])} were spent.",)


def _inside(text: object) -> str:
    """A sentence that continues another one."""
    words = sentence(text, LINE)
    return words[:1].lower() + words[1:]


def _gate_context(subject: Mapping[str, Any]) -> tuple[str, ...]:
    checks = [one_line(line, LINE).rstrip(".") for line in subject["evidence"][:3]]
    if not checks:
        return ()
    more = len(subject["evidence"]) - len(checks)
    rest = f"; {more} more" if more > 0 else ""
    return (f"Open then: {'; '.join(checks)}{rest}.",)


def _budget_context(subject: Mapping[str, Any]) -> tuple[str, ...]:
    return (f"{tokens(subject['used'])} of {tokens(subject['budget'])} tokens were used.",)


def _finished_context(subject: Mapping[str, Any]) -> tuple[str, ...]:
    return _finished(subject).lines


def _intent_context(subject: Mapping[str, Any]) -> tuple[str, ...]:
    """Who asked, and why: what was done is read a year later."""
    why = [one_line(line, LINE) for line in subject.get("lines", ()) if str(line).startswith("Reason: ")]
    return (*_asked(subject), *why)


_QUESTIONS: Mapping[Kind, Callable[[Mapping[str, Any]], Question]] = {
    Kind.GATE: _gate,
    Kind.BUDGET: _budget,
    Kind.FINISHED: _finished,
    Kind.INTENT: _intent,
    Kind.PERMISSION: _permission,
    Kind.SPEND: _spend,
    Kind.SPAWN: _spawn,
    Kind.DISCOVERY: _discovery,
}
_CONTEXTS: Mapping[Kind, Callable[[Mapping[str, Any]], tuple[str, ...]]] = {
    Kind.GATE: _gate_context,
    Kind.BUDGET: _budget_context,
    Kind.FINISHED: _finished_context,
    Kind.INTENT: _intent_context,
    Kind.PERMISSION: _intent_context,
    Kind.SPEND: _spend_context,
    Kind.SPAWN: _intent_context,
    Kind.DISCOVERY: _found,
}
