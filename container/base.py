"""A base image without a registry: Python from this machine's own package sources, made with mmdebstrap.

The sources are those of the machine. Their names are nobody's business: they are neither printed nor stored.
"""

import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import IO, TYPE_CHECKING

from container.sandbox import ImageMissing

if TYPE_CHECKING:
    from docker import APIClient

REPOSITORY = "intercom-base"
LABEL = "io.intercom.base"
TIMEOUT = 600  #: seconds
RECIPE = "2"  #: raise it when what is made below changes
TOOLS = (  #: what agents run in their shell, as in the usual base; and the library Node.js stands on
    "bash", "ca-certificates", "coreutils", "dash", "diffutils", "findutils", "grep", "gzip", "libc-bin",
    "libstdc++6", "mawk", "sed", "tar",
)  # fmt: skip
NOT_INSTALLED = "mmdebstrap is not installed, and no registry answers. Install it: apt-get install mmdebstrap"
NO_PYTHON = "This machine's package sources have no Python 3.11 or newer"

_STEPS = {
    "running apt-get update": "reading the package lists",
    "downloading packages": "downloading the packages",
    "extracting archives": "unpacking",
    "creating tarball": "packing",
}
_ADDRESS = re.compile(r"\S*(?:://|\.[a-z]{2,}[/:])\S*|\b[\w-]+(?:\.[\w-]+)+\b", re.IGNORECASE)


def packages(release: str) -> list[str]:
    """Python of this version and the agents' tools; what they depend on comes with them."""
    return [
        f"python{release}-minimal", f"libpython{release}-minimal", f"libpython{release}-stdlib", *TOOLS
    ]  # fmt: skip


def python_release() -> str:
    """The version of Python that this machine's distribution carries, such as "3.11"."""
    said = _output(["apt-cache", "depends", "python3-minimal"])
    found = re.search(r"python(3\.\d+)-minimal", said)
    if not found or int(found[1].split(".")[1]) < 11:
        raise ImageMissing(f"{NO_PYTHON}, and no registry answers. The image needs one of them.")
    return found[1]


def local_name(release: str, codename: str) -> str:
    recipe = "\n".join([RECIPE, codename, *packages(release)])
    return f"{REPOSITORY}:{sha256(recipe.encode()).hexdigest()[:12]}"


def codename(release_file: Path = Path("/etc/os-release")) -> str:
    text = release_file.read_text() if release_file.is_file() else ""
    found = re.search(r"^VERSION_CODENAME=\"?([a-z]+)", text, re.MULTILINE)
    if not found:
        raise ImageMissing("This machine's distribution is not known, and no registry answers.")
    return found[1]


def sources(folder: Path = Path("/etc/apt")) -> list[Path]:
    """The files in which this machine's apt names its sources."""
    parts = sorted((folder / "sources.list.d").glob("*"))
    named = [folder / "sources.list", *(part for part in parts if part.suffix in {".list", ".sources"})]
    return [file for file in named if file.is_file() and _has_source(file)]


def make(client: "APIClient", progress: Callable[[str], None]) -> str:
    """Make the base unless it is there; its name. Blocks for seconds to minutes."""
    release, suite = python_release(), codename()
    name = local_name(release, suite)
    if client.images(name):
        return name
    if shutil.which("mmdebstrap") is None:
        raise ImageMissing(NOT_INSTALLED)
    progress(f"Making a base image with Python {release} from this machine's package sources.")
    with tempfile.TemporaryDirectory() as scratch, tempfile.TemporaryFile() as packed:
        settings = Path(scratch) / "apt.conf"
        settings.touch(mode=0o600)  # a proxy's password may be in there
        settings.write_text(apt_settings(_output(["apt-config", "dump"])))
        _bootstrap(suite, release, settings, packed, progress)
        size = packed.tell()
        packed.seek(0)
        progress(f"Importing the base image ({size // 1_000_000} MB).")
        repository, tag = name.split(":")
        client.import_image(
            src=packed, repository=repository, tag=tag,
            changes=[f"LABEL {LABEL}={release}", "ENV LC_ALL=C.UTF-8", 'CMD ["python3"]'],
        )  # fmt: skip
    return name


def apt_settings(dump: str) -> str:
    """How this machine's apt fetches (proxies, time limits, checks); mmdebstrap does not look by itself."""
    return "".join(f"{line}\n" for line in dump.splitlines() if re.match(r'Acquire::[^"]+ "[^"]*";$', line))


def _bootstrap(
    suite: str, release: str, settings: Path, into: IO[bytes], progress: Callable[[str], None]
) -> None:
    command = [
        "mmdebstrap", "--variant=extract", "--format=tar", f"--include={','.join(packages(release))}",
        f"--aptopt={settings}",
        f'--extract-hook=ln -sf python{release} "$1/usr/bin/python3"',
        '--extract-hook=ln -sf mawk "$1/usr/bin/awk"',
        '--extract-hook=[ -e "$1/bin/sh" ] || ln -s dash "$1/bin/sh"',
        '--extract-hook=rm -rf "$1/usr/share/doc" "$1/usr/share/man" "$1/usr/share/locale"',
        suite, "-", *map(str, sources()),
    ]  # fmt: skip
    with subprocess.Popen(  # noqa: S603 - our own words, and files of this machine
        command, stdout=into, stderr=subprocess.PIPE, text=True, errors="replace"
    ) as process:
        said = _follow(process.stderr, progress)
        status = process.wait(TIMEOUT)
    if status != 0:
        raise ImageMissing(f"mmdebstrap could not make the base image: {_without_addresses(said)}")


def _follow(lines: IO[str] | None, progress: Callable[[str], None]) -> list[str]:
    """Tell the steps, keep the errors."""
    errors = []
    for line in lines or ():
        for mark, step in _STEPS.items():
            if mark in line:
                progress(f"Base image: {step} …")
        if line.startswith("E:"):
            errors.append(line.strip())
    return errors


def _without_addresses(errors: Sequence[str]) -> str:
    told = "; ".join(_ADDRESS.sub("…", error) for error in errors[-2:])
    return told[:300] or "it gave no reason."


def _has_source(file: Path) -> bool:
    return re.search(r"^\s*(deb\s|URIs:)", file.read_text(errors="replace"), re.MULTILINE) is not None


def _output(command: Sequence[str]) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)  # noqa: S603
        return done.stdout
    except (OSError, subprocess.SubprocessError) as error:
        raise ImageMissing(f"{NO_PYTHON}, and no registry answers.") from error
