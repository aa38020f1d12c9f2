"""Decides which extra folders a group's agents see, anew at every start of a container."""

import asyncio
import re
from collections.abc import Callable, Sequence
from pathlib import Path

import structlog

from container.sandbox import Mount
from host.mounts import allowlist
from host.mounts.allowlist import Allowlist, MountError, MountRefused
from host.people.profiles import ExtraMount
from host.people.registry import Group

log = structlog.get_logger()

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
#: what is no data of anybody's; a folder that contains one of these is refused as well
SYSTEM = (Path("/proc"), Path("/sys"), Path("/dev"), Path("/run"))


class Admission:
    """Checks mounts against the allow-list file. `admit` blocks; use it in threads."""

    def __init__(
        self,
        *,
        file: Path,
        off_limits: Sequence[Path],
        groups: Callable[[], Sequence[Group]],
        project: Path | None = None,
        run_in: Sequence[Path] = (),
    ) -> None:
        """`run_in`: where the host runs programs, which take their hooks and settings from there."""
        self._file = file
        self._off_limits = (*off_limits, file, *SYSTEM)
        self._groups = groups
        self._project = project
        self._run_in = tuple(run_in)

    async def mounts(self, group: Group, below: str) -> tuple[Mount, ...]:
        """Those of the group's extra mounts that may be; the log says why others are left out."""
        if not group.profile.mounts:
            return ()
        return await asyncio.to_thread(self._admitted, group, below)

    def admit(self, group: Group, wanted: ExtraMount, below: str) -> Mount:
        """One mount as it may be: read-only where the file or the group allows no more. Raises MountError."""
        allowed = allowlist.read(self._file, project=self._project)
        if allowed is None:
            raise MountRefused(
                f"There is no allow-list {self._file}, so no folder is mounted beside the group's own."
            )
        source = _resolved(wanted.source)
        self._refuse_blocked(allowed, Path(wanted.source), source)
        root = allowed.root_of(source)
        if root is None:
            raise MountRefused(f"{source} is not below a folder that {self._file} allows.")
        self._refuse_off_limits(source)
        self._refuse_below_writable(source)
        name = mount_name(wanted)
        may_write = (
            root.writable and (group.main or not allowed.others_read_only) and not self._is_run_in(source)
        )
        return Mount(
            source=source, target=f"{below}/{name}", writable=wanted.writable and may_write, counted=False
        )

    def state(self) -> str:
        """The allow-list in a few words, for the checklist. Raises AllowlistUnreadable."""
        allowed = allowlist.read(self._file, project=self._project)
        if allowed is None:
            return f"no file {self._file}: groups see their own folders only"
        return f"{len(allowed.roots)} folders may be mounted from ({self._file})"

    def refusals(self) -> list[str]:
        """Why mounts that groups have are left out, one sentence each. Raises AllowlistUnreadable."""
        allowlist.read(self._file, project=self._project)
        found: list[str] = []
        for group in self._groups():
            for wanted in group.profile.mounts:
                try:
                    self.admit(group, wanted, "")
                except MountRefused as error:
                    found.append(f"{group.folder}: {error}")
        return found

    def _admitted(self, group: Group, below: str) -> tuple[Mount, ...]:
        found: dict[str, Mount] = {}
        for wanted in group.profile.mounts:
            try:
                mount = self.admit(group, wanted, below)
                if mount.target in found:
                    raise MountRefused(f"Two mounts of {group.folder} have the name {mount_name(wanted)}.")
            except MountError as error:
                log.warning("mount.left_out", folder=group.folder, source=wanted.source, reason=str(error))
            else:
                found[mount.target] = mount
        return tuple(found.values())

    def _refuse_blocked(self, allowed: Allowlist, *paths: Path) -> None:
        for path in paths:
            if name := allowed.blocks(path):
                raise MountRefused(f"{path} is never mounted: its path has “{name}” in it.")

    def _refuse_off_limits(self, source: Path) -> None:
        for place in self._off_limits:
            away = place.resolve()
            if source == away or away in source.parents or source in away.parents:
                raise MountRefused(f"{source} is never mounted: {away} belongs to the host itself.")

    def _is_run_in(self, source: Path) -> bool:
        """Whoever could write there would have the host run what they wrote."""
        places = (place.resolve() for place in self._run_in)
        return any(source == place or place in source.parents or source in place.parents for place in places)

    def _refuse_below_writable(self, source: Path) -> None:
        """Whoever writes above the folder could put a link in its place while it is being mounted."""
        for group in self._groups():
            for other in group.profile.mounts:
                if not other.writable:
                    continue
                try:
                    above = _resolved(other.source)
                except MountRefused:
                    continue
                if above in source.parents:
                    raise MountRefused(
                        f"{source} is not mounted: it lies inside {above}, which agents of {group.folder} "
                        "may write to."
                    )


def mount_name(wanted: ExtraMount) -> str:
    """What the folder is called inside. Raises MountRefused."""
    name = wanted.name or Path(wanted.source).name
    if not NAME.fullmatch(name):
        raise MountRefused(
            f"“{name[:80]}” cannot be a name inside: 1 to 64 letters, digits, dots, - or _, "
            "beginning with a letter or digit."
        )
    return name


def _resolved(source: str) -> Path:
    path = Path(source)
    if not path.is_absolute():
        raise MountRefused(f"“{source[:200]}” is not a whole path; it begins with /.")
    try:
        found = path.resolve(strict=True)
    except (OSError, RuntimeError, ValueError) as error:
        raise MountRefused(f"{source[:200]} is not there any more, or leads in a circle.") from error
    if not found.is_dir():
        raise MountRefused(f"{found} is not a folder.")
    return found
