"""The proxy itself: one for the whole host, a gate of its own for each container."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager

from container.agent import Service
from container.egress.asking import PORT
from container.egress.gate import Bounds, Gate, Hosts, LeadsBack, Resolve, World
from container.egress.passages import Watch
from container.egress.tunnel import CHUNK, End

LOOKUPS = 4  #: names looked up at once, in threads of their own: slow ones hold up nothing else


class Egress:
    """Serves every container's way out; nothing of it lives on after the context it was opened in."""

    def __init__(self, group: asyncio.TaskGroup, world: World, watch: Watch, bounds: Bounds) -> None:
        self._group = group
        self._world = world
        self._watch = watch
        self._bounds = bounds
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False

    @classmethod
    @asynccontextmanager
    async def running(
        cls, watch: Watch, *, world: World | None = None, bounds: Bounds | None = None
    ) -> AsyncIterator["Egress"]:
        """`watch` is told of every attempt to get out; `world` is the internet unless a test has its own."""
        fault: Exception | None = None
        with _lookups() as resolve:
            async with asyncio.TaskGroup() as group:
                outside = world or World(resolve=resolve, connect=connect)
                egress = cls(group, outside, watch, bounds or Bounds())
                try:
                    yield egress
                except Exception as error:  # noqa: BLE001 - raised below, as it is and not as a group
                    fault = error
                finally:
                    egress._close()
        if fault is not None:
            raise fault

    @property
    def open(self) -> int:
        """How many connections of containers are served now."""
        return len(self._tasks)

    def service(self, key: str, hosts: Hosts) -> Service:
        """What answers on one container's egress.sock. `key` names it on record."""
        gate = Gate(key, hosts, self._world, self._watch, self._bounds)

        def called(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            if self._closed or not gate.enter():
                writer.transport.abort()
                return
            task = self._group.create_task(gate.serve(End(reader, writer)), name=f"egress {key}")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

        return lambda: asyncio.StreamReaderProtocol(asyncio.StreamReader(limit=CHUNK), called)

    def _close(self) -> None:
        self._closed = True
        for task in self._tasks:
            task.cancel()


async def connect(address: str, port: int = PORT) -> End:
    """To this very address: it is written in numbers, so nothing is looked up again. Raises OSError."""
    reader, writer = await asyncio.open_connection(address, port, limit=CHUNK)
    if writer.get_extra_info("sockname")[0] == writer.get_extra_info("peername")[0]:
        writer.transport.abort()
        raise LeadsBack(address)
    return End(reader, writer)


@contextmanager
def _lookups() -> Iterator[Resolve]:
    threads = ThreadPoolExecutor(LOOKUPS, thread_name_prefix="egress-lookup")

    async def resolve(host: str) -> Sequence[str]:
        found = await asyncio.get_running_loop().run_in_executor(threads, _addresses, host)
        return list(dict.fromkeys(found))

    try:
        yield resolve
    finally:
        threads.shutdown(wait=False, cancel_futures=True)


def _addresses(host: str) -> list[str]:
    """The dot at the end keeps the name what it is: no domain of this network is put behind it."""
    found = socket.getaddrinfo(f"{host}.", PORT, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]
