"""An internet of one machine: a TLS server on loopback, names that lead to it, and a client of the proxy."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from container.egress.gate import Bounds, World
from container.egress.passages import Passage
from container.egress.proxy import Egress
from container.egress.tunnel import CHUNK, End

API, OTHER = "api.example.com", "other.example.com"
HERE = "127.0.0.1"
CERTIFICATE = Path(__file__).with_name("outside.pem")


class Outside:
    """Names, addresses and the one server behind them all."""

    def __init__(self) -> None:
        self.names: dict[str, Sequence[str]] = {API: [HERE], OTHER: [HERE]}
        self.asked: list[str] = []
        self.connected: list[str] = []
        self.port = 0
        self.calls = 0
        self.may_resolve = asyncio.Event()
        self.may_resolve.set()
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.hangs: set[str] = set()
        self.page = b""  #: what it answers as HTTP, instead of repeating what is said

    async def resolve(self, host: str) -> Sequence[str]:
        self.asked.append(host)
        await self.may_resolve.wait()
        if host not in self.names:
            raise OSError("no such host")
        return self.names[host]

    async def connect(self, address: str) -> End:
        self.connected.append(address)
        if address in self.hangs:
            await asyncio.Event().wait()
        if address != HERE:
            raise ConnectionRefusedError(address)
        return End(*await asyncio.open_connection(HERE, self.port, limit=CHUNK))

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Echo all that is said until the client ends, then say goodbye."""
        self.calls += 1
        try:
            if self.page:
                await reader.readuntil(b"\r\n\r\n")
                writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + self.page)
                return
            while data := await reader.read(CHUNK):
                await self.may_answer.wait()
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()

    @asynccontextmanager
    async def serving(self, tls: ssl.SSLContext | None) -> AsyncIterator[None]:
        server = await asyncio.start_server(self.answer, HERE, 0, ssl=tls)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield
        finally:
            server.close()
            # wait_closed would wait for connections too, which end with the proxy


@dataclass(kw_only=True)
class Rig:
    """A container's way out, as the container finds it."""

    outside: Outside
    egress: Egress
    path: Path
    hosts: set[str]
    passages: list[Passage]
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def call(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_unix_connection(str(self.path))

    async def ask(self, line: bytes) -> bytes:
        """Say this and read everything that is answered."""
        reader, writer = await self.call()
        try:
            writer.write(line)
            return await reader.read()
        finally:
            await closed(writer)

    async def tunnel(
        self, host: str = API, *, sni: str | None = None
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A TLS connection through the proxy. Raises ssl.SSLError, ConnectionError."""
        reader, writer = await self.call()
        try:
            writer.write(f"CONNECT {host}:443 HTTP/1.1\r\nHost: {host}:443\r\n\r\n".encode())
            said = await reader.readuntil(b"\r\n\r\n")
            if not said.startswith(b"HTTP/1.1 200 "):
                raise ConnectionError(said.decode() + (await reader.read()).decode())
            await writer.start_tls(trusting(), server_hostname=sni or host)
        except BaseException:
            writer.transport.abort()
            raise
        return reader, writer

    async def quiet(self) -> None:
        """Wait until the proxy serves nobody."""
        while self.egress.open:  # noqa: ASYNC110 - a task's end is no event of ours
            await asyncio.sleep(0.001)

    async def told(self, number: int) -> list[Passage]:
        """The passages on record, once there are so many."""
        async with asyncio.timeout(10):
            while len(self.passages) < number:
                self.changed.clear()
                await self.changed.wait()
        return self.passages


@asynccontextmanager
async def rigged(folder: Path, bounds: Bounds | None = None, *, tls: bool = True) -> AsyncIterator[Rig]:
    outside = Outside()
    passages: list[Passage] = []
    changed = asyncio.Event()

    def watch(passage: Passage) -> None:
        passages.append(passage)
        changed.set()

    async with AsyncExitStack() as stack:
        await stack.enter_async_context(outside.serving(_serving() if tls else None))
        world = World(resolve=outside.resolve, connect=outside.connect, public=lambda each: each == HERE)
        egress = await stack.enter_async_context(Egress.running(watch, world=world, bounds=bounds))
        hosts = {API}
        path = folder / "egress.sock"
        service = egress.service("main", lambda: frozenset(hosts))
        server = await asyncio.get_running_loop().create_unix_server(service, str(path), backlog=1024)
        stack.callback(server.close)
        yield Rig(outside=outside, egress=egress, path=path, hosts=hosts, passages=passages, changed=changed)


async def closed(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()


def trusting() -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(CERTIFICATE))


def _serving() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    return context
