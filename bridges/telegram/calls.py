"""The Bot API methods we use, each failing with the errors of the port only."""

import json
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx
import structlog
from telegram import Bot, BotCommand, InlineKeyboardMarkup, LinkPreviewOptions, ReplyParameters
from telegram.constants import ChatAction, ParseMode
from telegram.error import TelegramError

from bridges.messages import Document, Part
from bridges.port import BridgeMisconfigured, ContentRefused, DeliveryUnknown
from bridges.telegram.address import Address
from bridges.telegram.errors import WEBHOOK_SET, MarkupRefused, translate
from bridges.telegram.fetching import Fetching
from bridges.telegram.reading import KINDS, Me
from bridges.telegram.request import hush, open_request
from bridges.telegram.settings import TelegramSettings

log = structlog.get_logger()

_PICTURES = frozenset({"image/png", "image/jpeg", "image/webp"})
_LARGEST_PICTURE = 10_000_000
_SENDING_CONNECTIONS = 64
_FETCHING_CONNECTIONS = 4
_GRACE = 10.0  #: seconds a poll may come later than it promised
_PATIENCE = 5.0  #: seconds for what is shown only for a moment
_NO_PREVIEW = LinkPreviewOptions(is_disabled=True)


class Calls:
    """A bot with three pools of connections, so that neither polling nor sending waits for files."""

    def __init__(self, settings: TelegramSettings) -> None:
        hush()
        tls = httpx.create_ssl_context()
        self._settings = settings
        self._polling = open_request(settings.request_timeout, 1, tls)
        self._sending = open_request(settings.request_timeout, _SENDING_CONNECTIONS, tls)
        self._fetching = open_request(settings.request_timeout, _FETCHING_CONNECTIONS, tls)
        self.files = Fetching(settings, self._fetching)
        self._bot = Bot(
            settings.token,
            base_url=settings.method_base,
            base_file_url=settings.file_base,
            request=self._sending,
            get_updates_request=self._polling,
        )

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        await self._polling.initialize()
        await self._sending.initialize()
        await self._fetching.initialize()
        try:
            yield
        finally:
            await self._polling.shutdown()
            await self._sending.shutdown()
            await self._fetching.shutdown()

    async def renew_polling(self) -> None:
        await self._polling.renew()

    async def introduce(self) -> Me:
        """Who the bot is. Fails in words when its messages would never get here."""
        with self._translated():
            user = await self._bot.get_me()
            hook = await self._bot.get_webhook_info()
        if hook.url:  # its path may be a secret of somebody else
            raise BridgeMisconfigured(WEBHOOK_SET.format(where=f" ({urlsplit(hook.url).hostname})"))
        return Me(
            id=user.id, username=user.username or "", reads_groups=bool(user.can_read_all_group_messages)
        )

    async def offer_commands(self) -> None:
        commands = [BotCommand(name, words) for name, words in self._settings.commands]
        with self._translated():
            await self._bot.set_my_commands(commands)

    async def get_updates(self, offset: int | None, hold_open: int) -> Sequence[Any]:
        """What came in since the offset, as raw JSON; naming the offset confirms what is before it.

        Not `Bot.get_updates`: that parses a whole batch or nothing, so that one update it cannot read
        would come back for ever and hold up all behind it.
        """
        query = {"timeout": hold_open, "allowed_updates": json.dumps(KINDS)}
        if offset is not None:
            query["offset"] = offset
        url = f"{self._settings.method_base}{self._settings.token}/getUpdates?{urlencode(query)}"
        with self._translated():
            updates = await self._polling.post(url, read_timeout=hold_open + _GRACE)
            if not isinstance(updates, list):
                raise TypeError
        return updates

    async def send(self, to: Address, part: Part, markup: InlineKeyboardMarkup | None, *, plain: bool) -> str:
        reply = None
        if part.reply_to is not None and part.reply_to.isdecimal():
            reply = ReplyParameters(int(part.reply_to), allow_sending_without_reply=True)
        common: dict[str, Any] = {
            "chat_id": to.chat,
            "message_thread_id": to.message_thread,
            "parse_mode": None if plain else ParseMode.HTML,
            "disable_notification": part.silent,
            "reply_parameters": reply,
            "reply_markup": markup,
        }
        text = part.fallback if plain else part.body
        if part.document is not None:
            return await self._send_file(part.document, text, common)
        with self._translated():
            if part.picture is not None:
                sent = await self._bot.send_photo(
                    photo=part.picture, filename="picture.png", caption=text or None, **common
                )
            else:
                sent = await self._bot.send_message(text=text, link_preview_options=_NO_PREVIEW, **common)
        return str(sent.message_id)

    async def draft(self, to: Address, number: int, text: str, *, plain: bool) -> None:
        """Show what is being written; it is gone after half a minute or with the next message."""
        with self._translated():
            await self._bot.send_message_draft(
                to.chat,
                number,
                text,
                message_thread_id=to.message_thread,
                parse_mode=None if plain else ParseMode.HTML,
                read_timeout=_PATIENCE,
            )

    async def _send_file(self, document: Document, caption: str, common: Mapping[str, Any]) -> str:
        """As a picture where Telegram takes it for one, else as a file."""
        file = {"filename": document.name, "caption": caption or None, **common}
        if document.mime in _PICTURES and len(document.data) <= _LARGEST_PICTURE:
            try:
                with self._translated():
                    return str((await self._bot.send_photo(photo=document.data, **file)).message_id)
            except MarkupRefused:
                raise
            except ContentRefused as error:  # its dimensions, for example
                log.info("telegram.picture_refused", reason=str(error))
        with self._translated():
            return str((await self._bot.send_document(document=document.data, **file)).message_id)

    async def edit(
        self, to: Address, message: int, text: str, markup: InlineKeyboardMarkup | None, *, plain: bool
    ) -> None:
        with self._translated():
            await self._bot.edit_message_text(
                text=text,
                chat_id=to.chat,
                message_id=message,
                parse_mode=None if plain else ParseMode.HTML,
                link_preview_options=_NO_PREVIEW,
                reply_markup=markup,
            )

    async def edit_caption(
        self, to: Address, message: int, text: str, markup: InlineKeyboardMarkup | None, *, plain: bool
    ) -> None:
        with self._translated():
            await self._bot.edit_message_caption(
                chat_id=to.chat,
                message_id=message,
                caption=text,
                parse_mode=None if plain else ParseMode.HTML,
                reply_markup=markup,
            )

    async def delete(self, to: Address, message: int) -> None:
        with self._translated():
            await self._bot.delete_message(to.chat, message)

    async def answer(self, tap_id: str, text: str, *, alert: bool) -> None:
        with self._translated():
            await self._bot.answer_callback_query(tap_id, text=text or None, show_alert=alert)

    async def show_typing(self, to: Address) -> None:
        with self._translated():
            await self._bot.send_chat_action(
                to.chat, ChatAction.TYPING, message_thread_id=to.thread, read_timeout=_PATIENCE
            )

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except TelegramError as error:
            raise translate(error, self._settings.token) from error
        except (KeyError, TypeError, AttributeError) as error:  # JSON, but not what the Bot API answers
            raise DeliveryUnknown("what answers there does not speak Telegram's Bot API") from error
