"""A real agent without us: its own program as a child process, taken out of its image, on the same models."""

import asyncio
import os
import signal
import sys
import tarfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING

from container.agent import Runtime
from container.conversation import Conversation
from container.engine import Engine
from container.planning import HOME, PROGRAMS
from container.runtimes import MODEL_BASE, PACKAGES, PLACEHOLDER
from container.wire import AgentStream, Line
from tests.servers.models import KEY

if TYPE_CHECKING:
    from docker import APIClient

_NODE = "/usr/local/bin/node"
_TAKEN = {
    "claude": (),
    "codex": (f"{PROGRAMS}/codex.cjs", f"{PROGRAMS}/codex.json"),
    "gemini": ("/etc/gemini-cli",),
}
_TOOLLESS = Path(__file__).with_name("toolless.py")
_MOST = 1 << 20


@asynccontextmanager
async def plain(engine: Engine, runtime: Runtime, models: str, place: Path) -> AsyncIterator[Conversation]:
    """An open session with it. `models` is where the providers are, `place` an empty folder."""
    for path in (PACKAGES, _NODE, *_TAKEN[runtime.name]):
        await engine.run(partial(_take_out, image=runtime.image, path=path, place=place))
    home = place / "home"
    home.mkdir()
    moved = {
        PACKAGES: f"{place}{PACKAGES}",
        PROGRAMS: f"{place}{PROGRAMS}",
        _NODE: f"{place}{_NODE}",
        HOME: str(home),
        MODEL_BASE: models,
        PLACEHOLDER: KEY,
    }
    settings = place / PROGRAMS[1:] / "codex.json"
    if settings.exists():
        keyless = _moved(settings.read_text(), moved)
        settings.write_text(keyless.replace('"requires_openai_auth": false', '"env_key": "OPENAI_API_KEY"'))
    environment = {name: _moved(value, moved) for name, value in runtime.environment.items()}
    environment |= {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "GEMINI_CLI_SYSTEM_SETTINGS_PATH": f"{place}/etc/gemini-cli/settings.json",
        runtime.model_variable: runtime.models[0],
    }
    await asyncio.to_thread(Path(_moved(runtime.state, moved)).mkdir, parents=True)
    process = await asyncio.create_subprocess_exec(
        *(_moved(word, moved) for word in runtime.command),
        env=environment,
        cwd=home,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True,
        limit=_MOST,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        async with asyncio.TaskGroup() as group:
            conversation = Conversation(AgentStream(Line(process.stdout, process.stdin)), group)
            await conversation.start((sys.executable, str(_TOOLLESS)), str(home))
            yield conversation
            await conversation.close()
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


def _moved(text: str, moved: dict[str, str]) -> str:
    for inside, outside in moved.items():
        text = text.replace(inside, outside)
    return text


def _take_out(client: "APIClient", *, image: str, path: str, place: Path) -> None:
    """Copy a file or folder out of an image to the same path below `place`."""
    made = client.create_container(image, ["true"])["Id"]
    try:
        pieces, _ = client.get_archive(made, path)
        target = (place / path[1:]).parent
        target.mkdir(parents=True, exist_ok=True)
        with TemporaryFile() as packed:
            for piece in pieces:
                packed.write(piece)
            packed.seek(0)
            with tarfile.open(fileobj=packed) as archive:
                archive.extractall(target, filter="fully_trusted")  # noqa: S202 - out of our own image
    finally:
        client.remove_container(made, force=True)
