"""The folders an agent works in: made with the right owner, and which of them it sees where."""

import asyncio
import os
from collections.abc import Collection
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

import structlog

from container.agent import Runtime
from container.folder import FolderError
from container.planning import (
    ARCHIVE_FOLDER,
    EXTRA_FOLDER,
    GLOBAL_FOLDER,
    GROUP_FOLDER,
    user_inside,
)
from container.sandbox import Mount
from host.conversation.files_out import FOLDER as OUTBOX
from host.conversation.memory import Memory
from host.conversation.project import TooMuchToHide, project_mounts
from host.mounts.admission import Admission
from host.people.registry import Group

log = structlog.get_logger()

GROUPS = "groups"
GLOBAL = "global"
STATE = "state"
CONVERSATIONS = "conversations"
EMPTY = "empty"  #: what lies over things that agents must not read
SETTINGS_FILE = Path(".env")  #: of the host, in the folder it was started in


class Workspace:
    """The folders of one install below `home`."""

    def __init__(
        self,
        home: Path,
        *,
        admission: Admission,
        project: Path | None = None,
        projects: Collection[Path] = (),
    ) -> None:
        """`project` is the default one, `projects` are those that groups may be given."""
        self._home = home
        self._admission = admission
        self._project = project
        self._projects = frozenset(projects)
        self._user, self._group = user_inside(os.geteuid(), os.getegid())
        self.transcripts = home / CONVERSATIONS

    def group_folder(self, folder: str) -> Path:
        """What the group's agents write to; to be opened beneath a descriptor only."""
        return self._home / GROUPS / folder

    def state_folder(self, lane: str, runtime: str) -> Path:
        """Where a program keeps what it needs to load the lane's conversation again."""
        return self._home / STATE / sha256(lane.encode()).hexdigest()[:16] / runtime

    async def mounts(self, lane: str, group: Group, runtime: Runtime) -> tuple[Mount, ...]:
        """Make what is missing and say what the agent sees. Raises OSError."""
        own = await asyncio.to_thread(self._made, lane, group, runtime)
        return (*own, *await self._admission.mounts(group, EXTRA_FOLDER))

    async def global_memory(self, group: Group) -> str:
        """What the main group's people keep for all others, as their agents read it; "" for itself."""
        if group.main:
            return ""
        try:
            return await asyncio.to_thread(Memory(self._home / GROUPS / GLOBAL).for_others)
        except FolderError as error:
            log.warning("memory.not_read", folder=GLOBAL, reason=str(error))
            return ""

    def _made(self, lane: str, group: Group, runtime: Runtime) -> tuple[Mount, ...]:
        own = self._folder(self.group_folder(group.folder))
        common = self._folder(self._home / GROUPS / GLOBAL)
        archive = self.transcripts / group.folder
        archive.mkdir(parents=True, exist_ok=True)
        archive.chmod(0o755)
        try:
            Memory(own).prepare(runtime.memory)
            Memory(common).prepare_global()
        except FolderError as error:  # an agent put something else there: it goes without
            log.warning("memory.not_prepared", folder=group.folder, reason=str(error))
        self._outbox(own)
        mounts = [
            Mount(source=own, target=GROUP_FOLDER, writable=True),
            Mount(source=common, target=GLOBAL_FOLDER, writable=group.main),
            Mount(source=archive, target=ARCHIVE_FOLDER),
        ]
        if runtime.state:
            state = self._folder(self.state_folder(lane, runtime.name))
            mounts.append(Mount(source=state, target=runtime.state, writable=True))
        project = self._project_of(group) if group.main else None
        return (*mounts, *(self._project_mounts(project) if project else ()))

    def _project_of(self, group: Group) -> Path | None:
        """One that is not allowed (any more) is not shown."""
        if not group.project:
            return self._project
        own = Path(group.project)
        return own if own in self._projects else None

    def _project_mounts(self, project: Path) -> tuple[Mount, ...]:
        try:
            return project_mounts(project, [self._home, SETTINGS_FILE], self._home / EMPTY)
        except (OSError, TooMuchToHide) as error:
            log.warning("project.not_shown", reason=str(error))
            return ()

    def _outbox(self, own: Path) -> None:
        """Where files for the chat go, ready to be used; whatever an agent put in its place is left alone."""
        folder = os.open(own, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            with suppress(FileExistsError):
                os.mkdir(OUTBOX, 0o700, dir_fd=folder)
                if os.geteuid() == 0:
                    os.chown(OUTBOX, self._user, self._group, dir_fd=folder, follow_symlinks=False)
        finally:
            os.close(folder)

    def _folder(self, path: Path) -> Path:
        """A folder that the agents' user owns; those above it are the host's own."""
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with suppress(FileExistsError):
            path.mkdir(mode=0o700)
        opened = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            if os.fstat(opened).st_uid != self._user and os.geteuid() == 0:
                os.fchown(opened, self._user, self._group)
            os.fchmod(opened, 0o700)
        finally:
            os.close(opened)
        return path
