"""Joins an agent inside the sandbox to the host's sockets.

bridge.py session SOCKET -- COMMAND...   connect, put the socket in place of stdin and stdout, become COMMAND:
                                         no byte of the talk is copied, and when the host goes away the agent
                                         reads the end of its input. Where the host serves a model or a way
                                         out, a small process passes loopback ports on to those sockets.
bridge.py tools SOCKET                   copy bytes between stdin/stdout (pipes an agent made) and the socket.
"""

import _socket
import _thread
import os
import sys
import time

CHUNK = 64 * 1024
FORWARDED = ("model.sock", "egress.sock")  #: the sockets that agents reach through a port
PATIENCE = 5.0  #: seconds to wait for a socket that is not there yet
USAGE = "usage: bridge.py session SOCKET -- COMMAND... | bridge.py tools SOCKET"


def connect(path: str, patience: float = PATIENCE) -> _socket.socket:
    """Connect, waiting a little for a host that is still opening the socket."""
    deadline = time.monotonic() + patience
    while True:
        connection = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
        try:
            connection.connect(path)
        except (FileNotFoundError, ConnectionRefusedError, BlockingIOError):
            connection.close()
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return connection


def session(path: str, command: list[str]) -> None:
    """Become the agent, talking to the host over what looks like stdin and stdout."""
    folder = path.rpartition("/")[0]
    if any(os.access(f"{folder}/{name}", os.F_OK) for name in FORWARDED):
        _forward(folder)
    connection = connect(path)
    os.dup2(connection.fileno(), 0)
    os.dup2(connection.fileno(), 1)
    connection.close()
    os.execvp(command[0], command)  # noqa: S606 - becoming the agent is the purpose


def _forward(folder: str) -> None:
    """Loaded only where it is needed: the others start the faster without."""
    # Isolated mode leaves the script's own folder out of the search path.
    sys.path.insert(0, __file__.rpartition("/")[0])
    __import__("forward").start(folder)


def tools(path: str) -> None:
    """Copy until the host closes; the end of stdin is passed on as a half-close."""
    connection = connect(path)
    _thread.start_new_thread(_upstream, (connection,))
    try:
        while data := connection.recv(CHUNK):
            _write(1, data)
    except OSError:  # either side is gone, and there is nobody left to tell
        pass
    os._exit(0)  # the other thread may be blocked in a read that never ends


def _upstream(connection: _socket.socket) -> None:
    try:
        while data := os.read(0, CHUNK):
            connection.sendall(data)
        connection.shutdown(_socket.SHUT_WR)
    except OSError:  # the host is gone: the downstream loop sees it too
        pass


def _write(descriptor: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def main(arguments: list[str]) -> None:
    match arguments:
        case ["session", path, "--", *command] if command:
            session(path, command)
        case ["tools", path]:
            tools(path)
        case _:
            raise SystemExit(USAGE)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except OSError as error:
        raise SystemExit(f"bridge: {error}") from None
