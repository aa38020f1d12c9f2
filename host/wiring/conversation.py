"""The conversation and the decisions: what comes in, who answers, who decides, what goes out."""

from dataclasses import dataclass

from demarch.kernel import Kernel
from host.conversation.busy_signs import BusySigns
from host.conversation.lanes import Lanes
from host.conversation.sessions import Sessions
from host.conversation.talk import Means
from host.conversation.turns import Turns
from host.conversation.warmth import Climate, Warmth
from host.decisions.followups import LaterEar
from host.incoming.commands import Commands
from host.incoming.intake import Intake
from host.incoming.models import LOCAL
from host.incoming.router import Router
from host.outgoing.sender import Sender
from host.wiring import decisions
from host.wiring.agents import Agents
from host.wiring.decisions import Decisions
from host.wiring.ground import Ground
from host.wiring.network import Network
from host.wiring.outfitting import Outfitting


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    intake: Intake
    router: Router
    lanes: Lanes
    sender: Sender
    decisions: Decisions


def build_conversation(ground: Ground, agents: Agents, network: Network, kernel: Kernel) -> Conversation:
    ear = LaterEar()
    decided = decisions.build(_grounds(ground, kernel), ear, network.condition.banner)
    lanes = _lanes(ground, agents, network, decided)
    ear.attach(lanes)
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
        commands=_commands(ground, lanes, decided),
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
        wake_router=router.wake,
        meter=ground.metrics,
    )
    return Conversation(intake=intake, router=router, lanes=lanes, sender=sender, decisions=decided)


def _grounds(ground: Ground, kernel: Kernel) -> decisions.Ground:
    return decisions.Ground(
        database=ground.db,
        clock=ground.clock,
        new_id=ground.new_id,
        outbox=ground.outbox,
        registry=ground.registry,
        audit=ground.audit,
        kernel=kernel,
        zone=ground.zone,
        holder=ground.install,
        timeout=ground.settings.approvals.timeout,
        extend_percent=ground.settings.approvals.extend_percent,
    )


def _lanes(ground: Ground, agents: Agents, network: Network, decided: Decisions) -> Lanes:
    settings = ground.settings.agent
    turns = Turns(ground.db, ground.clock, ground.new_id)
    sessions = Sessions(
        launcher=agents.launcher,
        outfitter=Outfitting(runtimes=agents.runtimes),
        toolbox_for=decided.toolbox_for,
        group_of=ground.registry.group_of_lane,
        clock=ground.clock,
        meter=ground.metrics,
        most=settings.max_containers,
        most_paused=settings.max_paused,
    )
    warmth = Warmth(
        sessions=sessions,
        climate=Climate(
            pause_after=settings.pause_after,
            idle_timeout=settings.idle_timeout,
            ahead=settings.ahead,
            keep_free=int(settings.keep_free),
        ),
        recent_lanes=turns.recent_lanes,
        group_of=ground.registry.group_of_lane,
        clock=ground.clock,
        meter=ground.metrics,
    )
    return Lanes(
        means=Means(
            database=ground.db,
            turns=turns,
            outbox=ground.outbox,
            permit=decided.permissions.permit,
            clock=ground.clock,
            meter=ground.metrics,
        ),
        registry=ground.registry,
        sessions=sessions,
        warmth=warmth,
        signs=BusySigns(network.bridges, ground.clock),
        written=decided.written,
        new_id=ground.new_id,
    )


def _commands(ground: Ground, lanes: Lanes, decided: Decisions) -> Commands:
    return Commands(
        registry=ground.registry,
        lanes=lanes,
        cards=decided.desk,
        claims=decided.claims,
        status=decided.status.content,
        models=(LOCAL,),
        name=ground.settings.assistant_name,
    )
