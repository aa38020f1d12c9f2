"""intermute as it runs inside the host: a port that is taken or keys that cannot be read stop nobody else."""

import asyncio
import errno
from pathlib import Path

import structlog

from host.coordination.settings import IntermuteSettings
from host.phrases import sentence
from intermute import keys
from intermute.http.server import Listening
from intermute.keys import BadKeys, Keyring
from intermute.service import Service
from storage.clock import Clock

log = structlog.get_logger()

AGAIN = 5.0  #: seconds until what did not work is tried again
LOOK_EVERY = 5.0  #: seconds between two looks at the keys file


class Running:
    """Serves the service's own address, and keeps its keys fresh."""

    def __init__(
        self, service: Service, settings: IntermuteSettings, keyring: Keyring, keys_path: Path, clock: Clock
    ) -> None:
        self._service = service
        self._settings = settings
        self._keyring = keyring
        self._keys_path = keys_path
        self._clock = clock
        self._seen: tuple[int, int] | None = None
        self._keys_trouble = ""
        self._trouble = ""
        self.where: Listening | None = None  #: while it is served
        self.settled = asyncio.Event()  #: it is served, or it is known why not

    async def check(self) -> str:
        """What is wrong with it, "" when nothing is. Agents in containers need neither port nor keys."""
        await self.settled.wait()
        return self._trouble or self._keys_trouble

    async def run(self) -> None:
        """Until cancelled. A fault of the service is its own: it is begun again."""
        while True:
            try:
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(self._service.run())
                    await self._keep_serving()
            except Exception:  # the chats and their agents go on without it
                log.exception("intermute.failed")
                self._say("It failed, and is begun again; the log says why.")
            await self._clock.sleep(AGAIN)

    async def _keep_serving(self) -> None:
        while True:
            try:
                await self._serve()
            except (BadKeys, OSError) as error:
                self._say(self._words(error))
            await self._clock.sleep(AGAIN)

    async def _serve(self) -> None:
        """Until cancelled. Raises BadKeys, OSError. Without its keys it does not listen at all."""
        await self._read_keys()
        settings = self._settings
        async with self._service.serve(
            host=settings.host, port=settings.port, socket=settings.socket
        ) as listening:
            self.where = listening
            self._say("")
            try:
                await self._watch_keys()
            finally:
                self.where = None

    async def _read_keys(self) -> None:
        if await asyncio.to_thread(keys.make, self._keys_path):
            log.info("keys.made", path=str(self._keys_path))
        found = await asyncio.to_thread(_state, self._keys_path)
        if found != self._seen:
            await self._keyring.reload()
            self._seen = found

    async def _watch_keys(self) -> None:
        """A key that was added or taken away counts within seconds; a wrong file leaves the old ones."""
        while True:
            await self._clock.sleep(LOOK_EVERY)
            found = await asyncio.to_thread(_state, self._keys_path)
            if found == self._seen:
                continue
            self._seen = found
            try:
                await self._service.reload_keys()
                self._keys_trouble = ""
            except (BadKeys, OSError) as error:
                self._keys_trouble = f"{self._words(error)} The old keys stay in force."
                log.warning("keys.not_read", path=str(self._keys_path), reason=str(error))

    def _say(self, trouble: str) -> None:
        if trouble and trouble != self._trouble:
            log.warning("intermute.not_served", reason=trouble)
        self._trouble = trouble
        self.settled.set()

    def _words(self, error: BadKeys | OSError) -> str:
        if isinstance(error, BadKeys) or error.filename == str(self._keys_path):
            why = error.strerror if isinstance(error, OSError) else str(error)
            return f"Its keys file {self._keys_path} cannot be used: {sentence(why)}"
        settings = self._settings
        if settings.socket is not None and error.filename == str(settings.socket):
            why = "somebody else has it" if error.errno == errno.EADDRINUSE else str(error.strerror)
            return f"Its socket {settings.socket} cannot be had: {sentence(why)}"
        if error.errno == errno.EADDRINUSE:
            return (
                f"Port {settings.port} of {settings.host} is taken, so other programs do not reach it; "
                "INTERCOM_INTERMUTE__PORT sets another one."
            )
        return (
            f"It cannot listen on {settings.host} port {settings.port}: {sentence(error.strerror or error)}"
        )


def _state(path: Path) -> tuple[int, int] | None:
    """Changes whenever the file does."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino
