"""What agents may call: writes that are judged, helpers, and the box each lane gets."""

from collections.abc import Callable

from container.agent import ToolBox
from host.conversation.turns import Turn
from host.decisions.asking import Asking
from host.decisions.desk import Desk
from host.decisions.permissions import Permissions
from host.swarm.swarm import Swarm
from host.swarm.working import Working
from host.tools.intents import Intents
from host.tools.lookups import Lookups
from host.tools.together import Together
from host.tools.toolbox import LaneToolBox, MoreTools
from host.tools.underway import Underway
from host.tools.writes import Writes
from host.tools.writing import Writing
from host.wiring.decision_ground import Ground


def build_writing(
    ground: Ground, intents: Intents, writes: Writes, desk: Desk, underway: Underway
) -> Writing:
    return Writing(
        database=ground.database,
        intents=intents,
        writes=writes,
        desk=desk,
        underway=underway,
        projects=ground.projects,
        audit=ground.audit,
        clock=ground.clock,
        seconds=ground.timeout,
    )


def build_swarm(
    ground: Ground,
    intents: Intents,
    asking: Asking,
    permissions: Permissions,
    writing: Writing,
    lookups: Lookups,
) -> Swarm:
    return Swarm(
        working=Working(
            database=ground.database,
            intents=intents,
            audit=ground.audit,
            asking=asking,
            clock=ground.clock,
            meter=ground.meter,
            seconds=ground.swarm.seconds,
        ),
        writing=writing,
        lookups=lookups,
        permit=permissions.permit,
        projects=ground.projects,
        clock=ground.clock,
        rules=ground.swarm,
        runtimes=ground.runtimes,
    )


def toolboxes(
    ground: Ground, writing: Writing, lookups: Lookups, swarm: Swarm
) -> Callable[[str, Callable[[], Turn | None]], ToolBox]:
    coordinating = ground.coordinating
    more: MoreTools = swarm
    if coordinating is not None:
        more = Together(swarm, coordinating.tools(writing, ground.clock))

    def toolbox_for(lane: str, current_turn: Callable[[], Turn | None]) -> ToolBox:
        return LaneToolBox(
            lane=lane,
            current_turn=current_turn,
            projects=ground.projects,
            registry=ground.registry,
            lookups=lookups,
            writing=writing,
            clock=ground.clock,
            more=more,
        )

    return toolbox_for
