"""Which group hears of a run: the one that started it, else one of its project, else the main one."""

from demarch.notices import NoticeKind
from host.news.topics import CARDS, Manner
from host.news.wishes import Wishes
from host.people.registry import Group, Registry
from storage import sql
from storage.clock import Clock
from storage.database import Connection

_SQL = sql.load("host", "news")


class Routing:
    def __init__(self, registry: Registry, wishes: Wishes, clock: Clock, default_project: str) -> None:
        self._registry = registry
        self._wishes = wishes
        self._clock = clock
        self._default = default_project  #: of groups that name none

    def project_of(self, group: Group) -> str:
        return group.project or self._default

    async def way(
        self, conn: Connection, project: str, run: str, kind: NoticeKind
    ) -> tuple[Group | None, Manner]:
        """The group that hears of it, and how. A question its group does not take goes to the main one."""
        group = await self._group(conn, project, run)
        if group is None:
            return None, Manner.DROP
        manner = await self._wishes.manner(conn, group, kind, self._clock.now())
        main = self._main()
        if manner is Manner.DROP and kind in CARDS and main is not None:
            own = await self._wishes.manner(conn, main, kind, self._clock.now())
            return main, Manner.SILENT if own is Manner.SILENT else Manner.TELL
        return group, manner

    async def settle(self, conn: Connection, project: str, run: str, folder: str) -> None:
        """Remember who started a run."""
        await conn.execute(_SQL["news.settle_home"], project, run, folder)

    async def _group(self, conn: Connection, project: str, run: str) -> Group | None:
        home = await conn.fetchval(_SQL["news.home"], project, run)
        started = self._registry.group(home) if home else None
        if started is not None and started.addresses:
            return started
        working = [
            group
            for group in self._registry.groups()
            if group.addresses and self.project_of(group) == project
        ]
        # A group made for a project hears of it before the main one, which sees everything anyway.
        own = next((group for group in working if not group.main and group.project), None)
        return own or self._main()

    def _main(self) -> Group | None:
        main = self._registry.main()
        return main if main is not None and main.addresses else None
