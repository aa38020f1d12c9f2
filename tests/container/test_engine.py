"""An engine that cannot be used is explained in words, with what to do about it."""

import asyncio
import socket
from pathlib import Path

import pytest
from requests.exceptions import ConnectionError as RequestsConnectionError
from urllib3.exceptions import ProtocolError

from container.docker import DockerSandbox
from container.engine import NOT_ALLOWED, NOT_ANSWERING, NOT_INSTALLED, NOT_RUNNING, Engine, told_in_words
from container.sandbox import SandboxUnavailable


async def test_an_engine_that_is_not_there_is_to_be_installed_or_started(folder: Path) -> None:
    engine = Engine(f"unix://{folder}/no.sock")
    with pytest.raises(SandboxUnavailable) as caught:
        await DockerSandbox("test", engine).check()
    assert str(caught.value) in {NOT_INSTALLED, NOT_RUNNING}
    await engine.close()


async def test_an_engine_that_refuses_connections_is_to_be_started(folder: Path) -> None:
    path = folder / "dead.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
    engine = Engine(f"unix://{path}")
    with pytest.raises(SandboxUnavailable, match="does not run"):
        await DockerSandbox("test", engine).check()
    await engine.close()


async def test_an_engine_that_does_not_answer_is_to_be_looked_at(folder: Path) -> None:
    path = folder / "mute.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        engine = Engine(f"unix://{path}", timeout=1)
        with pytest.raises(SandboxUnavailable) as caught:
            async with asyncio.timeout(10):
                await DockerSandbox("test", engine).check()
        assert str(caught.value) == NOT_ANSWERING
        await engine.close()


def test_an_engine_that_lets_nobody_in_names_the_group() -> None:
    denied = RequestsConnectionError(ProtocolError("aborted", PermissionError(13, "Permission denied")))
    with pytest.raises(SandboxUnavailable) as caught, told_in_words():
        raise denied
    assert str(caught.value) == NOT_ALLOWED
