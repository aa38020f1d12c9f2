"""The Docker engine's API: a synchronous client used in threads of its own, its failures in our words."""

import asyncio
import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from container.sandbox import ImageMissing, SandboxUnavailable, StartFailed

if TYPE_CHECKING:
    from docker import APIClient

Result = TypeVar("Result")

THREADS = 8
DEFAULT_URL = "unix:///var/run/docker.sock"
OLDEST = "1.41"  #: of the API, to ask for the version with
TIMEOUT = 60  #: seconds one request may take
NOT_INSTALLED = "Docker is not installed here. Install it: apt-get install docker.io"
NOT_RUNNING = "Docker does not run. Start it: systemctl start docker (or, without systemd: dockerd &)"
NOT_ALLOWED = (
    "Docker does not let this user in. Add the user to its group: usermod -aG docker USER, then log in again"
)
NOT_ANSWERING = "Docker did not answer in time. Look at it: docker info"


class Engine:
    """One client, made at its first use, and the threads that use it."""

    def __init__(self, url: str | None = None, *, threads: int = THREADS, timeout: int = TIMEOUT) -> None:
        self._url = url
        self._timeout = timeout
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="docker")
        self._size = threads
        self._lock = threading.Lock()
        self._client: APIClient | None = None

    async def run(self, work: Callable[["APIClient"], Result]) -> Result:
        """Do `work` in a thread. Raises SandboxUnavailable, ImageMissing, StartFailed.

        A thread cannot be cancelled: when we are, the work still ends, and nobody learns how.
        """
        return await self.submit(work)

    def submit(self, work: Callable[["APIClient"], Result]) -> asyncio.Future[Result]:
        """The same, to be awaited later or by somebody else."""
        return asyncio.get_running_loop().run_in_executor(self._threads, self._do, work)

    async def close(self) -> None:
        await asyncio.to_thread(self._threads.shutdown)
        if self._client is not None:
            self._client.close()

    def _do(self, work: Callable[["APIClient"], Result]) -> Result:
        with told_in_words():
            with self._lock:
                if self._client is None:
                    self._client = connect(self._url, self._timeout, self._size)
            return work(self._client)


def connect(url: str | None, timeout: int, pool: int = 1) -> "APIClient":
    """A client that speaks the engine's own version of the API."""
    from docker import APIClient  # here, because it takes its time and not everybody has Docker

    _knock(url or DEFAULT_URL)
    asking = APIClient(base_url=url, version=OLDEST, timeout=timeout)
    try:
        spoken = asking.version(api_version=False)["ApiVersion"]
    finally:
        asking.close()
    return APIClient(base_url=url, version=spoken, timeout=timeout, max_pool_size=pool)


def _knock(url: str) -> None:
    """Try the engine's socket first: the client leaves its own open when that fails."""
    if url.startswith("unix://"):
        with socket.socket(socket.AF_UNIX) as knocking:
            try:
                knocking.connect(url.removeprefix("unix://"))
            except OSError as error:
                raise SandboxUnavailable(_reason(error)) from error


@contextmanager
def told_in_words() -> Iterator[None]:
    """Translate what the client and everything below it may raise."""
    from docker import errors
    from requests import exceptions

    try:
        yield
    except errors.ImageNotFound as error:
        raise ImageMissing("The image is not here.") from error
    except errors.APIError as error:
        raise StartFailed(
            f"Docker refused: {' '.join(str(error.explanation or error).split())[:300]}"
        ) from error
    except (errors.DockerException, exceptions.RequestException) as error:
        raise SandboxUnavailable(_reason(error)) from error


def _reason(error: BaseException) -> str:
    """What to do about an engine that cannot be reached; the cause is wrapped several times."""
    found = _os_error(error)
    if isinstance(found, PermissionError):
        return NOT_ALLOWED
    if isinstance(found, FileNotFoundError):
        return NOT_RUNNING if shutil.which("dockerd") else NOT_INSTALLED
    return NOT_RUNNING if isinstance(found, ConnectionError) else NOT_ANSWERING


def _os_error(error: BaseException | None, depth: int = 8) -> OSError | None:
    """The operating system's error inside; `requests` makes its own errors OSErrors too, without a number."""
    if error is None or depth == 0:
        return None
    if isinstance(error, OSError) and error.errno is not None:
        return error
    inner = [value for value in error.args if isinstance(value, BaseException)]
    for candidate in (*inner, error.__cause__, error.__context__):
        if found := _os_error(candidate, depth - 1):
            return found
    return None
