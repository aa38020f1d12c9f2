"""What people read when a model gave no answer: the reason, not an agent program's raw error. Pure."""

import re

from container.broker.port import Trouble, TroubleKind
from container.sandbox import AgentRefused, ContainerError

#: how agent programs begin to say that their provider failed; each has words of its own
_RAW = re.compile(
    r"\W{0,4}(API Error\b|Failed to authenticate|Invalid API key|Internal error|Request failed|HTTP \d{3}"
    r"|Error: |\w{0,20}Error:|stream (error|disconnected)|exceeded retry limit|unexpected status \d{3}"
    r"|error sending request|Reconnecting\b|Retrying\b|Please run /login|Credit balance|You exceeded)",
    re.IGNORECASE,
)
#: ours, and the text does not show it: Gemini CLI ends its turn as if nothing had happened
_ALWAYS_SAID = frozenset({TroubleKind.BUDGET, TroubleKind.TIMEOUT})
_PARAGRAPH = re.compile(r"\n[ \t]*\n")


def explained(text: str, trouble: Trouble | None, *, failed: bool = False) -> str:
    """The agent's text with the trouble in the place of its program's own words for it.

    An agent that answered although a request beside its answer failed is left alone; what a spend limit
    stopped or a time limit cut short is always said.
    """
    if trouble is None:
        return text
    kept = _without_raw(text, trouble)
    if kept == text and text and not failed and trouble.kind not in _ALWAYS_SAID:
        return text
    return "\n\n".join(filter(None, [kept, trouble.sentence]))


def accounts_for(error: ContainerError, trouble: Trouble | None) -> bool:
    """True when the agent lives and only passes on that its model gave no answer: people ask again."""
    return trouble is not None and isinstance(error, AgentRefused)


def _without_raw(text: str, trouble: Trouble) -> str:
    """Everything before the error that the text ends with."""
    paragraphs = _PARAGRAPH.split(text)
    end = len(paragraphs)
    while end and _is_raw(paragraphs[end - 1], trouble):
        end -= 1
    return text if end == len(paragraphs) else "\n\n".join(paragraphs[:end]).rstrip()


def _is_raw(paragraph: str, trouble: Trouble) -> bool:
    return _RAW.match(paragraph) is not None or trouble.sentence in paragraph
