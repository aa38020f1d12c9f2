"""Long polling that tells Telegram "got it" only after the intake has committed."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, NoReturn

import structlog

from bridges.messages import ChatUpdate, Unreadable
from bridges.port import BridgeError, BridgeMisconfigured, BridgeState, BridgeUnavailable, Intake, RateLimited
from bridges.telegram.calls import Calls
from bridges.telegram.clock import Clock
from bridges.telegram.errors import SecondPoller
from bridges.telegram.reading import Me, read_update
from bridges.telegram.settings import TelegramSettings

log = structlog.get_logger()

BRIDGE = "tg"


class IntakeDown(BridgeUnavailable):
    """Ours, not Telegram's: what came in could not be stored, so it stays with Telegram."""


class Polling:
    """Asks for updates for ever. What goes wrong is shown in `state`, waited out and tried again."""

    def __init__(
        self, calls: Calls, settings: TelegramSettings, clock: Clock, jitter: Callable[[], float]
    ) -> None:
        self._calls = calls
        self._settings = settings
        self._clock = clock
        self._jitter = jitter
        self._me: Me | None = None
        self._offset: int | None = None
        self._knows_offset = False
        self._failures = 0
        self.state = BridgeState(ok=False, reason="connecting to Telegram")

    async def run(self, intake: Intake) -> NoReturn:
        while True:
            try:
                me = self._me or await self._meet()
                await self._round(me, intake)
            except BridgeError as error:
                await self._recover(error)
            else:
                self._failures = 0

    async def _meet(self) -> Me:
        async with _no_longer_than(self._settings.stall_after):
            me = await self._calls.introduce()
        if self._settings.commands:
            try:
                await self._calls.offer_commands()
            except BridgeError as error:
                log.warning("telegram.menu_refused", reason=str(error))
        log.info("telegram.connected", bot=me.username, reads_groups=me.reads_groups)
        self._me = me
        self.state = BridgeState(ok=True)
        return me

    async def _round(self, me: Me, intake: Intake) -> None:
        """One poll: fetch, read, commit. The next one confirms, because its offset is the new mark."""
        if not self._knows_offset:
            self._offset = await self._stored_offset(intake)
            self._knows_offset = True
        quick = self._failures > 0  # after trouble find out at once whether it is over
        async with _no_longer_than(self._settings.stall_after):
            batch = await self._calls.get_updates(self._offset, 0 if quick else self._settings.poll_timeout)
        if batch:
            await self._accept(batch, me, intake)
        if not self.state.ok:
            log.info("telegram.recovered")
            self.state = BridgeState(ok=True)

    async def _stored_offset(self, intake: Intake) -> int | None:
        try:
            mark = await intake.mark(BRIDGE)
        except Exception as error:
            log.exception("telegram.mark_unreadable")
            raise IntakeDown("Messages cannot be stored right now; Telegram keeps them meanwhile.") from error
        return int(mark) if mark is not None and mark.isdecimal() else None

    async def _accept(self, batch: Sequence[Any], me: Me, intake: Intake) -> None:
        known = [raw for raw in batch if isinstance(raw, Mapping) and isinstance(raw.get("update_id"), int)]
        if len(known) < len(batch):
            log.error("telegram.updates_without_id", count=len(batch) - len(known))
        if not known:
            raise BridgeUnavailable("Telegram sends updates that cannot be told apart.")
        offset = max(raw["update_id"] for raw in known) + 1
        updates = [update for raw in known if (update := _read(raw, me)) is not None]
        try:
            await intake.accept(BRIDGE, updates, str(offset))
        except Exception as error:
            self._knows_offset = False  # the commit may have happened all the same: ask what is stored
            log.exception("telegram.updates_not_stored", count=len(updates))
            raise IntakeDown("Messages cannot be stored right now; Telegram keeps them meanwhile.") from error
        self._offset = offset

    async def _recover(self, error: BridgeError) -> None:
        """Say what is wrong, wait longer each time, and begin with fresh connections."""
        self._failures += 1
        wait = self._pause(error)
        lasting = self._failures > 1 or isinstance(error, BridgeMisconfigured | IntakeDown)
        if lasting or not self.state.ok:  # one dropped connection is nobody's business
            self.state = BridgeState(ok=False, reason=str(error))
        log.warning("telegram.degraded", reason=str(error), failures=self._failures, wait=round(wait, 1))
        if isinstance(error, BridgeMisconfigured) and not isinstance(error, SecondPoller):
            self._me = None  # after a new token or a removed webhook everything is asked anew
        if not isinstance(error, IntakeDown | RateLimited):
            await self._calls.renew_polling()
        await self._clock.sleep(wait)

    def _pause(self, error: BridgeError) -> float:
        if isinstance(error, RateLimited):
            return error.retry_after
        doubled = self._settings.first_wait * 2.0 ** min(self._failures - 1, 16)
        longest = min(doubled, self._settings.longest_wait)
        return longest * (0.5 + self._jitter() / 2)


def _read(raw: Mapping[str, Any], me: Me) -> ChatUpdate | None:
    try:
        return read_update(raw, me)
    except Exception:  # one update must never hold up those behind it
        log.exception("telegram.update_unreadable", update_id=raw["update_id"])
        return Unreadable(update_id=str(raw["update_id"]), reason="could not be read")


@asynccontextmanager
async def _no_longer_than(seconds: float) -> AsyncIterator[None]:
    """A poll that neither answers nor fails looks alive; it is given up here."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError as error:
        raise BridgeUnavailable("Telegram neither answers nor hangs up") from error
