"""A folder per agent with its own sockets: who calls is whose socket was called, none can name another."""

import asyncio
import shutil
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path

from container.agent import Service
from container.doors import BACKLOG, Door
from container.planning import SESSION_SOCKET, TOOLS_SOCKET, folder_name
from container.sandbox import SandboxUnavailable

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

LONGEST_PATH = 107  #: bytes in the path of a Unix socket
MOST_TOOL_CONNECTIONS = 16
MOST_SERVICE_CONNECTIONS = 64


class SocketFolder:
    """The host's end of one agent's sockets, open until the context that made it ends."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.session: asyncio.Future[Connection] = asyncio.get_running_loop().create_future()
        self._tools: asyncio.Queue[Connection] = asyncio.Queue(MOST_TOOL_CONNECTIONS)
        self._open = 0

    @classmethod
    @asynccontextmanager
    async def open(
        cls, base: Path, key: str, services: Mapping[str, Service] | None = None
    ) -> AsyncIterator["SocketFolder"]:
        """Listen on the sockets of the conversation `key`; a folder left there is replaced.

        `services` are further sockets by their names, each with what answers a call.
        """
        path = base / folder_name(key)
        services = services or {}
        listeners = await asyncio.to_thread(_prepare, path, (SESSION_SOCKET, TOOLS_SOCKET, *services))
        fault: Exception | None = None
        try:
            folder = cls(path)
            async with asyncio.TaskGroup() as group:
                session = Door(listeners[SESSION_SOCKET], folder._on_session, 1)
                doors = [group.create_task(session.attend(calls=1))]  # there is one agent
                tools = Door(listeners[TOOLS_SOCKET], folder._on_tools, MOST_TOOL_CONNECTIONS)
                doors.append(group.create_task(tools.attend()))
                for name, service in services.items():
                    door = Door(listeners[name], service, MOST_SERVICE_CONNECTIONS)
                    doors.append(group.create_task(door.attend()))
                try:
                    yield folder
                except Exception as error:  # noqa: BLE001 - raised below, as it is and not as a group
                    fault = error
                finally:
                    for task in doors:
                        task.cancel()
        finally:
            for listener in listeners.values():
                listener.close()
            await asyncio.to_thread(shutil.rmtree, path, ignore_errors=True)
        if fault is not None:
            raise fault

    async def serve_tools(self, serve: Serve) -> None:
        """Serve each connection to tools.sock until cancelled."""
        async with asyncio.TaskGroup() as group:
            while True:
                reader, writer = await self._tools.get()
                group.create_task(self._serve_one(serve, reader, writer))

    async def _serve_one(
        self, serve: Serve, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        try:
            await serve(reader, writer)
        finally:
            self._open -= 1
            writer.transport.abort()

    def _on_session(self) -> asyncio.BaseProtocol:
        return _stream(self._called_session)

    def _on_tools(self) -> asyncio.BaseProtocol:
        return _stream(self._called_tools)

    def _called_session(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.session.done():  # nobody waits any more
            writer.transport.abort()
        else:
            self.session.set_result((reader, writer))

    def _called_tools(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Counted until it is served to its end, which may be later than it hangs up."""
        if self._open >= MOST_TOOL_CONNECTIONS:
            writer.transport.abort()
        else:
            self._open += 1
            self._tools.put_nowait((reader, writer))


def _stream(called: Callable[[asyncio.StreamReader, asyncio.StreamWriter], None]) -> asyncio.BaseProtocol:
    return asyncio.StreamReaderProtocol(asyncio.StreamReader(), called)


_ROOM = LONGEST_PATH - len(f"/{folder_name('')}/{SESSION_SOCKET}")  #: for the folder itself


def fits(base: Path) -> bool:
    """Whether the path of a socket below this folder is short enough for the system."""
    return len(bytes(base)) <= _ROOM


def check_length(base: Path) -> None:
    """Raise SandboxUnavailable when a socket below this folder would have too long a path."""
    if not fits(base):
        message = (
            f"The path of the sockets' folder may have {_ROOM} bytes at most; this one is longer: {base}"
        )
        raise SandboxUnavailable(message)


def leftovers(base: Path, keep: set[str]) -> list[Path]:
    """Folders of sockets below `base` that serve none of the keys in `keep`."""
    names = {folder_name(key) for key in keep}
    return [path for path in base.iterdir() if path.name not in names] if base.is_dir() else []


def _prepare(path: Path, names: Iterable[str]) -> dict[str, socket.socket]:
    check_length(path.parent)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.parent.chmod(0o700)  # nobody else on this machine comes near; a container sees its own folder only
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir()
    path.chmod(0o755)
    with ExitStack() as undo:
        listeners = {name: undo.enter_context(_bind(path / name)) for name in names}
        undo.pop_all()
    return listeners


def _bind(path: Path) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        listener.bind(str(path))
        path.chmod(0o666)  # the user inside is another one; the folder decides who comes here
        listener.setblocking(False)
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener
