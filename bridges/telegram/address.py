"""Where a message goes: "tg:<chat id>", with "/<thread>" behind it for a forum topic."""

import re
from dataclasses import dataclass

from bridges.port import ChatGone

GENERAL = 1  #: the topic every forum has; Telegram wants it named for chat actions and never for messages

_PATTERN = re.compile(r"tg:(-?[0-9]{1,20})(?:/([0-9]{1,20}))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Address:
    chat: int
    thread: int | None = None

    @classmethod
    def parse(cls, address: str) -> "Address":
        match = _PATTERN.fullmatch(address)
        if match is None:
            raise ChatGone(f"{address!r} is not a Telegram address")
        chat, thread = match.groups()
        return cls(int(chat), int(thread) if thread else None)

    def __str__(self) -> str:
        return f"tg:{self.chat}" if self.thread is None else f"tg:{self.chat}/{self.thread}"

    @property
    def private(self) -> bool:
        return self.chat > 0

    @property
    def message_thread(self) -> int | None:
        """The thread to name when a message is sent."""
        return None if self.thread == GENERAL else self.thread
