"""A chat network in memory: real limits, refs, and the failures a test asks for."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from bridges.messages import Content, Part
from bridges.port import BridgeState, ContentRefused, DeliveryUnknown, FileRefused, Intake, MessageGone

LIMIT = 4096


@dataclass
class Failure:
    """What happens to a later call instead of success."""

    error: Exception
    delivered: bool = False  #: the network took it all the same
    method: str = "send"


@dataclass
class MemoryBridge:
    """Chats as ordered messages; every change wakes those who wait for one."""

    name: str = "tg"
    chats: dict[str, dict[str, Part]] = field(default_factory=dict)
    failures: dict[str, list[Failure]] = field(default_factory=dict)
    calls: list[tuple[str, str, str]] = field(default_factory=list)  #: method, address, what
    answers: list[tuple[str, str]] = field(default_factory=list)
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)
    takes_drafts: bool = False
    drafts: list[tuple[str, int, str]] = field(default_factory=list)  #: address, number, text
    files: dict[str, bytes] = field(default_factory=dict)  #: what people sent, by handle
    gate: asyncio.Event | None = None  #: calls wait for it
    _numbers: int = 0

    def state(self) -> BridgeState:
        return BridgeState(ok=True)

    async def run(self, intake: Intake) -> None:
        await asyncio.Event().wait()

    def parts(self, content: Content) -> Sequence[Part]:
        pieces = [content.text[at : at + LIMIT] for at in range(0, len(content.text), LIMIT)] or [""]
        last = len(pieces) - 1
        return [
            Part(
                body=piece,
                fallback=piece,
                headline=content.headline and place == 0,
                buttons=content.buttons if place == last else (),
                picture=content.picture if place == 0 else None,
                document=content.document if place == 0 else None,
                silent=content.silent,
                reply_to=content.reply_to if place == 0 else None,
            )
            for place, piece in enumerate(pieces)
        ]

    async def send(self, address: str, part: Part) -> str:
        failure = await self._call("send", address, part.body)
        if failure is not None and not failure.delivered:
            raise failure.error
        if len(part.body) > LIMIT:
            raise ContentRefused("the message is too long")
        self._numbers += 1
        ref = str(self._numbers)
        self.chats.setdefault(address, {})[ref] = part
        await self._tell()
        if failure is not None:
            raise failure.error
        return ref

    async def edit(self, address: str, ref: str, part: Part) -> None:
        failure = await self._call("edit", address, part.body)
        if failure is not None and not failure.delivered:
            raise failure.error
        if ref not in self.chats.get(address, {}):
            raise MessageGone("there is no such message")
        self.chats[address][ref] = part
        await self._tell()
        if failure is not None:
            raise failure.error

    async def delete(self, address: str, ref: str) -> None:
        failure = await self._call("delete", address, ref)
        if failure is not None and not failure.delivered:
            raise failure.error
        if self.chats.get(address, {}).pop(ref, None) is None:
            raise MessageGone("there is no such message")
        await self._tell()
        if failure is not None:
            raise failure.error

    async def draft(self, address: str, number: int, content: Content) -> bool:
        if not self.takes_drafts:
            return False
        self.drafts.append((address, number, content.text))
        await self._tell()
        return True

    async def fetch(self, handle: str, most: int) -> bytes:
        failure = await self._call("fetch", handle, "")
        if failure is not None:
            raise failure.error
        if handle not in self.files:
            raise FileRefused("the network does not know it")
        if len(self.files[handle]) > most:
            raise FileRefused("it is too large")
        return self.files[handle]

    async def answer(self, tap_id: str, text: str, *, alert: bool = False) -> None:
        del alert
        self.answers.append((tap_id, text))
        await self._tell()

    async def typing(self, address: str) -> None:
        self.calls.append(("typing", address, ""))
        await self._tell()

    def fail(self, address: str, error: Exception, *, delivered: bool = False, method: str = "send") -> None:
        """Let the next call of the method fail."""
        self.failures.setdefault(address, []).append(Failure(error, delivered, method))

    def texts(self, address: str) -> list[str]:
        """What the chat shows, in order."""
        return [part.body for part in self.chats.get(address, {}).values()]

    def times(self, method: str, address: str) -> int:
        return sum(1 for called, at, _ in self.calls if (called, at) == (method, address))

    async def until(self, seen: Callable[[], object], within: float = 10.0) -> None:
        """Wait until a condition on what is shown holds."""
        async with asyncio.timeout(within), self.changed:
            await self.changed.wait_for(seen)

    async def until_shows(self, address: str, *texts: str) -> None:
        try:
            await self.until(lambda: self.texts(address) == list(texts))
        except TimeoutError:
            raise AssertionError(f"{address} shows {self.texts(address)}, not {list(texts)}") from None

    async def until_says(self, address: str, words: str) -> None:
        """Wait until some message of the chat contains the words."""
        try:
            await self.until(lambda: any(words in text for text in self.texts(address)))
        except TimeoutError:
            raise AssertionError(f"{address} shows {self.texts(address)}, without {words!r}") from None

    async def _call(self, method: str, address: str, what: str) -> Failure | None:
        self.calls.append((method, address, what))
        await self._tell()
        if self.gate is not None:
            await self.gate.wait()
        waiting = self.failures.get(address, [])
        for failure in waiting:
            if failure.method == method:
                waiting.remove(failure)
                return failure
        return None

    async def _tell(self) -> None:
        async with self.changed:
            self.changed.notify_all()


__all__ = ["LIMIT", "DeliveryUnknown", "MemoryBridge"]
