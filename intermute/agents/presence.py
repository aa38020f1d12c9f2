"""What an agent says it works on, read from its metadata."""

import json
from dataclasses import dataclass
from datetime import datetime

from intermute.agents.agent import Agent

UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Presence:
    agent_id: str
    kind: str
    status: str
    last_seen: datetime
    repo: str
    files: list[str]
    objective: str
    confidence: str
    active_bead_id: str
    thread_id: str


def of(agent: Agent) -> Presence:
    said = {name: value.strip() for name, value in (agent.metadata or {}).items()}
    return Presence(
        agent_id=agent.id,
        kind=said.get("agent_kind", ""),
        status=said.get("status") or agent.status.strip(),
        last_seen=agent.last_seen,
        repo=said.get("repo", ""),
        files=_files(said.get("files_touched", "")),
        objective=said.get("objective", ""),
        confidence=said.get("active_bead_confidence") or UNKNOWN,
        active_bead_id=said.get("active_bead_id", ""),
        thread_id=said.get("thread_id", ""),
    )


def _files(text: str) -> list[str]:
    try:
        given = json.loads(text) if text else []
    except (ValueError, RecursionError):
        return []
    if not isinstance(given, list) or not all(isinstance(file, str) for file in given):
        return []
    return [file.strip() for file in given if file.strip()]
