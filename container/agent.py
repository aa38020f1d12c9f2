"""What the host sees of an agent: a conversation partner behind a sandbox, whichever program it is."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from container.sandbox import Mount

#: answers one connection to a socket of a container; bounds its own connections
Service = Callable[[], asyncio.BaseProtocol]


class ModelApi(StrEnum):
    """The protocols of model providers that the broker speaks."""

    ANTHROPIC = "anthropic"  #: Messages
    OPENAI = "openai"  #: Responses
    GEMINI = "gemini"  #: generateContent


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """One row of the runtimes table: which agent program, in which image, speaking to which model."""

    name: str
    image: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    title: str = ""  #: what people read, such as "Claude Code"
    api: ModelApi | None = None  #: the broker's route it uses; None needs no model
    models: tuple[str, ...] = ()  #: its catalogue; the first is its default
    own_models: tuple[str, ...] = ()  #: what it asks besides, by itself, for titles and the like
    model_variable: str = ""  #: the environment variable that names the model to use
    state: str = ""  #: folder inside, kept per conversation: what it needs to load a session again
    memory: str = "AGENTS.md"  #: the name under which it reads the group's memory in its working folder
    memory_bytes: int = 0  #: it needs at least so much, whatever the setting says
    cpus: float = 0.0  #: likewise


@dataclass(frozen=True, slots=True, kw_only=True)
class Fittings:
    """What one agent is started with beside its program and its tools."""

    model: str = ""  #: "" is the runtime's default
    folder: str = "/tmp"  #: its working folder, inside  # noqa: S108 - a name inside
    mounts: tuple[Mount, ...] = ()
    services: Mapping[str, Service] = field(default_factory=dict)  #: by the socket's name
    resume: str = ""  #: the session to load; "" opens a new one


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


@dataclass(frozen=True, slots=True, kw_only=True)
class PermissionRequest:
    """What an agent's own program wants to be allowed. All of it is the agent's word."""

    title: str
    kind: str = "other"  #: ACP's kind of tool: read, edit, delete, move, search, execute, think, fetch, ...
    detail: str = ""  #: exactly what would run
    tool: str = ""  #: the name of the host's tool it is about, when it is one of those


@dataclass(frozen=True, slots=True, kw_only=True)
class Enclosure:
    """A file that comes with a prompt; it lies in the sandbox, and small ones are handed over as well."""

    name: str
    mime: str
    place: str  #: its path inside
    data: bytes | None = None  #: for agents that take this kind inline


class TurnEvents(Protocol):
    """What happens during a prompt, as it happens. Calls are quick and in order."""

    def text(self, chunk: str) -> None: ...

    def tool(self, call_id: str, title: str, *, finished: bool, kind: str = "other") -> None: ...

    async def permission(self, request: PermissionRequest) -> Permission: ...


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

    @property
    def session(self) -> str:
        """The id under which the agent may load this conversation again; "" when it cannot."""
        ...

    @property
    def resumed(self) -> bool:
        """True when it opened the session that was to be resumed, so that it knows what was said."""
        ...

    async def prompt(self, text: str, events: TurnEvents, enclosures: Sequence[Enclosure] = ()) -> StopReason:
        """Say something and wait until the agent is done with it. Raises AgentDied."""
        ...

    async def pause(self) -> None:
        """Freeze its sandbox; only between prompts. Idempotent."""
        ...

    async def unpause(self) -> None:
        """Let it go on. Idempotent. Raises AgentDied when it cannot."""
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

    async def launch(
        self, key: str, runtime: Runtime, tools: ToolBox, fittings: Fittings | None = None
    ) -> Agent:
        """Start an agent for the conversation `key` and open a session in it, or load one.

        Raises SandboxUnavailable, ImageMissing, StartFailed.
        """
        ...

    async def sweep(self, keep: Sequence[str] = ()) -> int:
        """End every sandbox of this install that serves no conversation in `keep`; say how many."""
        ...
