"""Telegram as a chat bridge: what the port asks for, in the terms of the Bot API."""

import random
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import structlog
from telegram import InlineKeyboardMarkup

from bridges.messages import Content, Part
from bridges.port import (
    BridgeError,
    BridgeMisconfigured,
    BridgeState,
    ContentRefused,
    Intake,
    LeftOut,
    MessageGone,
    RateLimited,
)
from bridges.splitting import shorten
from bridges.telegram.address import Address
from bridges.telegram.calls import Calls
from bridges.telegram.clock import Clock
from bridges.telegram.errors import MarkupRefused, NotModified, TapExpired, WrongKind
from bridges.telegram.legible import legible
from bridges.telegram.limiter import Limiter
from bridges.telegram.polling import BRIDGE, Polling
from bridges.telegram.reading import Me
from bridges.telegram.settings import TelegramSettings
from bridges.telegram.writing import CAPTION_UNITS, keyboard, write_parts

Keyboard = InlineKeyboardMarkup | None

log = structlog.get_logger()

_ANSWER_UNITS = 200
_DRAFTLESS = 1024
_TYPISTS = 1024  #: chats whose last "typing" is remembered


class TelegramBridge:
    """Use it inside `async with bridge.opened()`, which owns the connections."""

    def __init__(
        self, settings: TelegramSettings, clock: Clock, *, jitter: Callable[[], float] = random.random
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._calls = Calls(settings)
        self._limiter = Limiter(settings, clock)
        self._polling = Polling(self._calls, settings, clock, jitter)
        self._typed: dict[Address, float] = {}
        self._draftless: set[int] = set()  #: chats whose drafts Telegram refuses

    @property
    def name(self) -> str:
        return BRIDGE

    @asynccontextmanager
    async def opened(self) -> AsyncIterator["TelegramBridge"]:
        async with self._calls.opened():
            yield self

    def state(self) -> BridgeState:
        return self._polling.state

    async def check(self) -> Me:
        """Who the bot is, for a doctor. Raises BridgeMisconfigured or BridgeUnavailable in words."""
        return await self._calls.introduce()

    async def run(self, intake: Intake) -> None:
        await self._polling.run(intake)

    def parts(self, content: Content) -> Sequence[Part]:
        return write_parts(content)

    async def send(self, address: str, part: Part) -> str:
        to = Address.parse(address)
        markup = keyboard(part.buttons)
        async with self._admitted(to, passing=part.passing):
            try:
                return await self._calls.send(to, part, markup, plain=False)
            except MarkupRefused as error:
                log.warning("telegram.markup_refused", address=address, reason=str(error))
                return await self._calls.send(to, part, markup, plain=True)

    async def edit(self, address: str, ref: str, part: Part) -> None:
        """Only words and buttons can change; a picture stays what it was."""
        to, message = Address.parse(address), _message_id(ref)
        markup = keyboard(part.buttons)
        caption = part.picture is not None or part.document is not None
        async with self._admitted(to, passing=part.passing):
            try:
                await self._show(to, message, part, markup, caption=caption)
            except WrongKind:  # the picture came or went since it was sent
                await self._show(to, message, part, markup, caption=not caption)

    async def delete(self, address: str, ref: str) -> None:
        to, message = Address.parse(address), _message_id(ref)
        async with self._admitted(to):
            await self._calls.delete(to, message)

    async def draft(self, address: str, number: int, content: Content) -> bool:
        to = Address.parse(address)
        if not to.private or to.chat in self._draftless:
            return False
        if not self._limiter.admit_passing(to.chat):
            return True
        part = write_parts(content)[-1]  # what is being written stands at the end
        try:
            try:
                await self._calls.draft(to, number, part.body, plain=False)
            except MarkupRefused:
                await self._calls.draft(to, number, part.fallback, plain=True)
        except RateLimited as error:
            self._limiter.hold(to.chat, error.retry_after)
        except (ContentRefused, BridgeMisconfigured) as error:  # also a Bot API too old to know drafts
            log.info("telegram.no_drafts", address=address, reason=str(error))
            if len(self._draftless) >= _DRAFTLESS:
                self._draftless.clear()
            self._draftless.add(to.chat)
            return False
        except BridgeError as error:
            log.debug("telegram.draft_failed", address=address, reason=str(error))
        return True

    async def fetch(self, handle: str, most: int) -> bytes:
        return await self._calls.files.fetch(handle, most)

    async def answer(self, tap_id: str, text: str, *, alert: bool = False) -> None:
        # Not held back by any limit: an unanswered tap spins on somebody's screen.
        try:
            await self._calls.answer(tap_id, shorten(legible(text), _ANSWER_UNITS), alert=alert)
        except TapExpired:
            log.debug("telegram.tap_expired")

    async def typing(self, address: str) -> None:
        to = Address.parse(address)
        now = self._clock.now().timestamp()
        if self._limiter.held(to.chat) or now - self._typed.get(to, 0.0) < self._settings.typing_every:
            return
        if len(self._typed) >= _TYPISTS:
            self._typed.clear()
        self._typed[to] = now
        try:
            await self._calls.show_typing(to)
        except RateLimited as error:
            self._limiter.hold(to.chat, error.retry_after)
        except BridgeError as error:
            log.debug("telegram.typing_failed", address=address, reason=str(error))

    async def _show(
        self, to: Address, message: int, part: Part, markup: Keyboard, *, caption: bool, plain: bool = False
    ) -> None:
        try:
            await self._edit(to, message, part, markup, caption=caption, plain=plain)
        except NotModified:
            log.debug("telegram.not_modified", address=str(to))
        except MarkupRefused as error:
            if plain:
                raise
            log.warning("telegram.markup_refused", address=str(to), reason=str(error))
            await self._show(to, message, part, markup, caption=caption, plain=True)

    async def _edit(
        self, to: Address, message: int, part: Part, markup: Keyboard, *, caption: bool, plain: bool
    ) -> None:
        text = part.fallback if plain else part.body
        if not caption:
            await self._calls.edit(to, message, text, markup, plain=plain)
            return
        short = shorten(part.fallback, CAPTION_UNITS)
        if short != part.fallback:  # longer than a caption may be: its beginning, without looks
            text, plain = short, True
        await self._calls.edit_caption(to, message, text, markup, plain=plain)

    @asynccontextmanager
    async def _admitted(self, to: Address, *, passing: bool = False) -> AsyncIterator[None]:
        """Wait for the chat's turn, and remember when Telegram says it came too early."""
        if not passing or self._limiter.held(to.chat):
            await self._limiter.admit(to.chat)
        elif not self._limiter.admit_passing(to.chat):
            raise LeftOut("turns in this chat are scarce")
        try:
            yield
        except RateLimited as error:
            self._limiter.hold(to.chat, error.retry_after)
            raise
        except BridgeMisconfigured as error:
            log.error("telegram.refused", reason=str(error))
            raise


def _message_id(ref: str) -> int:
    if not ref.isdecimal():
        raise MessageGone(f"{ref!r} is no message of Telegram's")
    return int(ref)
