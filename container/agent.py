"""What the host sees of an agent: a conversation partner behind a sandbox, whichever program it is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """One row of the runtimes table: which agent program, in which image."""

    name: str
    image: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolDeclaration:
    """A tool as MCP lists it."""

    name: str
    description: str
    input_schema: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolResult:
    """What a tool call answers: a readable text, the same as data, and whether it failed."""

    text: str
    data: Mapping[str, Any] = field(default_factory=dict)
    failed: bool = False


class ToolBox(Protocol):
    """The tools of one container. Which one is calling is decided by which ToolBox was handed in."""

    def declarations(self) -> Sequence[ToolDeclaration]: ...

    async def call(self, name: str, arguments: Mapping[str, Any]) -> ToolResult:
        """Never raises for anything the agent did wrong: that is a failed result."""
        ...


class Permission(StrEnum):
    """The answer to an agent's own permission request."""

    ALLOW = "allow"
    REJECT = "reject"


class TurnEvents(Protocol):
    """What happens during a prompt, as it happens. Calls are quick and in order."""

    def text(self, chunk: str) -> None: ...

    def tool(self, call_id: str, title: str, *, finished: bool) -> None: ...

    async def permission(self, title: str, detail: str) -> Permission: ...


class StopReason(StrEnum):
    END = "end_turn"
    LIMIT = "limit"  #: the agent ran into a limit of its own (tokens, requests)
    REFUSED = "refusal"
    CANCELLED = "cancelled"


class Agent(Protocol):
    """One running agent with one conversation. All methods raise ContainerError."""

    @property
    def takes_followups(self) -> bool:
        """True when a prompt may be sent while another one runs."""
        ...

    @property
    def alive(self) -> bool: ...

    async def prompt(self, text: str, events: TurnEvents) -> StopReason:
        """Say something and wait until the agent is done with it. Raises AgentDied."""
        ...

    async def cancel(self) -> None:
        """Ask the agent to end the running prompt early; `prompt` then returns CANCELLED."""
        ...

    async def died(self) -> None:
        """Return when the agent is gone, for whatever reason."""
        ...

    async def close(self) -> None:
        """End the agent and its sandbox. Idempotent."""
        ...


class Launcher(Protocol):
    """Starts agents in sandboxes."""

    async def launch(self, key: str, runtime: Runtime, tools: ToolBox) -> Agent:
        """Start an agent for the conversation `key` and open a session in it.

        Raises SandboxUnavailable, ImageMissing, StartFailed.
        """
        ...

    async def sweep(self, keep: Sequence[str] = ()) -> int:
        """End every sandbox of this install that serves no conversation in `keep`; say how many."""
        ...
