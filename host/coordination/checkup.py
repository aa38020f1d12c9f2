"""What `intercom doctor` says of intermute: its address and its keys."""

import asyncio
import errno
import http.client
import os
import socket
from pathlib import Path

from host.coordination.rules import keys_file
from host.coordination.settings import IntermuteSettings
from host.doctor import Finding
from host.phrases import count
from host.settings import Settings

NAME = "Intermute"
PATIENCE = 2.0  #: seconds


async def intermute_finding(settings: Settings) -> Finding:
    """One line of the checklist; looking changes nothing."""
    if not settings.intermute.enabled:
        return Finding(name=NAME, ok=True, words="off: INTERCOM_INTERMUTE__ENABLED")
    return await asyncio.to_thread(_look, settings)


def _look(settings: Settings) -> Finding:
    path = keys_file(settings, beside=settings.home)
    keys, trouble = _keys(path)
    if trouble:
        mend = f"mend {path}, or move it away: the next start makes a new one"
        return Finding(
            name=NAME, ok=False, words=f"the keys file {path} cannot be used: {trouble}", mend=mend
        )
    return _port(settings.intermute, keys)


def _keys(path: Path) -> tuple[str, str]:
    """What is in the file, and what is wrong with it."""
    from intermute.keys import BadKeys, parse

    try:
        found = parse(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return f"the start makes {path}", ""
    except (BadKeys, OSError, UnicodeDecodeError) as error:
        return "", str(error)
    local = "" if found.local_without_key else ", needed on this machine too"
    return f"{count(len(found.projects), 'key')} in {path}{local}", ""


def _port(settings: IntermuteSettings, keys: str) -> Finding:
    where = f"{settings.host} port {settings.port}"
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        socket.create_server((settings.host, settings.port), family=family).close()
    except OSError as error:
        if error.errno == errno.EADDRINUSE and _is_ours(settings):
            return Finding(name=NAME, ok=True, words=f"it is served on {where}; {keys}")
        words = f"cannot listen on {where}: {_reason(error)}"
        return Finding(name=NAME, ok=False, words=words, mend="set INTERCOM_INTERMUTE__PORT to a free port")
    return Finding(name=NAME, ok=True, words=f"{where} is free; {keys}")


def _reason(error: OSError) -> str:
    """Without what the library adds. A name that stands for no address has a number below zero."""
    number = error.errno or 0
    return os.strerror(number) if number > 0 else error.strerror or str(error)


def _is_ours(settings: IntermuteSettings) -> bool:
    """Whether what listens there is a service of this program: the original has no OpenAPI document."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)  # noqa: S104 - asked there
    connection = http.client.HTTPConnection(host, settings.port, timeout=PATIENCE)
    try:
        connection.request("GET", "/openapi.json", headers={"Host": f"localhost:{settings.port}"})
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
