"""Names of hosts as an owner writes them and as an agent asks for them, in the one form that is compared."""

import re

LONGEST = 253
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")


class BadHost(ValueError):
    """This is not the name of a host; the message says why."""


def host_name(text: str) -> str:
    """Lower case, letters of other scripts encoded, no dot at the end. Raises BadHost.

    An address is no name, in none of the spellings in which systems read one, and neither is a single word.
    """
    if not text or len(text) > 2 * LONGEST:
        raise BadHost("A host's name has 1 to 253 characters.")
    name = _encoded(text.removesuffix("."))
    labels = name.split(".")
    if len(name) > LONGEST or not all(_LABEL.fullmatch(label) for label in labels):
        raise BadHost(f"{shown(text)} is not the name of a host, such as api.example.com.")
    if _NUMBER.fullmatch(labels[-1]):
        raise BadHost(f"{shown(text)} is an address; only names can be allowed.")
    if len(labels) < 2:
        raise BadHost(f"{shown(text)} is a single word; a host out there has a dot in its name.")
    return name


def shown(text: str, limit: int = 80) -> str:
    """What somebody wrote, fit to be repeated in a sentence or a log."""
    plain = "".join(letter if letter.isprintable() else "?" for letter in text[:limit])
    return f"“{plain}{'…' if len(text) > limit else ''}”"


def _encoded(text: str) -> str:
    if text.isascii():
        return text.lower()
    try:
        return text.encode("idna").decode("ascii").lower()
    except UnicodeError as error:
        raise BadHost(f"{shown(text)} is not the name of a host.") from error
