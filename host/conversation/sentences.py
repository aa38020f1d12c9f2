"""What the host says in a conversation in its own name: what did not happen, why, and what to do."""

from collections.abc import Sequence

from host.phrases import count, sentence

STOPPED = "Stopped."
DECLINED = "The agent declined to answer this."
LIMITED = "(The agent reached a limit of its own and stopped here.)"
TOO_LONG = "(The answer was longer than is kept; its end is missing.)"
DIED = "The agent's sandbox ended while it worked on your message; it starts again now."

READ_ALREADY = "Read: it goes into the answer under way."


def queued(number: int) -> str:
    """Said of messages that arrive while the agent is busy."""
    if number == 1:
        return "Queued: read after this answer."
    return f"Queued: {number} messages, read after this answer."


def not_read(refused: Sequence[tuple[str, str]]) -> str:
    """Files that the agent does not get; each with the reason."""
    return " ".join(sentence(f"Not read: “{name}”, {reason}", 300) for name, reason in refused)


def not_sent(name: str, reason: str) -> str:
    return sentence(f"The agent's file “{name}” was not sent: {reason}", 300)


def left_behind(number: int) -> str:
    files = "1 more file comes" if number == 1 else f"{number} more files come"
    return f"{files} with the agent's next answer."


def not_started(reason: str, tried: int, of: int, pause: float) -> str:
    return (
        f"The agent could not be started: {sentence(reason, 500)} "
        f"Your message is kept; try {tried + 1} of {of} begins in {pause:g} s."
    )


def making_image(runtime: str, step: str) -> str:
    return (
        f"The image of the agent “{runtime}” is built now, once; "
        "your message is kept and answered after it.\n"
        f"{sentence(step, 200)}"
    )


def never_started(reason: str, tries: int) -> str:
    return (
        f"Not answered: the agent could not be started in {count(tries, 'try').replace('trys', 'tries')}. "
        f"{sentence(reason, 500)} When that is mended, write again."
    )


def cut_off(done: Sequence[str], why: str = "") -> str:
    """A turn that had written already: it is not repeated, people say how to go on."""
    lines = "\n".join(f"• {sentence(each, 200)}" for each in done)
    reason = f"Why: {sentence(why, 500)}\n" if why else ""
    return (
        "The agent was cut off in the middle of this, after something had been done:\n"
        f"{lines}\n{reason}"
        "None of it is repeated by itself. How shall it go on? Write “continue”, or what you want instead."
    )


def cut_off_for_agent(done: Sequence[str]) -> str:
    """The same for the agent that is asked next and remembers nothing of it."""
    lines = "; ".join(sentence(each, 200) for each in done)
    return (
        f"An earlier turn was cut off. Done in it, not to be repeated: {lines} People were asked what next."
    )


def given_up(reason: str, attempts: int) -> str:
    return (
        f"Not answered: {sentence(reason, 500)} It was tried {_times(attempts)}. "
        "Nothing was changed. Write again to try once more, or /reset for a new conversation."
    )


def ended(reason: str) -> str:
    """An agent that took more than it may; the reason says what to do."""
    return f"Not answered: {sentence(reason, 500)}"


def ended_for_agent(reason: str) -> str:
    """The same for the agent that is asked next."""
    return (
        f"The turn before this was not answered: {sentence(reason, 500)} People know. "
        "Do not begin the same again unless they ask for it."
    )


def overdue(minutes: float) -> str:
    return (
        f"Not answered: the agent was silent for {minutes:g} minutes and was ended. "
        "Write again to try once more, or ask for a smaller step."
    )


def sent_by_tool(number: int) -> str:
    return f"{count(number, 'message')} sent to this chat"


def _times(number: int) -> str:
    return {1: "once", 2: "twice"}.get(number, f"{number} times")
