"""/discoveries: begins or continues the flow through a group's list; who may not decide sees the list."""

import asyncio
from collections.abc import Mapping
from typing import Any

import structlog

from bridges.messages import Content
from demarch.errors import DemarchError
from demarch.kernel import Discovery, Kernel
from demarch.notices import WORTH_ASKING, NoticeKind
from demarch.projects import Projects
from host.decisions.approvals import Approval
from host.decisions.board import DECIDERS, Board
from host.decisions.flow import Count, DiscoveryFlow
from host.decisions.settling import Settling
from host.news.routing import Routing
from host.people.registry import Group, Role
from host.phrases import one_line, quoted, sentence
from host.times import moment
from storage import sql
from storage.clock import Clock
from storage.database import Connection, Database

log = structlog.get_logger()

_SQL = sql.load("host", "triage")

PATIENCE = 10.0  #: seconds the kernel may take to list what it knows
MOST = 100  #: of each status that are asked for
SHOWN = 10
_STATUSES = ("proposed", "scored", "new")
HOW = "Write /discoveries to go through what was found, /discoveries now for what was put off as well."


class Discoveries:
    def __init__(
        self,
        *,
        database: Database,
        flow: DiscoveryFlow,
        settling: Settling,
        board: Board,
        routing: Routing,
        projects: Projects,
        clock: Clock,
    ) -> None:
        self._database = database
        self._flow = flow
        self._settling = settling
        self._board = board
        self._routing = routing
        self._projects = projects
        self._clock = clock

    async def page(self, group: Group, address: str, person: str, argument: str) -> Content | None:
        """The card to decide about, put in this chat; or in words why there is none, or the list."""
        if argument.lower() not in ("", "now"):
            return Content(text=HOW)
        project = self._projects.key(group.project)
        found, trouble = await self._known(project)
        decides = self._board.registry.role(group.folder, person) in DECIDERS
        async with self._database.transaction() as conn:
            await self._flow.lock(conn)
            home = await self._enrol(conn, project, found)
            if decides and argument:
                await self._flow.bring_back(conn, group.folder)
            said = await self._show(conn, group, address) if decides else await self._list(conn, group)
        self._board.wake([address])
        if said is None:
            return None
        elsewhere = "" if home is None or home.folder == group.folder else _elsewhere(home)
        return Content(text="\n".join(part for part in (said, elsewhere, trouble) if part))

    async def _known(self, project: str) -> tuple[list[Discovery], str]:
        """What the kernel has that is worth asking about; what was found before anybody followed it too."""
        try:
            async with asyncio.timeout(PATIENCE):
                return await worth_asking(self._projects.of(project)), ""
        except (DemarchError, TimeoutError) as error:
            log.info("discoveries.unlisted", project=project, reason=str(error))
            why = sentence(error, 200) if str(error) else "It took too long."
            return [], f"There may be more: the kernel did not list what it has. {why}"

    async def _enrol(self, conn: Connection, project: str, found: list[Discovery]) -> Group | None:
        """Onto the list of the group that hears of the project, which may be another one."""
        kind = NoticeKind.DISCOVERY_PROPOSED
        home, _ = await self._routing.way(conn, project, "", kind)
        rows = await conn.fetch(_SQL["triage.known"], project, [each.id for each in found])
        known = {row["discovery"] for row in rows}
        if home is not None:
            for each in (each for each in found if each.id not in known):
                await self._flow.enrol(conn, project, each, home.folder)
        return home

    async def _show(self, conn: Connection, group: Group, address: str) -> str | None:
        await self._flow.recount(conn, group.folder)
        card = await self._flow.open_card(conn, group.folder)
        if card is not None:
            await self._board.put(conn, card, address)
            return None
        asked = await self._flow.put_next(conn, group.folder, [address], silent=False)
        if asked is not None:
            await self._record(conn, asked)
            return None
        return self._nothing(await self._flow.count(conn, group.folder))

    async def _record(self, conn: Connection, asked: Approval) -> None:
        await self._settling.record(conn, asked, "approval.asked", "host")

    async def _list(self, conn: Connection, group: Group) -> str:
        """For who may look and not decide."""
        waiting = await self._flow.waiting(conn, group.folder, SHOWN)
        counted = await self._flow.count(conn, group.folder)
        if not waiting:
            return self._nothing(counted)
        lines = [f"{number}. {_line(each)}" for number, each in enumerate(waiting, 1)]
        more = [f"… and {counted.waiting - len(waiting)} more"] if counted.waiting > len(waiting) else []
        many = "1 discovery" if counted.waiting == 1 else f"{counted.waiting} discoveries"
        heading = f"{many} to decide about:"
        return "\n".join([heading, *lines, *more, f"{Role.APPROVER.value.capitalize()}s decide."])

    def _nothing(self, counted: Count) -> str:
        said = "No discovery waits for a decision."
        if not counted.later or counted.next_due is None:
            return said
        when = moment(counted.next_due, self._clock.now(), self._board.zone)
        again = "1 comes" if counted.later == 1 else f"{counted.later} come"
        return f"{said} {again} again {when}; /discoveries now asks at once."


async def worth_asking(kernel: Kernel) -> list[Discovery]:
    """What would have been told as proposed: by its status, or because it is relevant enough."""
    found = []
    for status in _STATUSES:
        listed = await kernel.discoveries(status=status, limit=MOST)
        found += [each for each in listed if status == "proposed" or each.score >= WORTH_ASKING]
    return found


def _line(subject: Mapping[str, Any]) -> str:
    origin = f"{one_line(subject['source'], 40)}, {subject['score'] * 100:.0f} %"
    return f"{one_line(subject['goal'], 160)} · {origin}"


def _elsewhere(home: Group) -> str:
    return f"What is found in this project is asked about in {quoted(home.title or home.folder, 40)}."
