"""The tools an agent uses while it answers, as quiet lines below what it has said so far. Pure state."""

from dataclasses import dataclass

from host.phrases import one_line

MOST = 20
_LONGEST = 160
_MORE = "... (more tools)"


@dataclass(slots=True)
class _Call:
    title: str
    finished: bool = False


class ToolLines:
    """What was called since the agent last said something, and what still runs."""

    def __init__(self) -> None:
        self._calls: dict[str, _Call] = {}
        self._left_out = False

    def note(self, call_id: str, title: str, *, finished: bool) -> None:
        """A call began, has another title by now, or has ended."""
        call = self._calls.get(call_id)
        if call is None and len(self._calls) >= MOST:
            self._left_out = True
        elif call is None:
            if not finished:  # one that nobody saw begin is over
                self._calls[call_id] = _Call(title)
        else:
            call.title = title or call.title
            call.finished = finished

    def settle(self) -> None:
        """The agent goes on talking: what is done disappears into its words."""
        self._calls = {name: call for name, call in self._calls.items() if not call.finished}
        self._left_out = False

    def text(self) -> str:
        """The lines, "" when there are none."""
        lines = [_line(call) for call in self._calls.values()]
        return "\n".join([*lines, _MORE] if self._left_out else lines)


def _line(call: _Call) -> str:
    words = one_line(call.title, _LONGEST).rstrip(".…") or "working"
    return f">> {words}" if call.finished else f">> {words}…"
