"""The agents that are kept: their sessions, what they are started with, and how warm they stay."""

from dataclasses import dataclass

from demarch.projects import Projects
from host.conversation.sessions import Sessions
from host.conversation.turns import Turns
from host.conversation.warmth import Climate, Warmth
from host.settings_pieces import AgentSettings
from host.swarm.places import SessionPlaces
from host.wiring.agents import Agents
from host.wiring.continuing import Continuing
from host.wiring.decisions import Decisions
from host.wiring.ground import Ground
from host.wiring.outfitting import Outfitting
from host.wiring.outside import Outside


@dataclass(frozen=True, slots=True, kw_only=True)
class Warm:
    sessions: Sessions
    warmth: Warmth


def build_warm(
    ground: Ground,
    agents: Agents,
    outside: Outside,
    decided: Decisions,
    continuing: Continuing,
    turns: Turns,
    projects: Projects,
) -> Warm:
    settings = ground.settings.agent
    outfitter = Outfitting(
        runtimes=agents.runtimes,
        conversations=continuing.conversations,
        workspace=continuing.workspace,
        spending=decided.spending,
        outside=outside,
        registry=ground.registry,
        projects=projects,
    )
    sessions = Sessions(
        launcher=agents.launcher,
        outfitter=outfitter,
        toolbox_for=decided.toolbox_for,
        turn_over=decided.swarm.dismiss,
        group_of=ground.registry.group_of_lane,
        clock=ground.clock,
        meter=ground.metrics,
        most=settings.max_containers,
        most_paused=settings.max_paused,
    )
    decided.swarm.attach(SessionPlaces(sessions, outfitter, agents.runtimes))
    warmth = Warmth(
        sessions=sessions,
        climate=_climate(settings),
        recent_lanes=turns.recent_lanes,
        group_of=ground.registry.group_of_lane,
        clock=ground.clock,
        meter=ground.metrics,
    )
    return Warm(sessions=sessions, warmth=warmth)


def _climate(settings: AgentSettings) -> Climate:
    return Climate(
        pause_after=settings.pause_after,
        idle_timeout=settings.idle_timeout,
        ahead=settings.ahead,
        keep_free=int(settings.keep_free),
    )
