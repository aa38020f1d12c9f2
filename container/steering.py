"""Adding to a turn that runs: an extension of the protocol, as Codex words it."""

from collections.abc import Mapping, Sequence
from typing import Any

from container.enclosures import Block

METHOD = "_session/steering"


def offered(meta: Mapping[str, Any] | None) -> bool:
    """Whether the agent's greeting says that it can be steered."""
    steering = (meta or {}).get("steering")
    return isinstance(steering, dict) and steering.get("supported") is True


def request(session: str, content: Sequence[Block]) -> dict[str, Any]:
    """Ask to add a prompt to the running turn; never to begin another turn, which would be nobody's."""
    blocks = [block.model_dump(mode="json", by_alias=True, exclude_none=True) for block in content]
    return {
        "sessionId": session,
        "prompt": blocks,
        "_meta": {"steering": {"idleBehavior": "promptRequired"}},
    }


def taken(answer: object) -> bool:
    """Whether the running turn has it; else it is to be said again as a prompt."""
    return isinstance(answer, dict) and answer.get("outcome") == "injected"
