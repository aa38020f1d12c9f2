"""The conversation and the decisions: what comes in, who answers, who decides, what goes out."""

from dataclasses import dataclass, replace

from container.folder import GroupFolder
from demarch.projects import Projects
from host.conversation.busy_signs import BusySigns
from host.conversation.enclosing import Enclosing
from host.conversation.files_out import FilesOut
from host.conversation.images import Images
from host.conversation.lanes import Lanes
from host.conversation.means import Means
from host.conversation.turns import Turns
from host.decisions.followups import LaterEar
from host.incoming.commands import Commands
from host.incoming.intake import Intake
from host.incoming.models import catalogue
from host.incoming.router import Router
from host.outgoing.sender import Sender
from host.spending.rules import rules_of
from host.swarm.rules import SwarmRules
from host.wiring import decision_ground, decisions
from host.wiring.agents import Agents
from host.wiring.continuing import build_continuing
from host.wiring.coordination import Coordinating
from host.wiring.decisions import Decisions
from host.wiring.ground import Ground
from host.wiring.network import Network
from host.wiring.outside import Outside
from host.wiring.projects import Kernels
from host.wiring.warm import build_warm


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    intake: Intake
    router: Router
    lanes: Lanes
    sender: Sender
    decisions: Decisions


def build_conversation(
    ground: Ground,
    agents: Agents,
    outside: Outside,
    network: Network,
    kernels: Kernels,
    coordinating: Coordinating | None,
) -> Conversation:
    ear = LaterEar()
    decision_grounds = replace(_grounds(ground, agents, kernels), coordinating=coordinating)
    decided = decisions.build(decision_grounds, ear, network.condition.banner)
    lanes = _lanes(ground, agents, outside, network, decided, kernels.projects)
    ear.attach(lanes)
    if coordinating is not None:
        coordinating.tainting.attach(lanes)
    sender = Sender(
        database=ground.db,
        outbox=ground.outbox,
        bridges=network.bridges,
        recorder=ground.audit,
        clock=ground.clock,
        meter=ground.metrics,
    )
    router = Router(
        database=ground.db,
        registry=ground.registry,
        outbox=ground.outbox,
        bridges=network.bridges,
        decisions=decided.desk,
        commands=_commands(ground, agents, lanes, decided),
        recorder=ground.audit,
        wake_lane=lanes.wake,
        clock=ground.clock,
        name=ground.settings.assistant_name,
        meter=ground.metrics,
    )
    intake = Intake(
        database=ground.db,
        registry=ground.registry,
        outbox=ground.outbox,
        clock=ground.clock,
        new_id=ground.new_id,
        name=ground.settings.assistant_name,
        wake_lane=lanes.wake,
        expect_lane=lanes.expect,
        wake_router=router.wake,
        meter=ground.metrics,
    )
    return Conversation(intake=intake, router=router, lanes=lanes, sender=sender, decisions=decided)


def _grounds(ground: Ground, agents: Agents, kernels: Kernels) -> decision_ground.Ground:
    return decision_ground.Ground(
        database=ground.db,
        clock=ground.clock,
        new_id=ground.new_id,
        outbox=ground.outbox,
        registry=ground.registry,
        audit=ground.audit,
        projects=kernels.projects,
        followers=kernels.followers,
        zone=ground.zone,
        holder=ground.install,
        timeout=ground.settings.approvals.timeout,
        extend_percent=ground.settings.approvals.extend_percent,
        stale_after=ground.settings.events.stale_after,
        spend=rules_of(ground.settings.spend),
        meter=ground.metrics,
        isolated=agents.sandbox.isolated,
        runtimes=tuple(agents.runtimes),
        swarm=SwarmRules(
            free=ground.settings.agent.helpers,
            most=ground.settings.agent.max_helpers,
            seconds=ground.settings.agent.helper_time,
        ),
    )


def _lanes(
    ground: Ground,
    agents: Agents,
    outside: Outside,
    network: Network,
    decided: Decisions,
    projects: Projects,
) -> Lanes:
    turns = Turns(ground.db, ground.clock, ground.new_id)
    continuing = build_continuing(ground)

    def folder_of(group: str) -> GroupFolder:
        return GroupFolder(continuing.workspace.group_folder(group))

    warm = build_warm(ground, agents, outside, decided, continuing, turns, projects)
    return Lanes(
        means=Means(
            database=ground.db,
            turns=turns,
            outbox=ground.outbox,
            enclosing=Enclosing(
                database=ground.db,
                outbox=ground.outbox,
                bridges=network.bridges,
                folder_of=folder_of,
                clock=ground.clock,
                meter=ground.metrics,
            ),
            files_out=FilesOut(
                outbox=ground.outbox,
                folder_of=folder_of,
                clock=ground.clock,
                meter=ground.metrics,
                largest=int(ground.settings.files.largest),
            ),
            bridges=network.bridges,
            continuity=continuing.continuity,
            permit=decided.permissions.permit,
            trouble=decided.spending.trouble,
            images=None if agents.images is None else Images(agents.images, ground.clock),
            clock=ground.clock,
            meter=ground.metrics,
        ),
        registry=ground.registry,
        sessions=warm.sessions,
        warmth=warm.warmth,
        signs=BusySigns(network.bridges, ground.clock),
        written=decided.written,
        new_id=ground.new_id,
    )


def _commands(ground: Ground, agents: Agents, lanes: Lanes, decided: Decisions) -> Commands:
    return Commands(
        registry=ground.registry,
        choices=ground.roles,
        lanes=lanes,
        cards=decided.desk,
        claims=decided.claims,
        status=decided.status.content,
        spend=decided.spend_page.content,
        quiet=decided.news.quiet,
        discoveries=decided.news.discoveries.page,
        models=catalogue(agents.runtimes.values()),
        name=ground.settings.assistant_name,
    )
