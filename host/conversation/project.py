"""The project as the main group's agents see it: read-only, without what holds keys or is the host's own."""

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from container.sandbox import Mount
from host.mounts.allowlist import BLOCKED

PROJECT_FOLDER = "/workspace/project"
MOST_HIDDEN = 200
MOST_LOOKED_AT = 10_000  #: entries


class TooMuchToHide(Exception):
    """The project is not shown at all; the message says why."""


def project_mounts(project: Path, own: Iterable[Path], empty: Path) -> tuple[Mount, ...]:
    """The project's folder, and an empty file or folder over each thing in it that agents must not read.

    That is what is called like something with keys in it, down to two folders deep, and the host's `own`
    places wherever they are. `empty` is a folder of the host for the two empty things. Blocks.
    Raises OSError, TooMuchToHide.
    """
    root = project.resolve(strict=True)
    hidden = {path for each in own if (path := _real(each)) is not None and root in (path, *path.parents)}
    if root in hidden:
        raise TooMuchToHide(f"{root} is where the host keeps its own data.")
    hidden |= set(_secret(root))
    if len(hidden) > MOST_HIDDEN:
        raise TooMuchToHide(f"{root} has more than {MOST_HIDDEN} files with names like those of keys.")
    file, folder = empty / "file", empty / "folder"
    folder.mkdir(parents=True, exist_ok=True)
    file.touch()
    covers = (
        Mount(source=folder if path.is_dir() else file, target=f"{PROJECT_FOLDER}/{path.relative_to(root)}")
        for path in sorted(hidden)
        if not any(above in hidden for above in path.parents)
    )
    return (Mount(source=root, target=PROJECT_FOLDER), *covers)


def _secret(root: Path) -> Iterator[Path]:
    """What is called like something with keys in it; of a link what it leads to inside the project."""
    for path in _entries(root):
        name = path.name.casefold()
        if any(name == blocked or name.startswith(f"{blocked}.") for blocked in BLOCKED):
            real = _real(path)
            if real is not None and root in real.parents:
                yield real


def _entries(root: Path) -> list[Path]:
    paths = (path for deep in ("*", "*/*", "*/*/*") for path in root.glob(deep))
    found = list(islice(paths, MOST_LOOKED_AT + 1))
    if len(found) > MOST_LOOKED_AT:
        raise TooMuchToHide(f"{root} has too many files to look through for keys.")
    return found


def _real(path: Path) -> Path | None:
    try:
        return path.resolve(strict=True)
    except (OSError, RuntimeError):
        return None
