"""Says in words why the provider gave no answer: what did not happen, why, and what to do."""

from container.broker.port import Trouble, TroubleKind

LONGEST_QUOTE = 200


def credential(title: str, why: str) -> Trouble:
    return Trouble(kind=TroubleKind.CREDENTIAL, sentence=f"{title} was not asked: {why}.")


def refused_key(title: str, status: int) -> Trouble:
    return Trouble(
        kind=TroubleKind.CREDENTIAL,
        sentence=f"{title} gave no answer: it does not accept our key ({status}). "
        "An owner checks the key and what it may do, then starts the host again.",
    )


def exhausted(title: str, quote: str) -> Trouble:
    return Trouble(
        kind=TroubleKind.CREDENTIAL,
        sentence=f"{title} gave no answer: the account behind our key has no credit left"
        f"{_quoted(quote)}. An owner tops it up with the provider.",
    )


def limited(title: str, wait: float | None, tries: int) -> Trouble:
    when = f"in {span(wait)}" if wait else "in a few minutes"
    return Trouble(
        kind=TroubleKind.LIMITED,
        sentence=f"{title} gave no answer: it gets too many requests from us ({_times(tries)}). "
        f"Ask again {when}.",
    )


def overloaded(title: str, status: int, tries: int) -> Trouble:
    return Trouble(
        kind=TroubleKind.OVERLOADED,
        sentence=f"{title} gave no answer: it is overloaded or broken at the moment ({status}, "
        f"{_times(tries)}). Ask again in a few minutes.",
    )


def unreachable(title: str, tries: int) -> Trouble:
    return Trouble(
        kind=TroubleKind.UNREACHABLE,
        sentence=f"{title} gave no answer: this machine could not reach it ({_times(tries)}). "
        "Check the network of the host, or ask again in a minute.",
    )


def silent(title: str, seconds: float) -> Trouble:
    return Trouble(
        kind=TroubleKind.TIMEOUT,
        sentence=f"{title} gave no answer: it said nothing for {span(seconds)}. "
        "Ask again, or in smaller steps.",
    )


def too_long(title: str, seconds: float) -> Trouble:
    return Trouble(
        kind=TroubleKind.TIMEOUT,
        sentence=f"The answer of {title} was cut off: it took longer than {span(seconds)}. "
        "Ask for it in smaller steps, or let an owner raise the limit.",
    )


def broken(title: str) -> Trouble:
    return Trouble(
        kind=TroubleKind.UNREACHABLE,
        sentence=f"The answer of {title} broke off: the connection ended midway. Ask again.",
    )


def told(title: str, quote: str) -> Trouble:
    return Trouble(
        kind=TroubleKind.OVERLOADED,
        sentence=f"The answer of {title} broke off{_quoted(quote)}. Ask again in a minute.",
    )


def refused(title: str, status: int, quote: str) -> Trouble:
    return Trouble(
        kind=TroubleKind.REFUSED,
        sentence=f"{title} gave no answer: it found the request wrong ({status}){_quoted(quote)}. "
        "Ask again; if it stays so, start anew with /reset.",
    )


def moved(title: str, status: int) -> Trouble:
    return Trouble(
        kind=TroubleKind.REFUSED,
        sentence=f"{title} gave no answer: its address points elsewhere ({status}), and a key does not "
        "follow. An owner corrects the base URL in the settings.",
    )


def span(seconds: float) -> str:
    """A duration as people say it."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{round(seconds / 60)} min"


def _times(tries: int) -> str:
    return "asked once" if tries == 1 else f"asked {tries} times"


def _quoted(text: str) -> str:
    plain = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return f": “{plain[:LONGEST_QUOTE]}”" if plain else ""
