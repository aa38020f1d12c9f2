"""A turn as a generator: from a prompt to the steps that answer it. Who runs it does the input and output."""

from collections.abc import Generator

from . import phrases
from .intents import Arguments, Intent
from .others import plain
from .prompts import intents
from .tools import Answer

#: tools that need to know which run is meant; without a name it is the current one
_ABOUT_A_RUN = frozenset(
    f"demarch_{name}"
    for name in (
        "approve_gate",
        "reject_gate",
        "defer_gate",
        "advance_phase",
        "pause_run",
        "resume_run",
        "cancel_run",
        "extend_budget",
    )
)


class Say:
    """Show people a piece of text."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text


class Call:
    """Call a tool; the generator is sent its Answer."""

    __slots__ = ("arguments", "title", "tool")

    def __init__(self, tool: str, title: str, arguments: Arguments) -> None:
        self.tool = tool
        self.title = title
        self.arguments = arguments


class Pause:
    """Let some time pass."""

    __slots__ = ("seconds",)

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds


Steps = Generator[Say | Call | Pause, Answer | None, None]


def answer(prompt: str) -> Steps:
    """Answer each sentence in turn, with an empty line between the answers."""
    apart = ""
    for intent in intents(prompt):
        if apart:
            yield Say(apart)
        apart = "\n\n"
        yield from _one(intent)


def _one(intent: Intent) -> Steps:
    if intent.kind == "help":
        yield Say(phrases.HELP)
    elif intent.kind == "wait":
        yield from _wait(intent.seconds)
    elif intent.kind == "call":
        yield from _call(intent)
    else:
        yield Say(phrases.UNKNOWN)


def _call(intent: Intent) -> Steps:
    if intent.tool in _ABOUT_A_RUN and "run_id" not in intent.arguments:
        found = yield Call("demarch_run_status", phrases.STATUS, {})
        run = _current(found)
        if run is None:
            yield Say(found.text if found and found.failed else phrases.NO_RUN)
            return
        intent.arguments["run_id"] = run
    told = yield Call(intent.tool, intent.title, intent.arguments)
    if told is not None and (told.failed or told.data.get("status") != "pending"):
        # What waits for a person is on a card in the same chat: saying it again would only be noise.
        yield Say(plain(told.text))


def _current(status: Answer | None) -> str | None:
    """The id in what the status tool said, as a field of its own or of the run."""
    if status is None or status.failed:
        return None
    run = status.data.get("run")
    for place in (status.data, run if isinstance(run, dict) else {}):
        for name in ("run_id", "id"):
            if isinstance(place.get(name), str):
                return str(place[name])
    return None


def _wait(seconds: float) -> Steps:
    """A line that grows, so that a long turn can be watched, followed up and cancelled."""
    yield Say(phrases.waiting(seconds))
    while seconds > 0:
        step = min(1.0, seconds)
        yield Pause(step)
        yield Say(".")
        seconds -= step
    yield Say(" done.")
