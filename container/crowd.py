"""Counts the processes and threads of an agent, without asking anybody who would have to be waited for."""

from contextlib import suppress
from pathlib import Path

from container.unnamed import PROCESSES, family

GROUPS = Path("/sys/fs/cgroup")


def crowd_of_group(leader: int, name: str, processes: Path = PROCESSES, groups: Path = GROUPS) -> int | None:
    """How many are in the control group `name`, in which `leader` is; None when that cannot be read here.

    Both versions of control groups are understood. Blocks, hardly.
    """
    with suppress(OSError, ValueError):
        for line in (processes / str(leader) / "cgroup").read_text().splitlines():
            _, controllers, place = line.split(":", 2)
            if name in place and controllers in {"pids", ""}:
                with suppress(FileNotFoundError):
                    return int((groups / controllers / place.lstrip("/") / "pids.current").read_text())
    return None


def crowd_of_family(leader: int, processes: Path = PROCESSES) -> int:
    """How many a process and all that descend from it are. Blocks."""
    found = 0
    for process in family(leader, processes):
        with suppress(OSError):  # ended
            found += sum(1 for _ in (processes / str(process) / "task").iterdir())
    return found
