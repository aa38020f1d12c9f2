"""The host's end of ACP: one session of one agent, whichever program it is.

Import this module in a thread (see `container.launcher.warm_imports`): the protocol's library takes its time.
"""

import asyncio
from collections import deque
from collections.abc import Collection, Sequence
from typing import Any, TypeVar

import structlog
from acp import PROTOCOL_VERSION, RequestError
from acp.connection import Connection
from acp.meta import AGENT_METHODS, CLIENT_METHODS
from acp.schema import (
    AgentCapabilities,
    AgentMessageChunk,
    AgentThoughtChunk,
    CancelNotification,
    ClientCapabilities,
    FileSystemCapabilities,
    Implementation,
    InitializeRequest,
    InitializeResponse,
    LoadSessionRequest,
    LoadSessionResponse,
    McpServerStdio,
    NewSessionRequest,
    NewSessionResponse,
    PromptCapabilities,
    PromptRequest,
    PromptResponse,
    RequestPermissionRequest,
    SessionNotification,
    ToolCallProgress,
    ToolCallStart,
)
from acp.utils import notify_model, request_model
from pydantic import BaseModel, ValidationError

from container import steering
from container.agent import Enclosure, Permission, PermissionRequest, StopReason, TurnEvents
from container.asking import asked
from container.enclosures import Block, blocks
from container.replies import LONGEST_ID, Told, chosen, describe, show
from container.sandbox import AgentDied, AgentRefused, ContainerError, StartFailed
from container.tool_lines import SERVER, ToolCall
from container.wire import AgentStream

MOST_PROMPTS = 32  #: unanswered at once
MOST_PERMISSIONS = 8  #: undecided at once

LOAD_TIMEOUT = 15.0  #: seconds for an earlier session, before a new one is opened instead
HELLO = InitializeRequest(
    protocol_version=PROTOCOL_VERSION,
    client_capabilities=ClientCapabilities(
        fs=FileSystemCapabilities(read_text_file=False, write_text_file=False), terminal=False
    ),
    client_info=Implementation(name="intercom", version="1"),
)

WORK = (AgentMessageChunk, AgentThoughtChunk, ToolCallStart, ToolCallProgress)
Answer = TypeVar("Answer", bound=BaseModel)
log = structlog.get_logger()

_REASONS = {
    "end_turn": StopReason.END,
    "max_tokens": StopReason.LIMIT,
    "max_turn_requests": StopReason.LIMIT,
    "refusal": StopReason.REFUSED,
    "cancelled": StopReason.CANCELLED,
}


class _Turn:
    """A prompt that was sent and is not answered yet."""

    def __init__(self, events: TurnEvents) -> None:
        self.events: TurnEvents | None = events  #: None: nobody listens any more
        self.told = Told()
        self.updates = 0  #: that tell of work on it; what it used and the like come at its end in any case
        self.outcome: asyncio.Future[StopReason | ContainerError] = asyncio.get_running_loop().create_future()


class Conversation:
    """Speaks to the agent at the other end of a stream. Its tasks run in the group it is given."""

    def __init__(
        self, stream: AgentStream, group: asyncio.TaskGroup, tools: Collection[str] = frozenset()
    ) -> None:
        """`tools` are the names of the host's own."""
        self._stream = stream
        self._group = group
        self._tools = tools
        self._takes = PromptCapabilities()
        self._turns: deque[_Turn] = deque()
        self._asking: set[asyncio.Task[Permission]] = set()
        self._session = ""
        self._loads = False
        self._steers = False
        self._cancels = 0
        self.resumed = False
        self.takes_followups = False
        # The library's client side lets an agent's `_meta` replace the arguments of its handlers and answers
        # methods that a client lacks with success. Its connection does neither.
        self._connection = Connection(self._handle, stream)

    @property
    def session(self) -> str:
        """The id under which it may be loaded again; "" when the agent cannot."""
        return self._session if self._loads else ""

    @property
    def busy(self) -> bool:
        return bool(self._turns)

    async def start(self, tools: Sequence[str], folder: str, *, resume: str = "") -> None:
        """Agree on the protocol and open a session, that of `resume` if possible. Raises ContainerError."""
        answer = await self._request("initialize", HELLO, InitializeResponse)
        if answer.protocol_version != PROTOCOL_VERSION:
            version = answer.protocol_version
            raise StartFailed(f"The agent speaks version {version} of its protocol, not {PROTOCOL_VERSION}.")
        can = answer.agent_capabilities or AgentCapabilities()
        queues = _queues(can.field_meta or {})  # better: an answer of its own, and nothing is interrupted
        self._steers = not queues and steering.offered(answer.field_meta)
        self.takes_followups = queues or self._steers
        self._loads = bool(can.load_session)
        self._takes = can.prompt_capabilities or PromptCapabilities()
        server = McpServerStdio(name=SERVER, command=tools[0], args=list(tools[1:]), env=[])
        if resume and self._loads and await self._load(resume, folder, server):
            self._session, self.resumed = resume, True
            return
        new = NewSessionRequest(cwd=folder, mcp_servers=[server])
        self._session = (await self._request("session_new", new, NewSessionResponse)).session_id

    async def _load(self, session: str, folder: str, server: McpServerStdio) -> bool:
        """Open an earlier session. What the agent repeats of it on the way belongs to no turn."""
        load = LoadSessionRequest(session_id=session, cwd=folder, mcp_servers=[server])
        try:
            async with asyncio.timeout(LOAD_TIMEOUT):
                await self._request("session_load", load, LoadSessionResponse)
        except (AgentRefused, TimeoutError) as error:
            log.info("session.not_loaded", reason=str(error) or "it took too long")
            return False
        return True

    async def prompt(self, text: str, events: TurnEvents, enclosures: Sequence[Enclosure] = ()) -> StopReason:
        """Say something; returns when the agent is done with it. Raises AgentDied, AgentRefused."""
        content = blocks(text, enclosures, self._takes)
        cancels = self._cancels
        if self._steers and await self._joined(content):
            return StopReason.END  # what comes of it is said to whoever began the turn
        if cancels != self._cancels:  # while it waited
            return StopReason.CANCELLED
        if self._stream.ended.is_set():
            raise self._death()
        if len(self._turns) >= MOST_PROMPTS:
            raise AgentRefused("Too many messages are waiting for this agent.")
        turn = _Turn(events)
        self._turns.append(turn)
        self._group.create_task(self._ask(turn, content))
        try:
            outcome = await asyncio.shield(turn.outcome)
        except asyncio.CancelledError:
            turn.events = None  # what the agent still says about it belongs to no later turn
            raise
        if isinstance(outcome, ContainerError):
            raise outcome
        return outcome

    async def cancel(self) -> None:
        """Ask the agent to stop; nothing happens when it is gone or idle."""
        self._cancels += 1
        for task in self._asking:
            task.cancel()  # the protocol wants open permission requests answered first
        if not self._turns or self._stream.ended.is_set():
            return
        try:
            await notify_model(
                self._connection,
                AGENT_METHODS["session_cancel"],
                CancelNotification(session_id=self._session),
            )
        except ConnectionError:
            return

    @property
    def fault(self) -> str:
        """What the agent did wrong, when that is why it was cut off."""
        return self._stream.fault

    async def ended(self) -> None:
        await self._stream.ended.wait()

    async def close(self) -> None:
        """Hang up. Prompts that wait end with AgentDied."""
        for task in self._asking:
            task.cancel()
        await self._connection.close()

    async def _joined(self, content: list[Block]) -> bool:
        """Add to the turn that runs and wait for its end; False when none runs that could take it.

        Raises what ended the turn.
        """
        while self._turns:
            running = self._turns[0]
            # As a task: it is sent after what was sent by tasks before.
            updates = await self._group.create_task(self._steer(running, content))
            outcome = await asyncio.shield(running.outcome)
            if updates is None:
                continue
            if isinstance(outcome, ContainerError):
                raise outcome
            # Taken at the very end of a turn it may be left unread: then nothing comes of the turn any more.
            return running.updates > updates or outcome is not StopReason.END
        return False

    async def _steer(self, running: _Turn, content: list[Block]) -> int | None:
        """Offer a prompt to the running turn; how much had come of that when it was taken, else None."""
        params = steering.request(self._session, content)
        try:
            answer = await self._connection.send_request(steering.METHOD, params)
            return running.updates if steering.taken(answer) else None
        except RequestError as error:
            log.info("agent.not_steered", reason=describe(error))
        except (ConnectionError, RuntimeError) as error:  # how the turn ends says the same
            log.debug("agent.not_steered", reason=str(error))
        return None

    async def _ask(self, turn: _Turn, content: list[Block]) -> None:
        request = PromptRequest(session_id=self._session, prompt=content)
        outcome: StopReason | ContainerError = AgentDied("The agent was ended.")
        try:
            answer = await self._request("session_prompt", request, PromptResponse)
            outcome = _REASONS.get(answer.stop_reason, StopReason.END)
        except ContainerError as error:
            outcome = error
        finally:
            self._turns.remove(turn)
            if not turn.outcome.done():
                turn.outcome.set_result(outcome)

    async def _request(self, name: str, params: BaseModel, answer: type[Answer]) -> Answer:
        try:
            return await request_model(self._connection, AGENT_METHODS[name], params, answer)
        except RequestError as error:
            raise AgentRefused(describe(error)) from error
        except ValidationError as error:
            raise AgentRefused(
                f"The agent's answer to {AGENT_METHODS[name]} is not in the protocol."
            ) from error
        except (ConnectionError, RuntimeError) as error:
            raise self._death() from error

    def _death(self) -> AgentDied:
        return AgentDied(
            f"The agent was cut off because {self.fault}." if self.fault else "The agent's connection ended."
        )

    async def _handle(self, method: str, params: Any, notification: bool) -> Any:
        if method == CLIENT_METHODS["session_update"]:
            return self._update(params)
        if method == CLIENT_METHODS["session_request_permission"]:
            return await self._permission(params)
        if notification:  # an extension of its own: nobody waits for an answer
            return None
        raise RequestError.method_not_found(method[:100])

    def _update(self, params: Any) -> None:
        """Updates name no prompt: they are about the oldest one that is not answered."""
        turn = self._turns[0] if self._turns else None
        if turn is None:
            return
        try:
            update = SessionNotification.model_validate(params).update
        except ValidationError:
            log.debug("agent.update_unknown")  # a kind of update this version does not know
            return
        turn.updates += isinstance(update, WORK)
        if turn.events is None:
            return
        show(update, turn.events, turn.told, self._tools)

    async def _permission(self, params: Any) -> dict[str, Any]:
        request = RequestPermissionRequest.model_validate(params)
        turn = self._turns[0] if self._turns else None
        if turn is None or turn.events is None or len(self._asking) >= MOST_PERMISSIONS:
            return chosen(request.options, Permission.REJECT)
        known = turn.told.calls.get(request.tool_call.tool_call_id[:LONGEST_ID], ToolCall())
        task = self._group.create_task(_decide(turn.events, asked(request, known, self._tools)))
        self._asking.add(task)
        try:
            return chosen(request.options, await asyncio.shield(task))
        except asyncio.CancelledError:
            if not task.cancelled():
                raise
            return chosen(request.options, None)
        finally:
            self._asking.discard(task)


async def _decide(events: TurnEvents, request: PermissionRequest) -> Permission:
    try:
        return await events.permission(request)
    except Exception:  # whoever cannot be asked has not allowed it
        log.exception("permission.failed")
        return Permission.REJECT


def _queues(meta: dict[str, Any]) -> bool:
    """Whether the agent takes a prompt while another runs, as it or Claude's adapter says so."""
    claude = meta.get("claudeCode")
    return meta.get("promptQueueing") is True or (
        isinstance(claude, dict) and claude.get("promptQueueing") is True
    )
