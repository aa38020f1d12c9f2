"""The decisions half of the host, put together: desk, tools, feed, claims, status, record of writes."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import tzinfo

from container.agent import ToolBox
from demarch.feed import Feed
from demarch.kernel import Kernel
from host.approvals_store import Approvals
from host.audit import Audit
from host.board import Board
from host.claim import Claims
from host.codes import Below
from host.deciding import Deciding
from host.desk import Desk, Parts
from host.errands import Errands
from host.executing import Execution
from host.expiry import Expiry
from host.feed import FeedConsumer
from host.followups import AgentEar
from host.hearing import Hearing
from host.intents import Intents
from host.looking import Looking
from host.outbox import Outbox
from host.permissions import Permissions
from host.pictures import Painter
from host.registry import Registry
from host.roles import Roles
from host.settling import Settling
from host.status import Degraded, Status
from host.telling import Rules, Telling
from host.toolbox import LaneToolBox
from host.turns import Turn
from host.underway import Underway
from host.writes import Writes
from host.writing import Writing
from host.written import WrittenRecord
from storage.clock import Clock
from storage.database import Database
from storage.ids import NewId


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What everything here stands on."""

    database: Database
    clock: Clock
    new_id: NewId
    outbox: Outbox
    registry: Registry
    audit: Audit
    kernel: Kernel
    zone: tzinfo  #: of those who read
    holder: str  #: the install's id: leases of an earlier life of the same install are ours
    timeout: float  #: seconds until an open card defers itself
    extend_percent: int
    picture_patience: float = 3.0  #: seconds a message waits for its picture
    below: Below = secrets.randbelow


@dataclass(frozen=True, slots=True, kw_only=True)
class Decisions:
    """What the rest of the host uses."""

    desk: Desk
    written: WrittenRecord
    feed: FeedConsumer
    claims: Claims
    roles: Roles
    status: Status
    permissions: Permissions
    toolbox_for: Callable[[str, Callable[[], Turn | None]], ToolBox]

    async def recover(self) -> None:
        """At start, before anything new is handled."""
        await self.permissions.forget()
        await self.desk.recover()


def build(ground: Ground, lanes: AgentEar, degraded: Degraded) -> Decisions:
    """Wire it. `lanes` may be made later than its tools: only its methods are called, and only then."""
    approvals = Approvals(ground.new_id, ground.below)
    intents = Intents(ground.new_id)
    board = Board(ground.outbox, ground.registry, ground.clock, ground.zone)
    roles = Roles(registry=ground.registry, database=ground.database, audit=ground.audit)
    writes = Writes(
        kernel=ground.kernel,
        database=ground.database,
        outbox=ground.outbox,
        registry=ground.registry,
        registrar=roles,
    )
    settling = Settling(
        database=ground.database,
        approvals=approvals,
        intents=intents,
        board=board,
        audit=ground.audit,
        lanes=lanes,
        clock=ground.clock,
    )
    desk = _desk(ground, approvals, board, settling, writes)
    underway = Underway()
    painter = Painter(ground.zone, patience=3 * ground.picture_patience)
    return Decisions(
        desk=desk,
        written=WrittenRecord(
            database=ground.database, intents=intents, writes=writes, underway=underway, clock=ground.clock
        ),
        feed=_feed(ground, approvals, board, settling, desk, painter),
        claims=Claims(
            database=ground.database,
            registry=ground.registry,
            roles=roles,
            audit=ground.audit,
            clock=ground.clock,
            random=secrets.token_bytes,
        ),
        roles=roles,
        status=Status(
            database=ground.database,
            approvals=approvals,
            board=board,
            kernel=ground.kernel,
            painter=painter,
            degraded=degraded,
            picture_patience=ground.picture_patience,
        ),
        permissions=Permissions(
            database=ground.database,
            approvals=approvals,
            desk=desk,
            settling=settling,
            clock=ground.clock,
            seconds=ground.timeout,
        ),
        toolbox_for=_toolboxes(ground, intents, writes, desk, underway),
    )


def _desk(ground: Ground, approvals: Approvals, board: Board, settling: Settling, writes: Writes) -> Desk:
    deciding = Deciding(
        database=ground.database,
        approvals=approvals,
        board=board,
        settling=settling,
        execution=Execution(kernel=ground.kernel, writes=writes, clock=ground.clock),
        kernel=ground.kernel,
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
    looking = Looking(database=ground.database, outbox=ground.outbox, kernel=ground.kernel, deciding=deciding)
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


def _feed(
    ground: Ground, approvals: Approvals, board: Board, settling: Settling, desk: Desk, painter: Painter
) -> FeedConsumer:
    telling = Telling(
        desk=desk,
        settling=settling,
        approvals=approvals,
        board=board,
        clock=ground.clock,
        rules=Rules(seconds=ground.timeout, percent=ground.extend_percent),
    )
    return FeedConsumer(
        database=ground.database,
        feed=Feed(ground.kernel),
        telling=telling,
        desk=desk,
        registry=ground.registry,
        painter=painter,
        clock=ground.clock,
        picture_patience=ground.picture_patience,
    )


def _toolboxes(
    ground: Ground, intents: Intents, writes: Writes, desk: Desk, underway: Underway
) -> Callable[[str, Callable[[], Turn | None]], ToolBox]:
    writing = Writing(
        database=ground.database,
        intents=intents,
        writes=writes,
        desk=desk,
        underway=underway,
        kernel=ground.kernel,
        audit=ground.audit,
        clock=ground.clock,
        seconds=ground.timeout,
    )

    def toolbox_for(lane: str, current_turn: Callable[[], Turn | None]) -> ToolBox:
        return LaneToolBox(
            lane=lane,
            current_turn=current_turn,
            kernel=ground.kernel,
            registry=ground.registry,
            writing=writing,
            clock=ground.clock,
        )

    return toolbox_for
