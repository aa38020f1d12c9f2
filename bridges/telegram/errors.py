"""Telegram's refusals in the words of the port, with the token scrubbed out of them."""

import httpx
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Conflict,
    Forbidden,
    InvalidToken,
    NetworkError,
    TelegramError,
    TimedOut,
)

from bridges.port import (
    BridgeError,
    BridgeMisconfigured,
    BridgeUnavailable,
    ChatGone,
    ContentRefused,
    DeliveryUnknown,
    MessageGone,
    RateLimited,
)

NOT_ACCEPTED = (
    "Telegram does not accept the bot's token. "
    "Get the current one from @BotFather (/token) and set INTERCOM_TELEGRAM__TOKEN."
)
SECOND_POLLER = (
    "Another program reads this bot's messages (Telegram answers 409). "
    "Stop it, or give this installation a bot of its own."
)
WEBHOOK_SET = (
    "A webhook is set for this bot{where}, so Telegram delivers its messages there and not here. "
    "Remove it (Bot API method deleteWebhook), or give this installation a bot of its own."
)


class FloodWait(TelegramError):
    """HTTP 429. PTB's own RetryAfter warns about itself whenever it is made."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"flood control, wait {seconds:g} s")
        self.seconds = seconds


class ServerTrouble(NetworkError):
    """HTTP 5xx: Telegram did not get as far as doing it."""


class GatewayTimeout(NetworkError):
    """HTTP 504: nobody knows whether Telegram did it."""


class MarkupRefused(ContentRefused):
    """Telegram could not parse the markup: the plain text may still go."""


class NotModified(ContentRefused):
    """The message shows that already."""


class WrongKind(ContentRefused):
    """The message to edit has a caption where we said text, or the other way round."""


class TapExpired(ContentRefused):
    """The tap was answered before or is too old to be answered."""


class SecondPoller(BridgeMisconfigured):
    """Somebody else polls with our token."""


# What Telegram writes in a 400, in lower case, and what it means to us. The first that occurs decides.
_BAD_REQUESTS: tuple[tuple[str, type[BridgeError]], ...] = (
    ("can't parse entities", MarkupRefused),
    ("message is not modified", NotModified),
    ("there is no text in the message", WrongKind),
    ("there is no caption in the message", WrongKind),
    ("query is too old", TapExpired),
    ("query id is invalid", TapExpired),
    ("message to edit not found", MessageGone),
    ("message to delete not found", MessageGone),
    ("message_id_invalid", MessageGone),
    ("message can't be edited", MessageGone),
    ("chat not found", ChatGone),
    ("chat_write_forbidden", ChatGone),
    ("chat_restricted", ChatGone),
    ("peer_id_invalid", ChatGone),
    ("user is deactivated", ChatGone),
    ("group chat was deactivated", ChatGone),
    ("group chat was upgraded", ChatGone),
    ("not enough rights to send", ChatGone),
    ("have no rights to send", ChatGone),
    ("need administrator rights", ChatGone),
    ("message thread not found", ChatGone),
    ("topic_closed", ChatGone),
    ("topic_deleted", ChatGone),
    ("topic_id_invalid", ChatGone),
)

# The request had not left when these happened; after any other transport error it may have arrived.
_NOT_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
)


def scrub(text: str, token: str) -> str:
    """The text without the bot's secret."""
    secret = token.partition(":")[2]
    return text.replace(token, "<token>").replace(secret, "<token>")


def translate(error: TelegramError, token: str) -> BridgeError:
    """The port's error for one of Telegram's."""
    text = error.message = scrub(error.message, token)  # it stays visible as the cause of ours
    match error:
        case FloodWait():
            return RateLimited(error.seconds)
        case ChatMigrated():
            return ChatGone(f"the group became a supergroup, its address is tg:{error.new_chat_id} now")
        case InvalidToken():
            return BridgeMisconfigured(NOT_ACCEPTED)
        case Conflict():
            return _conflict(text)
        case Forbidden():
            return ChatGone(text)
        case BadRequest():
            return _bad_request(text)
        case TimedOut() | NetworkError():
            return _network(error, text)
    return DeliveryUnknown(f"Telegram's answer could not be read: {text}")


def _conflict(text: str) -> BridgeError:
    if "webhook" in text.lower():
        return BridgeMisconfigured(WEBHOOK_SET.format(where=""))
    return SecondPoller(SECOND_POLLER)


def _bad_request(text: str) -> BridgeError:
    lowered = text.lower()
    kind = next((kind for words, kind in _BAD_REQUESTS if words in lowered), ContentRefused)
    return kind(text)


def _network(error: NetworkError, text: str) -> BridgeError:
    cause = error.__cause__
    if isinstance(error, ServerTrouble) or isinstance(cause, _NOT_SENT):
        return BridgeUnavailable(f"Telegram cannot be reached: {text}")
    if isinstance(error, GatewayTimeout) or isinstance(cause, httpx.TransportError):
        return DeliveryUnknown(f"the connection to Telegram broke before it answered: {text}")
    return BridgeUnavailable(f"Telegram did not do it: {text}")
