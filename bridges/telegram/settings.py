"""What the Telegram bridge is told: the bot's token, where the Bot API is, how fast it may go."""

import re
from dataclasses import dataclass, field

from bridges.port import BridgeMisconfigured

_TOKEN = re.compile(r"[0-9]+:[A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class TelegramSettings:
    token: str = field(repr=False)
    api_base: str = "https://api.telegram.org"
    commands: tuple[tuple[str, str], ...] = ()  #: the menu: command without slash, what it does
    poll_timeout: int = 50  #: seconds Telegram holds an empty poll open
    stall_after: float = 120.0  #: seconds until a poll that neither answers nor fails is given up
    request_timeout: float = 20.0
    file_patience: float = 120.0  #: seconds one file may take
    file_limit: int = 20_000_000  #: bytes of one file that is fetched; Telegram hands bots no larger ones
    first_wait: float = 1.0  #: after the first failure; doubles up to `longest_wait`
    longest_wait: float = 60.0
    overall_rate: float = 30.0  #: messages a second, all chats together
    private_rate: float = 1.0
    private_burst: int = 20
    group_rate: float = 20 / 60
    group_burst: int = 20
    typing_every: float = 4.0

    def __post_init__(self) -> None:
        if not _TOKEN.fullmatch(self.token):
            raise BridgeMisconfigured(
                "The Telegram token does not look like one (123456:ABC-def). "
                "Copy it again from @BotFather into INTERCOM_TELEGRAM__TOKEN."
            )

    @property
    def method_base(self) -> str:
        return f"{self.api_base.rstrip('/')}/bot"

    @property
    def file_base(self) -> str:
        return f"{self.api_base.rstrip('/')}/file/bot"
