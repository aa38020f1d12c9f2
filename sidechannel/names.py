"""Names of channels: the topic peers meet under, the protocol they speak, the ids of messages."""

import hashlib
from collections.abc import Callable

from sidechannel.errors import Refused
from sidechannel.values.canonical import to_bytes

ENTRY_CHANNEL = "0000intercom"
MAX_NAME_BYTES = 256

RandomBytes = Callable[[int], bytes]

_BLANKS = (
    "\t\n\v\f\r \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000\ufeff"
)
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def trimmed(text: str) -> str:
    """The text without the blanks around it, as JavaScript trims: topics are hashes of trimmed names."""
    return text.strip(_BLANKS)


def channel_name(text: str) -> str:
    """The name without the blanks around it; refuses what no peer should join."""
    name = trimmed(text)
    if not name:
        raise Refused("no channel", "A channel needs a name.")
    if len(to_bytes(name)) > MAX_NAME_BYTES:
        raise Refused("long channel", f"A channel's name has at most {MAX_NAME_BYTES} bytes.")
    return name


def topic_of(channel: str) -> bytes:
    """The 32 bytes under which peers of the channel find each other."""
    return hashlib.sha256(to_bytes("sidechannel:" + trimmed(channel))).digest()


def protocol_of(channel: str) -> str:
    """The Protomux protocol of the channel."""
    return "sidechannel/" + channel


def base36(random: RandomBytes, length: int = 8) -> str:
    """Random lowercase letters and digits, like the tails that JavaScript peers make."""
    number = int.from_bytes(random(16), "big")
    digits = []
    for _ in range(length):
        number, digit = divmod(number, 36)
        digits.append(_DIGITS[digit])
    return "".join(digits)


def message_id(sender: str, milliseconds: int, random: RandomBytes) -> str:
    """An id as every peer builds it: who, when, and a random tail."""
    return f"{sender}:{milliseconds}:{base36(random)}"
