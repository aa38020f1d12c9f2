"""Agents: who is there, who is alive, who may write to whom."""

from collections.abc import Mapping, Sequence

from pydantic import TypeAdapter

from intermute.client.shapes import Agent, Shape
from intermute.client.wire import Wire, part


class _Agents(Shape):
    agents: tuple[Agent, ...]
    next_cursor: str = ""


class Policies(Shape):
    """Who may write to an agent: `open`, `auto`, `contacts_only` or `block_all`."""

    agent_id: str
    policy: str
    live_contact_policy: str


class _Contacts(Shape):
    contacts: tuple[str, ...]


_AGENT = TypeAdapter(Agent)
_AGENTS = TypeAdapter(_Agents)
_CONTACTS = TypeAdapter(_Contacts)
_POLICIES = TypeAdapter(Policies)


class Agents:
    """`/api/agents`."""

    def __init__(self, wire: Wire, project: str) -> None:
        self._wire = wire
        self._project = project

    async def register(
        self,
        name: str = "",
        *,
        id: str = "",  # noqa: A002 - the member's name
        session_id: str = "",
        capabilities: Sequence[str] = (),
        metadata: Mapping[str, str] | None = None,
        status: str = "",
        project: str | None = None,
    ) -> Agent:
        """Come in, or come back with the same id or session. The answer alone has the token."""
        body = {
            "id": id,
            "name": name,
            "session_id": session_id,
            "project": self._project if project is None else project,
            "capabilities": list(capabilities),
            "metadata": dict(metadata or {}),
            "status": status,
        }
        given = {key: value for key, value in body.items() if value or key == "name"}
        return await self._wire.ask(_AGENT, "POST", "/api/agents", body=given)

    async def heartbeat(self, agent: str, focus: str = "") -> None:
        """Say that it is alive, and where its attention is: at-prompt, tool-use or thinking."""
        body = {"focus_state": focus} if focus else {}
        await self._wire.do("POST", f"/api/agents/{part(agent)}/heartbeat", body=body)

    async def list(self, project: str | None = None) -> tuple[Agent, ...]:
        """Those who were there of late, the last to give a sign of life first."""
        return await self._listed(project, ())

    async def get(self, agent: str) -> Agent:
        return await self._wire.ask(_AGENT, "GET", f"/api/agents/{part(agent)}")

    async def discover(self, capabilities: Sequence[str], project: str | None = None) -> tuple[Agent, ...]:
        """Those who can do any of these."""
        return await self._listed(project, capabilities)

    async def describe(self, agent: str, metadata: Mapping[str, str]) -> Agent:
        """Set these entries of an agent's metadata and leave the others."""
        body = {"metadata": dict(metadata)}
        return await self._wire.ask(_AGENT, "PATCH", f"/api/agents/{part(agent)}/metadata", body=body)

    async def policies(self, agent: str) -> Policies:
        return await self._wire.ask(_POLICIES, "GET", f"/api/agents/{part(agent)}/policy")

    async def set_policies(self, agent: str, *, policy: str = "", live: str = "") -> Policies:
        body = {"policy": policy, "live_contact_policy": live}
        given = {name: value for name, value in body.items() if value}
        return await self._wire.ask(_POLICIES, "POST", f"/api/agents/{part(agent)}/policy", body=given)

    async def contacts(self, agent: str) -> tuple[str, ...]:
        """Who may write to it where it takes messages from contacts only."""
        path = f"/api/agents/{part(agent)}/contacts"
        return (await self._wire.ask(_CONTACTS, "GET", path)).contacts

    async def add_contact(self, agent: str, contact: str) -> None:
        path = f"/api/agents/{part(agent)}/contacts"
        await self._wire.do("POST", path, body={"contact": contact})

    async def remove_contact(self, agent: str, contact: str) -> None:
        await self._wire.do("DELETE", f"/api/agents/{part(agent)}/contacts/{part(contact)}")

    async def remove(self, agent: str) -> None:
        """Take it out; what it holds is free."""
        await self._wire.do("DELETE", f"/api/agents/{part(agent)}")

    async def _listed(self, project: str | None, capabilities: Sequence[str]) -> tuple[Agent, ...]:
        """All pages."""
        query = {
            "project": self._project if project is None else project,
            "capability": ",".join(capabilities),
        }
        found: list[Agent] = []
        cursor = ""
        while True:
            page = await self._wire.ask(_AGENTS, "GET", "/api/agents", query={**query, "cursor": cursor})
            found += page.agents
            if page.next_cursor in ("", cursor):
                return tuple(found)
            cursor = page.next_cursor
