"""What people hear of the kernels: the readers of their events, the watch, mutes and digests."""

import asyncio
from dataclasses import dataclass

from demarch.feed import Feed
from demarch.kernel import Kernel
from host.decisions.approvals_store import Approvals
from host.decisions.board import Board
from host.decisions.desk import Desk
from host.decisions.flow import DiscoveryFlow
from host.decisions.settling import Settling
from host.news.digest import Digests, StatusPage
from host.news.discoveries import Discoveries
from host.news.feed import CHANNEL, FeedConsumer
from host.news.following import Following
from host.news.pictures import Painter
from host.news.quiet import Quiet
from host.news.resolving import Resolving
from host.news.routing import Routing
from host.news.seen import Seen
from host.news.telling import Rules, Telling
from host.news.triage import Triage
from host.news.watch import Watch
from host.news.wishes import Wishes
from host.wiring.decision_ground import Ground
from storage.wakeups import Wakeups


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """One reader and one watch for each project; the rest is the same for all of them."""

    ground: Ground
    telling: Telling
    seen: Seen
    desk: Desk
    painter: Painter
    digests: Digests
    quiet: Quiet
    triage: Triage
    discoveries: Discoveries

    def following(self) -> Following:
        """The service that reads and watches every project in use."""
        return Following(
            database=self.ground.database,
            registry=self.ground.registry,
            projects=self.ground.projects,
            clock=self.ground.clock,
            follow=self.follow,
        )

    async def follow(self, project: str, wakeups: Wakeups) -> None:
        """One project, until cancelled: woken by the kernel itself where it can."""
        kernel = self.ground.projects.of(project)
        follower = self.ground.followers.get(project)
        async with asyncio.TaskGroup() as tasks:
            # Its agents' tools are those it turns out to have; one in use since the start was looked at then.
            tasks.create_task(kernel.state())
            if follower is not None:
                tasks.create_task(follower.run())
            signal = wakeups.subscribe(CHANNEL) if follower is None else follower
            tasks.create_task(self.consumer(project, kernel).run(signal))
            tasks.create_task(self.watch(project, kernel).run())

    def consumer(self, project: str, kernel: Kernel) -> FeedConsumer:
        return FeedConsumer(
            database=self.ground.database,
            feed=Feed(kernel, self.ground.clock),
            telling=self.telling,
            desk=self.desk,
            painter=self.painter,
            clock=self.ground.clock,
            picture_patience=self.ground.picture_patience,
            project=project,
            triage=self.triage,
        )

    def watch(self, project: str, kernel: Kernel) -> Watch:
        return Watch(
            database=self.ground.database,
            kernel=kernel,
            project=project,
            telling=self.telling,
            seen=self.seen,
            desk=self.desk,
            painter=self.painter,
            clock=self.ground.clock,
            stale_after=self.ground.stale_after,
            picture_patience=self.ground.picture_patience,
        )


def build_news(
    ground: Ground,
    approvals: Approvals,
    board: Board,
    settling: Settling,
    desk: Desk,
    painter: Painter,
    routing: Routing,
    wishes: Wishes,
    flow: DiscoveryFlow,
    status: StatusPage,
) -> News:
    seen = Seen(ground.database)
    digests = Digests(
        database=ground.database,
        wishes=wishes,
        outbox=ground.outbox,
        registry=ground.registry,
        status=status,
        clock=ground.clock,
        zone=ground.zone,
    )
    telling = Telling(
        desk=desk,
        settling=settling,
        approvals=approvals,
        board=board,
        resolving=Resolving(settling=settling, approvals=approvals, board=board, clock=ground.clock),
        routing=routing,
        wishes=wishes,
        seen=seen,
        clock=ground.clock,
        rules=Rules(seconds=ground.timeout, percent=ground.extend_percent),
    )
    quiet = Quiet(
        database=ground.database,
        wishes=wishes,
        digests=digests,
        audit=ground.audit,
        clock=ground.clock,
        zone=ground.zone,
    )
    triage = Triage(
        database=ground.database,
        flow=flow,
        settling=settling,
        approvals=approvals,
        board=board,
        routing=routing,
        wishes=wishes,
        clock=ground.clock,
    )
    discoveries = Discoveries(
        database=ground.database,
        flow=flow,
        settling=settling,
        board=board,
        routing=routing,
        projects=ground.projects,
        clock=ground.clock,
    )
    return News(
        ground=ground,
        telling=telling,
        seen=seen,
        desk=desk,
        painter=painter,
        digests=digests,
        quiet=quiet,
        triage=triage,
        discoveries=discoveries,
    )
