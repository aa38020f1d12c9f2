"""Names of channels: the topic peers meet under, the protocol they speak, the ids of messages."""

import hashlib
from collections.abc import Callable

from sidechannel.errors import Refused
from sidechannel.values.canonical import to_bytes

ENTRY_CHANNEL = "0000intercom"
MAX_NAME_BYTES = 256

RandomBytes = Callable[[int], bytes]

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def channel_name(text: str) -> str:
    """The name without the blanks around it; refuses what no peer should join."""
    name = text.strip()
    if not name:
        raise Refused("no channel", "A channel needs a name.")
    if len(to_bytes(name)) > MAX_NAME_BYTES:
        raise Refused("long channel", f"A channel's name has at most {MAX_NAME_BYTES} bytes.")
    return name


def topic_of(channel: str) -> bytes:
    """The 32 bytes under which peers of the channel find each other."""
    return hashlib.sha256(to_bytes("sidechannel:" + channel.strip())).digest()


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
