"""How agents look on the wire."""

from typing import NotRequired

from typing_extensions import TypedDict

from intermute import times
from intermute.agents.agent import Agent
from intermute.agents.presence import Presence


class AgentShape(TypedDict):
    """`alive`: it gave a sign of life within the time after which its locks are freed."""

    agent_id: str
    session_id: str
    name: str
    project: str
    capabilities: list[str] | None
    metadata: dict[str, str] | None
    status: str
    last_seen: str
    created_at: str
    alive: bool


class OneAgent(AgentShape):
    policy: str
    live_contact_policy: str
    focus_state: str


class RegisteredAgent(TypedDict):
    """`token` proves from now on who the agent is; it is told once."""

    agent_id: str
    session_id: str
    name: str
    token: str
    cursor: int


class AgentList(TypedDict):
    """`next_cursor` leads to the next page, where there is one."""

    agents: list[AgentShape]
    next_cursor: NotRequired[str]


class PresenceShape(TypedDict):
    agent_id: str
    kind: str
    status: str
    last_seen: str
    repo: str
    files: list[str]
    objective: str
    confidence: str
    active_bead_id: str
    thread_id: str


class PresenceList(TypedDict):
    agents: list[PresenceShape]
    next_cursor: NotRequired[str]


def agent_shape(one: Agent, *, alive: bool) -> AgentShape:
    return {
        "agent_id": one.id,
        "session_id": one.session_id,
        "name": one.name,
        "project": one.project,
        "capabilities": None if one.capabilities is None else list(one.capabilities),
        "metadata": None if one.metadata is None else dict(one.metadata),
        "status": one.status,
        "last_seen": times.seconds(one.last_seen),
        "created_at": times.seconds(one.created_at),
        "alive": alive,
    }


def one_agent(one: Agent, *, alive: bool, focus: str) -> OneAgent:
    return {
        **agent_shape(one, alive=alive),
        "policy": one.policy,
        "live_contact_policy": one.live_policy,
        "focus_state": focus,
    }


def presence_shape(one: Presence) -> PresenceShape:
    return {
        "agent_id": one.agent_id,
        "kind": one.kind,
        "status": one.status,
        "last_seen": times.seconds(one.last_seen),
        "repo": one.repo,
        "files": one.files,
        "objective": one.objective,
        "confidence": one.confidence,
        "active_bead_id": one.active_bead_id,
        "thread_id": one.thread_id,
    }
