"""One listening socket of an agent: so many callers at once, so many a second, whatever the agent does."""

import asyncio
import socket
from contextlib import suppress
from typing import Any

import structlog

from container.agent import Service
from container.wire import Allowance

BACKLOG = 32  #: callers the system lets wait; further ones wait or are refused by it
CALLS_A_SECOND, CALLS_AT_ONCE = 200, 200
BREATHER = 1.0  #: seconds, when this process has no descriptors left

log = structlog.get_logger()


class Door:
    """Lets callers in to a service until cancelled, which ends every call.

    More callers than `most` are hung up on. Callers in a hurry are taken in more slowly, so that an agent
    that calls again and again costs no more than this.
    """

    def __init__(self, listener: socket.socket, service: Service, most: int) -> None:
        self._listener = listener
        self._service = service
        self._most = most
        self._pace = Allowance(CALLS_A_SECOND, CALLS_AT_ONCE)
        self._guests: set[_Guest] = set()

    async def attend(self, calls: int | None = None) -> None:
        """Take callers in; after so many `calls` the door is shut, and those inside stay."""
        loop = asyncio.get_running_loop()
        try:
            with self._listener:
                while calls is None or calls > 0:
                    await self._pace.wait()
                    try:
                        caller, _ = await loop.sock_accept(self._listener)
                    except OSError as error:
                        log.warning("socket.not_accepted", reason=error.strerror)
                        await asyncio.sleep(BREATHER)
                        continue
                    if await self._let_in(caller) and calls is not None:
                        calls -= 1
            await asyncio.Event().wait()
        finally:
            for guest in tuple(self._guests):
                guest.hang_up()

    async def _let_in(self, caller: socket.socket) -> bool:
        if len(self._guests) >= self._most:
            caller.close()
            return False
        try:
            guest = _Guest(self._service(), self._guests)
        except Exception:  # one service's fault must not shut the agent's other doors
            log.exception("socket.service_failed")
            caller.close()
            return False
        self._guests.add(guest)
        with suppress(OSError):
            await asyncio.get_running_loop().connect_accepted_socket(lambda: guest, caller)
        return True


class _Guest(asyncio.Protocol):
    """Stands before the service's own protocol, to know when the call ends."""

    def __init__(self, inner: asyncio.BaseProtocol, guests: "set[_Guest]") -> None:
        self._inner: Any = inner
        self._guests = guests
        self._transport: Any = None

    def hang_up(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._inner.connection_made(transport)

    def data_received(self, data: bytes) -> None:
        self._inner.data_received(data)

    def eof_received(self) -> bool | None:
        keep: bool | None = self._inner.eof_received()
        return keep

    def pause_writing(self) -> None:
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        self._inner.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        self._guests.discard(self)
        self._inner.connection_lost(exc)
