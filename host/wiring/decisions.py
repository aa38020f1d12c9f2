"""The decisions half of the host, put together: desk, tools, feed, claims, status, record of writes."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass

from container.agent import ToolBox
from host.conversation.turns import Turn
from host.decisions.approvals_store import Approvals
from host.decisions.asking import Asking
from host.decisions.board import Board
from host.decisions.deciding import Deciding
from host.decisions.desk import Desk, Parts
from host.decisions.errands import Errands
from host.decisions.executing import Execution
from host.decisions.expiry import Expiry
from host.decisions.flow import DiscoveryFlow
from host.decisions.followups import AgentEar
from host.decisions.hearing import Hearing
from host.decisions.looking import Looking
from host.decisions.permissions import Permissions
from host.decisions.settling import Settling
from host.news.following import Following
from host.news.pictures import Painter
from host.news.routing import Routing
from host.news.status import Degraded, Status, nobody
from host.news.wishes import Wishes
from host.people.claim import Claims
from host.people.roles import Roles
from host.spending.page import SpendPage
from host.spending.reports import Reports
from host.spending.spending import Spending
from host.spending.telling import SpendTelling
from host.swarm.swarm import Swarm
from host.tools.intents import Intents
from host.tools.lookups import Lookups
from host.tools.routing_reviews import ReviewRoutes
from host.tools.underway import Underway
from host.tools.writes import Writes
from host.tools.written import WrittenRecord
from host.wiring.decision_ground import Ground
from host.wiring.money import build_page, build_spending, build_telling
from host.wiring.news import News, build_news
from host.wiring.tooling import build_swarm, build_writing, toolboxes


@dataclass(frozen=True, slots=True, kw_only=True)
class Decisions:
    """What the rest of the host uses."""

    desk: Desk
    written: WrittenRecord
    following: Following
    news: News
    claims: Claims
    roles: Roles
    status: Status
    asking: Asking
    permissions: Permissions
    swarm: Swarm
    spending: Spending
    spend_telling: SpendTelling
    spend_page: SpendPage
    toolbox_for: Callable[[str, Callable[[], Turn | None]], ToolBox]

    async def recover(self) -> None:
        """At start, before anything new is handled."""
        await self.spending.load()
        await self.asking.forget()
        await self.desk.recover()


def build(ground: Ground, lanes: AgentEar, degraded: Degraded) -> Decisions:
    """Wire it. `lanes` may be made later than its tools: only its methods are called, and only then."""
    approvals = Approvals(ground.new_id, ground.below)
    intents = Intents(ground.new_id)
    board = Board(ground.outbox, ground.registry, ground.clock, ground.zone, ground.projects.told_apart)
    roles = Roles(registry=ground.registry, database=ground.database, audit=ground.audit)
    writes = Writes(
        projects=ground.projects,
        database=ground.database,
        outbox=ground.outbox,
        registry=ground.registry,
        registrar=roles,
        reviews=ReviewRoutes(
            projects=ground.projects,
            database=ground.database,
            outbox=ground.outbox,
            registry=ground.registry,
            ear=lanes,
        ),
        others=ground.coordinating.deeds(ground.clock) if ground.coordinating else None,
    )
    wishes = Wishes(ground.database)
    routing = Routing(ground.registry, wishes, ground.clock, ground.projects.default)
    flow = DiscoveryFlow(approvals, board, ground.clock)
    settling = Settling(
        database=ground.database,
        approvals=approvals,
        intents=intents,
        board=board,
        audit=ground.audit,
        lanes=lanes,
        routing=routing,
        flow=flow,
        clock=ground.clock,
    )
    spending = build_spending(ground)
    desk = _desk(ground, approvals, board, settling, writes, spending)
    asking = Asking(
        database=ground.database,
        approvals=approvals,
        desk=desk,
        settling=settling,
        clock=ground.clock,
        seconds=ground.timeout,
    )
    permissions = Permissions(
        database=ground.database,
        asking=asking,
        outbox=ground.outbox,
        audit=ground.audit,
        meter=ground.meter,
        isolated=ground.isolated,
    )
    underway = Underway()
    writing = build_writing(ground, intents, writes, desk, underway)
    lookups = Lookups(
        projects=ground.projects, database=ground.database, approvals=approvals, clock=ground.clock
    )
    swarm = build_swarm(ground, intents, asking, permissions, writing, lookups)
    painter = Painter(ground.zone, patience=3 * ground.picture_patience)
    reports = Reports(ground.database)
    spend_page = build_page(ground, spending, reports, painter)
    status = Status(
        database=ground.database,
        approvals=approvals,
        board=board,
        projects=ground.projects,
        painter=painter,
        degraded=degraded,
        spent=spend_page.line,
        picture_patience=ground.picture_patience,
        holding=ground.coordinating.overview.sections if ground.coordinating else nobody,
    )
    news = build_news(
        ground, approvals, board, settling, desk, painter, routing, wishes, flow, status.content
    )
    return Decisions(
        desk=desk,
        written=WrittenRecord(
            database=ground.database, intents=intents, writes=writes, underway=underway, clock=ground.clock
        ),
        following=news.following(),
        claims=Claims(
            database=ground.database,
            registry=ground.registry,
            roles=roles,
            audit=ground.audit,
            clock=ground.clock,
            random=secrets.token_bytes,
        ),
        roles=roles,
        status=status,
        news=news,
        asking=asking,
        permissions=permissions,
        swarm=swarm,
        spending=spending,
        spend_telling=build_telling(ground, approvals, settling, desk, painter, spending, reports),
        spend_page=spend_page,
        toolbox_for=toolboxes(ground, writing, lookups, swarm),
    )


def _desk(
    ground: Ground,
    approvals: Approvals,
    board: Board,
    settling: Settling,
    writes: Writes,
    spending: Spending,
) -> Desk:
    deciding = Deciding(
        database=ground.database,
        approvals=approvals,
        board=board,
        settling=settling,
        execution=Execution(projects=ground.projects, writes=writes, limits=spending, clock=ground.clock),
        projects=ground.projects,
        clock=ground.clock,
        holder=ground.holder,
    )
    expiry = Expiry(
        database=ground.database,
        approvals=approvals,
        deciding=deciding,
        settling=settling,
        clock=ground.clock,
        holder=ground.holder,
    )
    looking = Looking(
        database=ground.database, outbox=ground.outbox, projects=ground.projects, deciding=deciding
    )
    errands = Errands()
    hearing = Hearing(
        database=ground.database,
        approvals=approvals,
        board=board,
        settling=settling,
        deciding=deciding,
        looking=looking,
        errands=errands,
        clock=ground.clock,
    )
    parts = Parts(
        approvals=approvals,
        board=board,
        settling=settling,
        hearing=hearing,
        expiry=expiry,
        errands=errands,
    )
    return Desk(database=ground.database, clock=ground.clock, seconds=ground.timeout, parts=parts)
