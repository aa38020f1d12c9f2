"""What an agent asks a person for, in the words of a card: the request, its parameters, its effect."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from demarch.calls import parse
from demarch.effects import effect
from demarch.kernel import Discovery, Run
from demarch.operations import OPERATIONS
from demarch.phrases import tokens
from host.coordination import requests as coordination
from host.coordination.calls import WRITES as COORDINATION
from host.phrases import one_line, quoted
from host.tools.writes import REGISTER_GROUP, ROUTE_REVIEW, SEND_MESSAGE

VALUE = 160  #: UTF-16 units of one parameter on the card; DETAILS shows everything


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    asks: str  #: continues "The agent asks: "
    effect: str  #: continues "Approve → "
    lines: tuple[str, ...]  #: the parameters that matter


def describe(operation: str, arguments: Mapping[str, Any], about: Run | Discovery | None) -> Request:
    """The request in words; `about` is the run or discovery it names, if the kernel could be asked."""
    if operation in COORDINATION:
        return Request(
            asks=coordination.asks(operation, arguments),
            effect=coordination.effect(operation, arguments),
            lines=coordination.lines(operation, arguments),
        )
    run = about if isinstance(about, Run) else None
    named = quoted(run.goal if run else arguments.get("run_id", "?"))
    named_by = ("title", "id", "to", "discovery_id")
    known = about.title if isinstance(about, Discovery) else ""
    title = quoted(known or next((arguments[name] for name in named_by if arguments.get(name)), "?"))
    asks = _ASKS.get(operation, "{operation}").format(run=named, title=title, operation=operation)
    return Request(asks=asks, effect=_effect(operation, arguments, run), lines=_lines(operation, arguments))


_ASKS = {
    "start_run": "start a run {title}",
    "approve_gate": "let {run} through its gate",
    "reject_gate": "turn {run} down at its gate",
    "defer_gate": "leave the gate of {run} for later",
    "advance_phase": "move {run} to its next phase",
    "pause_run": "make {run} ask before every further phase",
    "resume_run": "let {run} move on by itself again",
    "cancel_run": "stop {run} for good",
    "extend_budget": "give {run} more tokens",
    "create_issue": "create an issue {title}",
    "update_issue": "change the issue {title}",
    "close_issue": "close the issue {title}",
    "register_finding": "keep a finding {title}",
    "promote_discovery": "make an issue of the discovery {title}",
    "dismiss_discovery": "put the discovery {title} aside for good",
    SEND_MESSAGE: "write to the chat {title}",
    REGISTER_GROUP: "register a chat as the group {title}",
    ROUTE_REVIEW: "send what reviewers found to {title}",
}


def _effect(operation: str, arguments: Mapping[str, Any], run: Run | None) -> str:
    if operation == "start_run":
        return "the run starts now."
    if operation == SEND_MESSAGE:
        return "the message is sent."
    if operation == ROUTE_REVIEW:
        return "that group's chat and its agent read it."
    if operation == REGISTER_GROUP:
        return "an agent of its own listens there from now on."
    return effect(parse(operation, arguments), run)


def _lines(operation: str, arguments: Mapping[str, Any]) -> tuple[str, ...]:
    if operation == "start_run":
        return _run_lines(arguments)
    told = (
        {"run_id", "title", "id", "discovery_id", "from_phase", "to_phase", "cause"}
        if operation in OPERATIONS
        else {"to"}
    )
    shown = {name: value for name, value in arguments.items() if name not in told and value not in ("", None)}
    return tuple(f"{_name(name)}: {one_line(_value(value), VALUE)}" for name, value in shown.items())


def _run_lines(arguments: Mapping[str, Any]) -> tuple[str, ...]:
    budget = arguments.get("token_budget")
    parts = [
        f"budget {tokens(budget)} tokens" if budget else "no token budget",
        f"complexity {arguments.get('complexity', 3)}",
    ]
    if arguments.get("project"):
        parts.append(f"project {one_line(arguments['project'], 60)}")
    line = ", ".join(parts)
    described = one_line(arguments.get("description", ""), VALUE)
    return (f"{line[0].upper()}{line[1:]}.", *([f"Description: {described}"] if described else []))


def _name(name: str) -> str:
    words = name.replace("_", " ")
    return words[0].upper() + words[1:]


def _value(value: Any) -> str:
    return ", ".join(str(item) for item in value) if isinstance(value, (list, tuple)) else str(value)
