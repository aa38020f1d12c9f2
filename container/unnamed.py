"""Finds files that processes hold without a name: removed, but open or mapped, and still taking room.

Nobody meets these by looking into folders, so an agent could fill a disk with them.
"""

import stat
from collections.abc import Collection, Iterator
from contextlib import suppress
from pathlib import Path

MOST_PROCESSES = 1000
MOST_FILES = 100_000
PROCESSES = Path("/proc")


def unnamed(leader: int, devices: Collection[int], processes: Path = PROCESSES) -> int:
    """The bytes such files take on these devices, for a process and all that descend from it. Blocks.

    What this user may not look into is left out.
    """
    found: dict[tuple[int, int], int] = {}
    seen = 0
    for process in family(leader, processes):
        for place in _held(processes / str(process)):
            seen += 1
            if seen > MOST_FILES:
                return sum(found.values())
            with suppress(OSError):  # closed, or ended
                file = place.stat()
                if file.st_nlink == 0 and stat.S_ISREG(file.st_mode) and file.st_dev in devices:
                    found[file.st_dev, file.st_ino] = file.st_blocks * 512
    return sum(found.values())


def belongs(process: int, name: str, processes: Path = PROCESSES) -> bool:
    """Whether a process of this machine is in the control group of that name."""
    try:
        return name in (processes / str(process) / "cgroup").read_text()
    except OSError:
        return False


def family(leader: int, processes: Path = PROCESSES) -> Iterator[int]:
    """A process and all that descend from it."""
    waiting, known = [leader], {leader}
    while waiting and len(known) <= MOST_PROCESSES:
        process = waiting.pop()
        yield process
        with suppress(OSError):
            for thread in (processes / str(process) / "task").iterdir():
                children = [int(word) for word in (thread / "children").read_text().split()]
                waiting += [child for child in children if child not in known]
                known.update(children)


def _held(process: Path) -> Iterator[Path]:
    for kind in ("fd", "map_files"):
        with suppress(OSError):
            yield from (process / kind).iterdir()
