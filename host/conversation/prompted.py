"""One prompt of a turn: takes in what the agent says and does, and tells what people are to see of it."""

from collections.abc import Awaitable, Callable
from datetime import datetime

from container.agent import Permission, PermissionRequest, StopReason
from container.broker.port import Trouble
from container.sandbox import ContainerError
from host.conversation.answers import visible, visible_so_far
from host.conversation.model_trouble import explained
from host.conversation.sentences import DECLINED, LIMITED, STOPPED, TOO_LONG
from host.conversation.tool_lines import ToolLines

LONGEST_ANSWER = 200_000

Permit = Callable[[PermissionRequest], Awaitable[Permission]]


class Prompted:
    """The ear for one prompt; an agent's `TurnEvents`."""

    def __init__(self, place: int, ref: str | None, now: Callable[[], datetime], permit: Permit) -> None:
        self.place = place  #: of this prompt in its turn
        self.ref = ref  #: the message that asked
        self.stop: StopReason | None = None
        self.error: ContainerError | None = None
        self.trouble: Trouble | None = None  #: why its model gave no answer, when it ended so
        self.posted = False
        self.heard_at = now()
        self.asking = 0  #: permissions that people have not decided yet
        self._now = now
        self._permit = permit
        self._pieces: list[str] = []
        self._length = 0
        self._tools = ToolLines()
        self._apart = False

    @property
    def done(self) -> bool:
        return self.stop is not None or self.error is not None

    def text(self, chunk: str) -> None:
        self.heard_at = self._now()
        if self._apart and self._pieces and not self._pieces[-1].endswith("\n"):
            self._pieces.append("\n\n")  # what was said before a tool and after it are two paragraphs
        self._apart = False
        self._tools.settle()
        room = LONGEST_ANSWER - self._length
        self._length += len(chunk)
        if room > 0 and chunk:
            self._pieces.append(chunk[:room])

    def tool(self, call_id: str, title: str, *, finished: bool, kind: str = "other") -> None:
        self.heard_at = self._now()
        self._apart = True
        self._tools.note(call_id, title, finished=finished)

    async def permission(self, request: PermissionRequest) -> Permission:
        self.asking += 1
        try:
            return await self._permit(request)
        finally:
            self.asking -= 1
            self.heard_at = self._now()

    def so_far(self) -> tuple[str, str]:
        """What may be shown while it runs: the text, and quiet lines on what the agent does since."""
        return visible_so_far("".join(self._pieces)), self._tools.text()

    def answer(self, *, stopped: bool) -> str:
        """What people read in the end; empty when there is nothing for them."""
        text = visible("".join(self._pieces))
        if not stopped:
            # Gemini CLI takes an answer that its provider broke off for one that reached a limit.
            failed = self.error is not None or self.stop is StopReason.LIMIT
            text = explained(text, self.trouble, failed=failed)
        added = []
        if self._length > LONGEST_ANSWER:
            added.append(TOO_LONG)
        if stopped or self.stop is StopReason.CANCELLED:
            added.append(STOPPED)
        elif self.stop is StopReason.LIMIT and self.trouble is None:
            added.append(LIMITED)
        elif self.stop is StopReason.REFUSED and not text:
            added.append(DECLINED)
        return "\n\n".join(filter(None, [text, *added]))
